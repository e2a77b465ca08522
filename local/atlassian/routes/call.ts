import type { IncomingHttpHeaders } from 'node:http';

import * as z from 'zod';

import type { CloudState } from '../engine/cloud-state.ts';
import type { DataCenterState } from '../engine/data-center.ts';
import type { Permission } from '../engine/state.ts';
import { type Answer, because, Refused } from './answer.ts';
import type { Switches } from './switches.ts';

export type Api = 'jira' | 'organisation' | 'user-management' | 'data-center' | 'site';

/** One method of one path. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the API's base; `{name}` stands for one segment. */
  readonly path: string;
  readonly api: Api;
  /** One sentence for the documentation. */
  readonly about: string;
  /** The query parameters that it has. */
  readonly query?: readonly string[];
  /** A POST that only reads; other methods than GET write. */
  readonly reads?: boolean;
  /** Shares the limit on user searches. */
  readonly userSearch?: boolean;
  /** Scoped credentials need all scopes of one of these sets. */
  readonly scopes?: readonly (readonly string[])[];
  readonly handle: (call: Call) => Answer;
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

/** What a request meets. */
export interface World {
  readonly cloud: CloudState;
  readonly dataCenter: DataCenterState;
  readonly behaviour: {
    readonly switches: Switches;
    /** The most that a page holds, whatever is asked for. */
    readonly pageSizes: { readonly groupBulk: number; readonly organisation: number };
  };
  /** Where the server listens. */
  readonly url: string;
}

/** Who calls, once the credentials are good. */
export interface Caller {
  /** Whose bucket it is. */
  readonly name: string;
  readonly may: (permission: Permission) => boolean;
}

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

/** A flag in the query. */
export function queryFlag(call: Call, name: string, complain: Complaint, otherwise = false): boolean {
  const value = queryValue(call, name, complain) ?? String(otherwise);
  if (value !== 'true' && value !== 'false') throw new Refused(complain(400, `${name} must be true or false`, name));
  return value === 'true';
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
  if (!/^application\/json\s*(;|$)/i.test(call.headers['content-type'] ?? '')) {
    const answer = complain(415, 'the body must be application/json');
    throw new Refused(because('send Content-Type: application/json', answer));
  }
  const expected = call.world.behaviour.switches.unknownFields === 'refuse' ? schema.strict : schema.loose;
  const parsed = expected.safeParse(jsonIn(call.body, complain));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join('.') ?? '';
  throw new Refused(complain(400, `${field || 'the body'}: ${issue?.message ?? 'is not as it should be'}`, field));
}

function jsonIn(body: string, complain: Complaint): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Refused(complain(400, body === '' ? 'the body is missing' : 'the body is not JSON'));
  }
}
