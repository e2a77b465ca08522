import type { IncomingHttpHeaders } from 'node:http';

import * as z from 'zod';

import type { Clock } from '../../shared/ports.ts';
import { type Answer, because, Refused } from './answer.ts';
import type { Caller } from './authentication.ts';
import type { Behaviour } from './behaviour.ts';
import type { CloudState } from './cloud-state.ts';
import type { DataCenterState } from './data-center-state.ts';

/** What a request meets. Control requests put others in place of its parts. */
export interface World {
  cloud: CloudState;
  dataCenter: DataCenterState;
  behaviour: Behaviour;
  readonly clock: Clock;
  /** Where the server listens. */
  url: string;
  /** An id that nobody had before. */
  readonly nextId: () => number;
}

/** A request whose path is known, as a route's handler meets it. */
export interface Call {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly world: World;
  readonly caller: Caller;
}

export type Query = ReadonlyMap<string, readonly string[]>;

/** How an API says that a request is not as it should be. */
export type Complaint = (status: 400 | 415, problem: string, field?: string) => Answer;

/** The one value of a query parameter; refuses a repeated one. */
export function queryValue(call: Call, name: string, complain: Complaint): string | undefined {
  const values = call.query.get(name);
  if (values && values.length > 1) throw new Refused(complain(400, `${name} is given ${values.length} times`, name));
  return values?.[0];
}

/** A whole number in the query, at least 0. */
export function queryNumber(call: Call, name: string, otherwise: number, complain: Complaint): number {
  const value = queryValue(call, name, complain);
  if (value === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(value)) throw new Refused(complain(400, `${name} must be a whole number`, name));
  return Number(value);
}

/** The shape of a body: strict, and the same with unknown fields left out. */
export interface BodySchema<Body> {
  readonly strict: z.ZodType<Body>;
  readonly loose: z.ZodType<Body>;
}

export const bodySchema = <Shape extends z.ZodRawShape>(shape: Shape): BodySchema<z.infer<z.ZodObject<Shape>>> => ({
  // Both give the same fields: they differ in what they do with those they do not know.
  strict: z.strictObject(shape),
  loose: z.object(shape),
});

/** The request's JSON body; refuses another content type, what is no JSON, and what does not fit the schema. */
export function jsonBody<Body>(call: Call, schema: BodySchema<Body>, complain: Complaint): Body {
  requireJson(call, complain);
  const parsed = (call.world.behaviour.switches.unknownFields === 'refuse' ? schema.strict : schema.loose).safeParse(
    jsonIn(call.body, complain),
  );
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join('.') ?? '';
  throw new Refused(complain(400, `${field || 'the body'}: ${issue?.message ?? 'is not as it should be'}`, field));
}

/** Refuses with 415 what does not say that it carries JSON. */
function requireJson(call: Call, complain: Complaint): void {
  const type = call.headers['content-type'] ?? '';
  if (/^application\/json\s*(;|$)/i.test(type)) return;
  throw new Refused(because('send Content-Type: application/json', complain(415, 'the body must be application/json')));
}

function jsonIn(body: string, complain: Complaint): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Refused(complain(400, body === '' ? 'the body is missing' : 'the body is not JSON'));
  }
}
