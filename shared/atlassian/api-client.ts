import type * as z from 'zod';

import type { Clock } from '../ports.ts';
import {
  createForeignError,
  createGatewayError,
  createRefusal,
  createShapeError,
  createSizeError,
  createTransportError,
  readErrorBody,
} from './answer-errors.ts';
import type { Answer, CallCount } from './apis.ts';
import { ENDPOINTS, fillPath, nameBudget, type Call, type Endpoint, type Query } from './endpoints.ts';
import { mapError } from './error-mapping.ts';
import { RateLimited } from './errors.ts';
import type { Http, HttpAnswer } from './http.ts';
import { isOwnAnswer } from './own-answer.ts';
import { readRateLimit } from './rate-limit-reading.ts';
import type { RateLimiters } from './rate-limiter.ts';

/** Where an API is, and how it knows us. */
export interface Access {
  /** Whose budgets the calls count against. */
  readonly target: string;
  readonly baseUrl: string;
  readonly authorization?: string | undefined;
  /** Never to appear in a message. */
  readonly secrets: readonly string[];
  /** What to check in the target's secret when something else answers there. */
  readonly checks: string;
}

/** What a call sends besides its method and credentials. */
export interface CallArguments {
  readonly path?: Readonly<Record<string, string>> | undefined;
  readonly query?: Query | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** A read, and the shape of a success's JSON. */
export interface ReadArguments<Value> extends CallArguments {
  readonly schema: z.ZodType<Value>;
}

/** One API of one target. All methods throw Refusal, RateLimited or NoAnswer. */
export interface ApiClient {
  readonly read: <Value>(call: Call, given: ReadArguments<Value>, signal: AbortSignal) => Promise<Value>;
  /** The same; `undefined` for 404, which says that there is none. */
  readonly find: <Value>(call: Call, given: ReadArguments<Value>, signal: AbortSignal) => Promise<Value | undefined>;
  readonly write: (call: Call, given: CallArguments, signal: AbortSignal) => Promise<Answer>;
  /** A write whose success may say in its JSON that it was none. */
  readonly writeAndRead: (
    call: Call,
    given: CallArguments,
    signal: AbortSignal,
  ) => Promise<{ readonly answer: Answer; readonly json: unknown }>;
}

export interface ApiClientOptions {
  readonly http: Http;
  readonly rateLimiters: RateLimiters;
  readonly clock: Clock;
  /** Epoch milliseconds after which no call should begin. */
  readonly deadlineMs: number;
  /** Awaited right before each call begins; throws what keeps it from beginning. */
  readonly beforeCall: () => Promise<void>;
  /** Addresses at which an API has answered this process. */
  readonly answered: Set<string>;
  /** Whether the target has answered before, whatever this process has seen. */
  readonly isKnown: () => Promise<boolean>;
}

/** Opens API clients that share one count of calls. */
export function createApiClients(options: ApiClientOptions): {
  readonly open: (access: Access) => ApiClient;
  readonly countCalls: () => CallCount;
} {
  const counter = { sent: 0, rateLimited: 0 };
  return {
    countCalls: () => ({ ...counter }),
    open: (access) => {
      const connection: Connection = { ...options, access, counter };
      return {
        read: async (call, given, signal) => {
          const answer = await sendWithRetries(connection, call, given, signal);
          return readSuccess(answer, { call, access, schema: given.schema });
        },
        find: async (call, given, signal) => {
          const answer = await sendWithRetries(connection, call, given, signal);
          return answer.status === 404 ? undefined : readSuccess(answer, { call, access, schema: given.schema });
        },
        write: async (call, given, signal) => (await write(connection, call, given, signal)).answer,
        writeAndRead: (call, given, signal) => write(connection, call, given, signal),
      };
    },
  };
}

interface Connection extends ApiClientOptions {
  readonly access: Access;
  readonly counter: { sent: number; rateLimited: number };
}

type Send = (connection: Connection, call: Call, given: CallArguments, signal: AbortSignal) => Promise<HttpAnswer>;

/** Sends one call within its budget; throws for everything that is no answer to it: 429, nothing sent, nothing heard. */
const send: Send = async (connection, call, given, signal) => {
  const { http, rateLimiters, clock, deadlineMs, beforeCall, access, counter } = connection;
  const { target, baseUrl, authorization } = access;
  const endpoint: Endpoint = ENDPOINTS[call];
  const { method, perSecond, to } = endpoint;
  const path = fillPath(endpoint.path, given.path ?? {}, given.query);
  const rateLimiter = rateLimiters.find({ target, endpoint: nameBudget(endpoint), perSecond });
  await rateLimiter.acquire(signal, deadlineMs);
  await beforeCall();
  const sentAtMs = clock.now().getTime();
  if (signal.aborted) throw createDeadlineError(sentAtMs);
  counter.sent += 1;
  const result = await http.send({ baseUrl, authorization, method, path, body: given.body }, signal);
  if (result.type !== 'answer') throw createTransportError(endpoint, result);
  const reading = readRateLimit(result.headers, clock.now().getTime());
  if (result.status === 429 || (result.status === 503 && reading.retryAtMs !== undefined)) {
    if (result.status === 429) counter.rateLimited += 1;
    throw new RateLimited(`Atlassian answered ${result.status} when asked to ${to}: too many calls`, {
      notBeforeMs: Math.ceil(rateLimiter.recordRefusal(reading, sentAtMs)),
      sent: true,
    });
  }
  rateLimiter.recordAnswer(reading, sentAtMs);
  await requireOwn(call, result, connection);
  return result;
};

/** Throws what an answer means that is not the API's own, and remembers where one was. */
async function requireOwn(call: Call, answer: HttpAnswer, { access, answered, isKnown }: Connection): Promise<void> {
  const { baseUrl, checks } = access;
  if (isOwnAnswer(call, answer)) {
    if (answer.status < 500) answered.add(baseUrl);
    return;
  }
  throw createForeignError(call, answer, { baseUrl, checks, isKnown: answered.has(baseUrl) || (await isKnown()) });
}

const createDeadlineError = (nowMs: number): RateLimited =>
  new RateLimited('The time for this batch is over; the call will be sent later', { notBeforeMs: nowMs, sent: false });

/** How often a look-up that was answered 429 goes again by itself: it is shared by a whole batch. */
const LOOK_UP_TRIES = 4;

/** Trying again only takes its turn in the budget: the rate limiter waits for as long as Atlassian asked, or says that the deadline comes first. */
const sendWithRetries: Send = async (...call) => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send(...call);
    } catch (error) {
      if (!(error instanceof RateLimited) || !error.sent || tries >= LOOK_UP_TRIES) throw error;
    }
  }
};

function readSuccess<Value>(
  answer: HttpAnswer,
  { call, access, schema }: { readonly call: Call; readonly access: Access; readonly schema: z.ZodType<Value> },
): Value {
  if (!isSuccess(answer)) throw createRefusal(call, answer, access);
  if (answer.body.type === 'too-large') throw createSizeError(call, answer);
  const parsed = schema.safeParse(answer.body.type === 'json' ? answer.body.value : undefined);
  if (!parsed.success) throw createShapeError(call, parsed.error);
  return parsed.data;
}

async function write(
  connection: Connection,
  call: Call,
  given: CallArguments,
  signal: AbortSignal,
): ReturnType<ApiClient['writeAndRead']> {
  const http = await send(connection, call, given, signal);
  const { status: httpStatus, traceId, body } = http;
  if (isSuccess(http)) {
    const json = body.type === 'json' ? body.value : undefined;
    return { answer: { status: 'changed', httpStatus, traceId }, json };
  }
  if (httpStatus === 502 || httpStatus === 504) throw createGatewayError(call, http);
  const { code } = mapError(call, httpStatus, readErrorBody(body));
  if (code === 'unchanged') return { answer: { status: 'unchanged', httpStatus, traceId }, json: undefined };
  throw createRefusal(call, http, { ...connection.access, uncertain: httpStatus >= 500 });
}

const isSuccess = ({ status }: HttpAnswer): boolean => status >= 200 && status < 300;
