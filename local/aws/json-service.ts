import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

import { ServiceRefusal } from './service-refusal.ts';
import { jsonRefusal } from './signature/json-refusal.ts';
import { verifySignature } from './signature/signature.ts';
import type { Credentials } from './signature/signing-key.ts';

/** How the services of the AWS JSON protocols are spoken to. */
const PROTOCOLS = {
  sqs: { version: '1.0', target: 'AmazonSQS' },
  secretsmanager: { version: '1.1', target: 'secretsmanager' },
} as const;

/** A request whose signature holds. */
export interface JsonRequest {
  /** As the service's API reference calls it, e.g. `GetSecretValue`. */
  readonly operation: string;
  readonly input: unknown;
  readonly accessKeyId: string;
  /** Length of the body. */
  readonly bytes: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly gone: AbortSignal;
}

export interface JsonServiceOptions {
  readonly service: keyof typeof PROTOCOLS;
  readonly credentials: Credentials;
  readonly region: string;
  /** A free port when absent. */
  readonly port?: number | undefined;
  readonly now: () => Date;
  /** The fields of the answer; throws ServiceRefusal. */
  readonly answer: (request: JsonRequest) => object | Promise<object>;
}

export interface JsonService {
  /** Without a slash at the end. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Starts a service on loopback that speaks AWS JSON and checks signatures. */
export async function startJsonService(options: JsonServiceOptions): Promise<JsonService> {
  const server = createServer((message, response) => void serve(options, message, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(options: JsonServiceOptions, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { version } = PROTOCOLS[options.service];
  try {
    const answer = await options.answer(readRequest(options, message, await buffer(message), gone.signal));
    response.writeHead(200, { 'content-type': `application/x-amz-json-${version}` }).end(JSON.stringify(answer));
  } catch (error) {
    const refusal = error instanceof ServiceRefusal ? error : unforeseen(error);
    const { status, headers, body } = jsonRefusal(refusal, version);
    response.writeHead(status, headers).end(body);
  }
}

function readRequest(
  { service, credentials, region, now }: JsonServiceOptions,
  message: IncomingMessage,
  body: Buffer,
  gone: AbortSignal,
): JsonRequest {
  const { accessKeyId } = verifySignature(
    { method: message.method ?? 'POST', url: message.url ?? '/', headers: message.headersDistinct },
    { credentials, region, service, nowMs: now().getTime() },
    body,
  );
  const [target, operation = ''] = String(message.headers['x-amz-target']).split('.');
  if (target !== PROTOCOLS[service].target) throw notImplemented(String(message.headers['x-amz-target']));
  return { operation, input: parseJson(body), accessKeyId, bytes: body.length, gone };
}

/** The refusal of an operation that an emulator does not have. */
export const notImplemented = (operation: string): ServiceRefusal =>
  new ServiceRefusal(501, 'UnknownOperationException', `This server does not implement ${operation}.`);

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new ServiceRefusal(400, 'SerializationException', 'The body is not JSON.');
  }
}

const unforeseen = (error: unknown): ServiceRefusal =>
  new ServiceRefusal(500, 'InternalServiceError', error instanceof Error ? error.message : String(error));
