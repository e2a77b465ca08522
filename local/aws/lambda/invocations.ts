import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AwsCall } from '../access-control.ts';
import { asRefusal, listen, readBody } from '../json-service.ts';
import { badRequest, notFound, ServiceRefusal } from '../service-refusal.ts';
import { verifySignature } from '../signature/signature.ts';
import type { Credentials } from '../signature/signing-key.ts';
import { decodePart, splitUrl } from '../signature/url.ts';
import type { LocalFunction } from './function-pool.ts';
import { InvocationFailed } from './function-process.ts';

export interface InvocationsOptions {
  readonly functions: readonly LocalFunction[];
  readonly credentials: Credentials;
  readonly region: string;
  /** A free port when absent. */
  readonly port?: number | undefined;
  /** Called once for each request whose signature holds; what it throws refuses the request. */
  readonly record: (call: AwsCall) => void;
}

/** Lambda's Invoke on loopback: signatures are checked, and the answer waits for the function. Nothing else of Lambda's API is there. */
export const startInvocations = (
  options: InvocationsOptions,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> =>
  listen((message, response) => void serve(options, message, response), options.port);

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

async function serve(options: InvocationsOptions, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, headers, body } = await answerInvoke(options, message).catch(refuse);
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-amzn-requestid': randomUUID(),
    'x-amz-executed-version': '$LATEST',
    ...headers,
  });
  response.end(JSON.stringify(body));
}

async function answerInvoke(options: InvocationsOptions, message: IncomingMessage): Promise<Answer> {
  const { credentials, region, record } = options;
  const body = await readBody(message);
  const { method = 'POST', url = '/', headersDistinct: headers } = message;
  const verifier = { credentials, region, service: 'lambda', nowMs: Date.now() } as const;
  const { accessKeyId } = await verifySignature({ method, url, headers }, verifier, body);
  const { lambda, alias } = find(options, message);
  const { arn } = lambda.description;
  const resource = alias === undefined ? arn : `${arn}:${alias}`;
  record({ service: 'lambda', action: 'lambda:InvokeFunction', resource, accessKeyId, bytes: body.length });
  return lambda.invoke(parsePayload(body), alias).then((result) => ({ status: 200, body: result }), failedAnswer);
}

/** The function's name or ARN, and an alias behind it or in the query. (Lambda API reference, Invoke.) */
const PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
const ARN = /^arn:aws:lambda:[^:]*:\d*:function:/;

function find(
  { functions }: InvocationsOptions,
  { method, url = '/', headers }: IncomingMessage,
): { readonly lambda: LocalFunction; readonly alias: string | undefined } {
  const { path, query } = splitUrl(url);
  const [, invoked] = PATH.exec(path) ?? [];
  if (method !== 'POST' || invoked === undefined)
    throw new ServiceRefusal(501, 'NotImplemented', `This server does not implement ${method} ${url}.`);
  const type = headers['x-amz-invocation-type'] ?? 'RequestResponse';
  if (type !== 'RequestResponse')
    throw new ServiceRefusal(
      501,
      'NotImplemented',
      `This server does not implement invocations of type ${String(type)}.`,
    );
  const [name, alias = query.get('Qualifier') ?? undefined] = decodePart(invoked).replace(ARN, '').split(':');
  const lambda = functions.find(({ description }) => description.name === name);
  if (lambda && (alias === undefined || lambda.description.aliases.includes(alias))) return { lambda, alias };
  throw notFound('ResourceNotFoundException', `Function not found: ${decodePart(invoked)}`);
}

function parsePayload(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString());
  } catch {
    throw badRequest('InvalidRequestContentException', 'Could not parse request body into json');
  }
}

/** A function that failed is answered with 200 and a header that says so. */
function failedAnswer(error: unknown): Answer {
  if (!(error instanceof InvocationFailed)) throw error;
  if (error.code === 'Throttled') throw new ServiceRefusal(429, 'TooManyRequestsException', 'Rate Exceeded.');
  const headers = { 'x-amz-function-error': 'Unhandled' };
  return { status: 200, headers, body: { errorType: error.code, errorMessage: error.message } };
}

function refuse(error: unknown): Answer {
  const { status, code, message } = asRefusal(error);
  return { status, headers: { 'x-amzn-errortype': code }, body: { Type: 'User', message } };
}
