import type { Clock } from '../ports.ts';
import { fillPath, type Query } from './request-path.ts';
import { mapError } from './error-mapping.ts';
import type { Answer, CallCount } from './apis.ts';
import { budgetOf, ENDPOINTS, type Call, type Endpoint } from './endpoints.ts';
import { NoAnswer, RateLimited, Refusal } from './errors.ts';
import type { Http, HttpAnswer } from './http.ts';
import { readRateLimit } from './rate-limit-reading.ts';
import type { RateLimiters } from './rate-limiter.ts';
import { quoteErrorBody, readErrorBody } from './error-body.ts';

/** Where an API is, and how it knows us. */
export interface Access {
  /** Whose budgets the calls count against. */
  readonly target: string;
  readonly baseUrl: string;
  readonly authorization?: string | undefined;
  /** Never to appear in a message. */
  readonly secrets: readonly string[];
}

export interface CallArguments {
  readonly path?: Readonly<Record<string, string>> | undefined;
  readonly query?: Query | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** One API of one target. All methods throw Refusal, RateLimited or NoAnswer. */
export interface ApiClient {
  /** The JSON of a success; `undefined` for 404 where the call says that this is an answer. */
  readonly read: (
    call: Call,
    given: CallArguments & { readonly missing?: 'undefined' | undefined },
    signal: AbortSignal,
  ) => Promise<unknown>;
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
  readonly gate: () => Promise<void>;
}

/** How often a look-up that was answered 429 goes again by itself: it is shared by a whole batch. */
const LOOK_UP_TRIES = 4;

/** Opens API clients that share one count of calls. */
export function createApiClients(options: ApiClientOptions): {
  readonly open: (access: Access) => ApiClient;
  readonly calls: () => CallCount;
} {
  const counter = { sent: 0, rateLimited: 0 };
  return {
    calls: () => ({ ...counter }),
    open: (access) => {
      const send = createSend({ ...options, access, counter });
      const writeAndRead = createWrite(send, access);
      return {
        read: createRead(send, access),
        write: async (call, given, signal) => (await writeAndRead(call, given, signal)).answer,
        writeAndRead,
      };
    },
  };
}

type Send = (call: Call, given: CallArguments, signal: AbortSignal) => Promise<HttpAnswer>;

/** Sends one call within its budget; throws for everything that is no answer to it: 429, nothing sent, nothing heard. */
function createSend(
  options: ApiClientOptions & { readonly access: Access; readonly counter: { sent: number; rateLimited: number } },
): Send {
  const { http, rateLimiters, clock, deadlineMs, gate, access, counter } = options;
  return async (call, given, signal) => {
    const endpoint: Endpoint = ENDPOINTS[call];
    const path = fillPath(endpoint.path, given.path ?? {}, given.query);
    const rateLimiter = rateLimiters.find({
      target: access.target,
      endpoint: budgetOf(endpoint),
      perSecond: endpoint.perSecond,
    });
    await rateLimiter.acquire(signal, deadlineMs);
    await gate();
    const sentAtMs = clock.now().getTime();
    if (signal.aborted) throw createOutOfTimeError(sentAtMs);
    counter.sent += 1;
    const { baseUrl, authorization } = access;
    const result = await http.send({ baseUrl, authorization, method: endpoint.method, path, body: given.body }, signal);
    if (result.type !== 'answer') throw unheard(result, endpoint);
    const reading = readRateLimit(result.headers, clock.now().getTime());
    if (result.status === 429 || (result.status === 503 && reading.retryAtMs !== undefined)) {
      if (result.status === 429) counter.rateLimited += 1;
      throw new RateLimited(`Atlassian answered ${result.status} to the call to ${endpoint.to}: too many calls`, {
        notBeforeMs: Math.ceil(rateLimiter.recordRefusal(reading, sentAtMs)),
        sent: true,
      });
    }
    rateLimiter.recordAnswer(reading, sentAtMs);
    return result;
  };
}

const createOutOfTimeError = (nowMs: number): RateLimited =>
  new RateLimited('The time for this batch is over; the call will be sent later', { notBeforeMs: nowMs, sent: false });

function createRead(send: Send, access: Access): ApiClient['read'] {
  return async (call, given, signal) => {
    const answer = await tryAgainWhenLimited(() => send(call, given, signal));
    if (answer.status === 404 && given.missing === 'undefined') return undefined;
    if (!succeeded(answer)) throw refused(call, answer, access);
    return jsonOf(call, answer);
  };
}

/** Trying again only takes its turn in the budget: the rate limiter waits for as long as Atlassian asked, or says that the deadline comes first. */
async function tryAgainWhenLimited(send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof RateLimited) || !error.sent || tries >= LOOK_UP_TRIES) throw error;
    }
  }
}

function createWrite(send: Send, access: Access): ApiClient['writeAndRead'] {
  return async (call, given, signal) => {
    const http = await send(call, given, signal);
    const { status: httpStatus, traceId } = http;
    if (succeeded(http)) {
      // A page in place of an API's answer comes from something in between: what became of the call is not known.
      if (http.body.type === 'text' && /^\s*</.test(http.body.text)) throw unclear(call, http);
      return {
        answer: { status: 'changed', httpStatus, traceId },
        json: http.body.type === 'json' ? http.body.value : undefined,
      };
    }
    if (httpStatus === 502 || httpStatus === 504) throw unclear(call, http);
    const { code } = mapError(call, httpStatus, readErrorBody(http.body));
    if (code === 'unchanged') return { answer: { status: 'unchanged', httpStatus, traceId }, json: undefined };
    throw refused(call, http, access, { uncertain: httpStatus >= 500 });
  };
}

const succeeded = ({ status }: HttpAnswer): boolean => status >= 200 && status < 300;

function jsonOf(call: Call, { status, body, traceId }: HttpAnswer): unknown {
  if (body.type === 'json') return body.value;
  const { to } = ENDPOINTS[call];
  if (body.type === 'too-large') {
    throw new Refusal(
      'REQUEST_REFUSED',
      `Atlassian's answer to the call to ${to} is larger than this stage allows; raise its response limit.`,
      { httpStatus: status, traceId },
    );
  }
  throw new Refusal('ATLASSIAN_ERROR', `Atlassian's answer to the call to ${to} is not the JSON that was expected.`, {
    httpStatus: status,
    traceId,
  });
}

function refused(call: Call, answer: HttpAnswer, access: Access, { uncertain = false } = {}): Refusal {
  const { status, headers, body, traceId } = answer;
  const details = { httpStatus: status, traceId, uncertain };
  const answered = `Atlassian answered ${status} to the call to ${ENDPOINTS[call].to}`;
  if (status >= 300 && status < 400) {
    const host = hostOf(headers['location'], access.baseUrl);
    return new Refusal(
      'REQUEST_REFUSED',
      `${answered}: a redirect${host}, which is not followed. Correct the address in the target's secret.`,
      details,
    );
  }
  const errorBody = readErrorBody(body);
  const { code, hint } = mapError(call, status, errorBody);
  const words = quoteErrorBody(errorBody, access.secrets);
  return new Refusal(
    code === 'unchanged' ? 'REQUEST_REFUSED' : code, // only a write can come out unchanged
    [words === '' ? `${answered}.` : `${answered}: "${words}".`, hint].filter(Boolean).join(' '),
    details,
  );
}

function hostOf(location: string | readonly string[] | undefined, baseUrl: string): string {
  const text = typeof location === 'string' ? location : location?.[0];
  return text !== undefined && URL.canParse(text, baseUrl) ? ` to ${new URL(text, baseUrl).host}` : '';
}

function unclear(call: Call, { status }: HttpAnswer): NoAnswer {
  return new NoAnswer(
    `Something between here and Atlassian answered ${status} to the call to ${ENDPOINTS[call].to}; whether it was carried out has to be read back.`,
  );
}

function unheard(
  result: { readonly type: 'not-sent' | 'broken'; readonly cause: unknown },
  endpoint: Endpoint,
): Refusal | NoAnswer {
  const { cause } = result;
  const reason = reasonOf(cause);
  if (result.type === 'not-sent') {
    return new Refusal('ATLASSIAN_ERROR', `Atlassian could not be reached to ${endpoint.to} (${reason}).`, { cause });
  }
  const message = `No whole answer came to the call to ${endpoint.to} (${reason}).`;
  return endpoint.access === 'write' ? new NoAnswer(message, { cause }) : new Refusal('TIMED_OUT', message, { cause });
}

/** The failure's stable code; its own words may name addresses. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'aborted';
  const code: unknown = Reflect.get(cause, 'code');
  return typeof code === 'string' ? code : cause.name;
}
