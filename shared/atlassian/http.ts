import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { Agent, ProxyAgent, request as undiciRequest, type Dispatcher } from 'undici';

import type { Headers } from './rate-limit-reading.ts';

/** One request, ready to be sent. */
export interface HttpRequest {
  /** Origin and any context path, without a slash at its end. */
  readonly baseUrl: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Begins with a slash; every value in it is encoded already. */
  readonly path: string;
  readonly authorization?: string | undefined;
  /** Sent as JSON; absent for no body at all. */
  readonly body?: unknown;
}

/** The body of an answer, read as JSON where it is. */
export type Body =
  | { readonly type: 'none' }
  | { readonly type: 'json'; readonly value: unknown }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'too-large' };

/** An answer of whatever status. */
export interface HttpAnswer {
  readonly type: 'answer';
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
  readonly traceId?: string | undefined;
}

/** Certainly nothing was sent, or it was (perhaps) and no whole answer came. */
export interface HttpFailure {
  readonly type: 'not-sent' | 'broken';
  readonly cause: unknown;
}

export interface Http {
  readonly send: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer | HttpFailure>;
  readonly close: () => Promise<void>;
}

export interface HttpOptions {
  /** Bytes of one answer. */
  readonly responseLimitBytes: number;
  /** Connections kept to one host, each with one call under way. */
  readonly connections: number;
  /** The URL of a proxy that the calls go through. */
  readonly proxy?: string | undefined;
  /** Tests bring their own. */
  readonly dispatcher?: Dispatcher | undefined;
}

/** JSON over a keep-alive pool a host. Never throws for what the network does, follows no redirect, and reads no more than the limit. */
export function createHttp({ responseLimitBytes, connections, proxy, dispatcher }: HttpOptions): Http {
  const pool = dispatcher ?? createPool(connections, proxy);
  return {
    close: () => pool.close(),
    send: async (request, signal) => {
      try {
        return await exchange(pool, { request, signal, responseLimitBytes });
      } catch (cause) {
        return { type: wasNeverSent(cause) ? 'not-sent' : 'broken', cause };
      }
    },
  };
}

function createPool(connections: number, proxy: string | undefined): Dispatcher {
  // The signal of a request is the only time-out: it ends at the function's deadline.
  const options = { connections, allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  // By a tunnel, so that the proxy sees a host name and no credentials.
  return proxy === undefined ? new Agent(options) : new ProxyAgent({ ...options, uri: proxy, proxyTunnel: true });
}

interface Exchange {
  readonly request: HttpRequest;
  readonly signal: AbortSignal;
  readonly responseLimitBytes: number;
}

async function exchange(
  dispatcher: Dispatcher,
  { request, signal, responseLimitBytes }: Exchange,
): Promise<HttpAnswer> {
  const { baseUrl, method, path, body } = request;
  const answer = await undiciRequest(baseUrl + path, {
    dispatcher,
    method,
    headers: listHeaders(request),
    signal,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const sent = await readUpTo(responseLimitBytes, answer.body);
  const bytes = sent && decode(sent, answer.headers['content-encoding'], responseLimitBytes);
  return {
    type: 'answer',
    status: answer.statusCode,
    headers: answer.headers,
    body: bytes === undefined ? { type: 'too-large' } : parseBody(bytes.toString('utf8')),
    traceId: findTraceId(answer.headers),
  };
}

/** `X-Atlassian-Token: no-check` cures "XSRF check failed" for clients that are no browser (support.atlassian.com). */
const listHeaders = ({ authorization, body }: HttpRequest): Record<string, string> => ({
  accept: 'application/json',
  'user-agent': 'rollcall',
  'x-atlassian-token': 'no-check',
  ...(authorization !== undefined && { authorization }),
  ...(body !== undefined && { 'content-type': 'application/json' }),
});

/** The body, or `undefined` when it is longer. */
async function readUpTo(limitBytes: number, body: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the stream, and with it the connection that still carries the rest.
  for await (const part of body) {
    bytes += part.length;
    if (bytes > limitBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}

const DECODERS: Readonly<Record<string, (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
};

/** What was encoded on its way, as proxies do unasked; `undefined` when it is longer than the limit. Throws for what is not encoded as it says. */
function decode(
  bytes: Buffer,
  encoding: string | readonly string[] | undefined,
  limitBytes: number,
): Buffer | undefined {
  const names = (typeof encoding === 'string' ? encoding.split(',') : (encoding ?? [])).map((name) =>
    name.trim().toLowerCase(),
  );
  try {
    return names.reduceRight(
      (decoded, name) => DECODERS[name]?.(decoded, { maxOutputLength: limitBytes }) ?? decoded,
      bytes,
    );
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parseBody(text: string): Body {
  if (text.trim() === '') return { type: 'none' };
  try {
    return { type: 'json', value: JSON.parse(text) as unknown };
  } catch {
    return { type: 'text', text }; // HTML of a proxy, or JSON cut short: its status still tells something
  }
}

/** Headers in which Atlassian's products name a request: its support asks for this. */
const TRACE_HEADERS = ['atl-traceid', 'x-arequestid', 'x-trace-id'];

function findTraceId(headers: Headers): string | undefined {
  const values = TRACE_HEADERS.map((name) => headers[name]).map((value) =>
    typeof value === 'string' ? value : value?.[0],
  );
  return values.find((value) => value !== undefined && /^[\x21-\x7e]{1,128}$/.test(value));
}

/** Failures of looking up, connecting and greeting: the request itself was not written. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_CLOSED',
]);

/** What undici says of a proxy that opens no tunnel; its code is that of every request which is broken off. */
const NO_TUNNEL = /^Proxy response \(\d+\) !== 200/;

function wasNeverSent(cause: unknown): boolean {
  if (cause instanceof Error && NO_TUNNEL.test(cause.message)) return true;
  const { code, syscall, errors } = describeFailure(cause);
  if (errors.length > 0) return errors.every(wasNeverSent); // one for each address that was tried
  if (code === undefined) return false;
  return (
    BEFORE_SENDING.has(code) ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    /^(CERT_|ERR_TLS_|DEPTH_ZERO_|UNABLE_TO_|SELF_SIGNED_)/.test(code)
  );
}

function describeFailure(cause: unknown): {
  readonly code?: string | undefined;
  readonly syscall?: string | undefined;
  readonly errors: readonly unknown[];
} {
  if (!(cause instanceof Error)) return { errors: [] };
  const text = (name: 'code' | 'syscall'): string | undefined => {
    const value: unknown = Reflect.get(cause, name);
    return typeof value === 'string' ? value : undefined;
  };
  return { code: text('code'), syscall: text('syscall'), errors: cause instanceof AggregateError ? cause.errors : [] };
}
