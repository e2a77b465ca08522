import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ServiceRefusal } from './service-refusal.ts';
import { verifySignature } from './signature/signature.ts';
import type { Credentials } from './signature/signing-key.ts';

/** What a service of an AWS JSON protocol is asked, by somebody whose signature holds. */
export interface JsonCall {
  /** As the target names it, without the service. */
  readonly operation: string;
  readonly input: unknown;
  readonly accessKeyId: string;
  readonly bytes: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly gone: AbortSignal;
}

export interface JsonServiceOptions {
  readonly service: 'sqs' | 'secretsmanager';
  readonly protocol: '1.0' | '1.1';
  readonly credentials: Credentials;
  readonly region: string;
  /** A free port when absent. */
  readonly port?: number | undefined;
  readonly nowMs: () => number;
  /** What stands in a refusal's headers besides. */
  readonly refusalHeaders?: (refusal: ServiceRefusal) => Readonly<Record<string, string>>;
  /** Gives the answer's fields; throws ServiceRefusal. */
  readonly answer: (call: JsonCall) => object | Promise<object>;
}

/** An AWS service on loopback that speaks JSON, signatures checked. */
export function startJsonService(
  options: JsonServiceOptions,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  return listen((message, response) => void serve(options, message, response), options.port);
}

/** An HTTP server on loopback, on a free port unless one is given. */
export async function listen(
  serveRequest: (message: IncomingMessage, response: ServerResponse) => void,
  givenPort = 0,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const http = createServer(serveRequest);
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject).listen(givenPort, '127.0.0.1', resolve);
  });
  const { port } = http.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function serve(options: JsonServiceOptions, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => response.writableFinished || gone.abort());
  const answer = await readCall(options, message, gone.signal)
    .then(options.answer)
    .then(
      (fields) => ({ status: 200, body: JSON.stringify(fields), headers: {} }),
      (error: unknown) => {
        const refusal = asRefusal(error);
        const refused = jsonRefusal(refusal, options.protocol);
        return { ...refused, headers: { ...refused.headers, ...options.refusalHeaders?.(refusal) } };
      },
    );
  response.writeHead(answer.status, {
    'content-type': `application/x-amz-json-${options.protocol}`,
    // Not in chunks, which would be sent one by one.
    'content-length': Buffer.byteLength(answer.body),
    'x-amzn-requestid': randomUUID(),
    ...answer.headers,
  });
  response.end(answer.body);
}

async function readCall(options: JsonServiceOptions, message: IncomingMessage, gone: AbortSignal): Promise<JsonCall> {
  const { credentials, region, service, nowMs } = options;
  const body = await readBody(message);
  const { accessKeyId } = await verifySignature(
    { method: message.method ?? 'POST', url: message.url ?? '/', headers: message.headersDistinct },
    { credentials, region, service, nowMs: nowMs() },
    body,
  );
  const [, operation = ''] = /\.(\w+)$/.exec(String(message.headers['x-amz-target'])) ?? [];
  return { operation, input: parseJson(body), accessKeyId, bytes: body.length, gone };
}

/** The whole body of a request. */
export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer); // no encoding is set
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    const message =
      'The body is not JSON. Clients from before 2024 speak the Query protocol to SQS, which this server does not.';
    throw new ServiceRefusal(400, 'SerializationException', message);
  }
}

/** An operation that the real service may have; the message says which. */
export const notImplemented = (operation: string): ServiceRefusal =>
  new ServiceRefusal(501, 'UnknownOperationException', `This server does not implement ${operation}.`);

/** What a request is refused with: our own words, or that the service failed. */
export const asRefusal = (error: unknown): ServiceRefusal =>
  error instanceof ServiceRefusal
    ? error
    : new ServiceRefusal(500, 'InternalFailure', error instanceof Error ? error.message : String(error));

interface JsonAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How services of the AWS JSON protocols say what S3 says in XML about signatures; other codes stay as they are. (Secrets Manager API, common errors.) */
const CODES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  SignatureDoesNotMatch: [
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ],
  RequestTimeTooSkewed: ['InvalidSignatureException', 'Signature not yet current or expired.'],
  InvalidAccessKeyId: ['UnrecognizedClientException', 'The security token included in the request is invalid.'],
  AuthorizationHeaderMalformed: ['IncompleteSignatureException', 'The Authorization header is malformed.'],
  AccessDenied: ['MissingAuthenticationTokenException', 'Missing Authentication Token'],
};

/** A refusal as an answer of AWS JSON 1.0 or 1.1. */
export function jsonRefusal(refusal: ServiceRefusal, protocol: '1.0' | '1.1' = '1.1'): JsonAnswer {
  const [code, message] = CODES[refusal.code] ?? [refusal.code, refusal.message];
  return {
    status: refusal.status === 403 ? 400 : refusal.status,
    headers: { 'content-type': `application/x-amz-json-${protocol}`, 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message, Message: message }),
  };
}
