import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

import type { AwsCall } from '../aws-call.ts';
import { jsonRefusal } from '../signature/json-refusal.ts';
import { ServiceRefusal } from '../service-refusal.ts';
import { verifySignature } from '../signature/signature.ts';
import type { Credentials } from '../signature/signing-key.ts';
import { openSecretFiles, type SecretFiles } from './secret-files.ts';
import { OPERATIONS } from './secret-operations.ts';

export interface SecretsOptions {
  readonly folder: string;
  readonly credentials: Credentials;
  readonly region: string;
  readonly account: string;
  /** Called once for each request whose signature holds; what it throws refuses the request. */
  readonly record: (call: AwsCall) => void;
  /** A free port when absent. */
  readonly port?: number | undefined;
  readonly now?: () => Date;
}

export interface RunningSecrets {
  readonly url: string;
  /** Gives the secret of this name this content, as JSON, whether or not it is there. */
  readonly put: (name: string, json: unknown) => void;
  readonly close: () => Promise<void>;
}

interface Server extends SecretsOptions {
  readonly files: SecretFiles;
  readonly now: () => Date;
}

/** A Secrets Manager over a folder, on loopback: the AWS JSON 1.1 protocol, signatures checked. */
export async function startSecrets(options: SecretsOptions): Promise<RunningSecrets> {
  const now = options.now ?? (() => new Date());
  const server: Server = { ...options, now, files: openSecretFiles({ ...options, now }) };
  const http = createServer((message, response) => void serve(server, message, response));
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = http.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    put: (name, json) => void server.files.put(name, JSON.stringify(json)),
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function serve(server: Server, message: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const answer = answerOf(server, message, await buffer(message));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
  } catch (error) {
    const { status, headers, body } = jsonRefusal(asRefusal(error));
    response.writeHead(status, headers).end(body);
  }
}

function answerOf(server: Server, message: IncomingMessage, body: Buffer): object {
  const { files, region, account, credentials } = server;
  const verified = verifySignature(
    { method: message.method ?? 'POST', url: message.url ?? '/', headers: message.headersDistinct },
    { credentials, region, service: 'secretsmanager', nowMs: server.now().getTime() },
    body,
  );
  const [, name = ''] = /^secretsmanager\.(\w+)$/.exec(String(message.headers['x-amz-target'])) ?? [];
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (!operation) throw new ServiceRefusal(501, 'UnknownOperationException', `This server does not implement ${name}.`);
  const context = { files, arnPrefix: `arn:aws:secretsmanager:${region}:${account}:secret:` };
  const { resource, run } = operation(context, jsonIn(body));
  const { accessKeyId } = verified;
  server.record({
    service: 'secretsmanager',
    action: `secretsmanager:${name}`,
    resource,
    accessKeyId,
    bytes: body.length,
  });
  return run();
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new ServiceRefusal(400, 'SerializationException', 'The body is not JSON.');
  }
}

const asRefusal = (error: unknown): ServiceRefusal =>
  error instanceof ServiceRefusal
    ? error
    : new ServiceRefusal(500, 'InternalServiceError', error instanceof Error ? error.message : String(error));
