import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';

import type { AwsCall } from '../access-control.ts';
import { ServiceRefusal, statusAfter, suffer, type Faults } from '../service-refusal.ts';
import { jsonRefusal } from '../signature/json-refusal.ts';
import { verifySignature } from '../signature/signature.ts';
import type { Credentials } from '../signature/signing-key.ts';
import type { QueueDescription } from '../template/description.ts';
import { createMoveTasks, type MoveTasks } from './move-tasks.ts';
import { sqsCall } from './sqs-call.ts';

export interface QueuesOptions {
  readonly credentials: Credentials;
  readonly region: string;
  readonly account: string;
  /** Told of each request before it is applied; what it throws refuses the request. */
  readonly record: (call: AwsCall) => void;
  readonly port?: number | undefined;
  /** Makes a request slow, or fail before or after it is applied. */
  readonly fault?: Faults | undefined;
}

export interface Queues {
  /** Without a slash at the end; a queue's URL is `<url>/<account>/<name>`. */
  readonly url: string;
  /** Creates the queues with their attributes; needs a key that `credentials` knows. */
  readonly create: (
    queues: readonly QueueDescription[],
    key: { readonly accessKeyId: string; readonly secretAccessKey: string },
  ) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** SQS on this machine, by fauxqs, with signatures checked; messages are in memory and gone when it closes. */
export async function startQueues(options: QueuesOptions): Promise<Queues> {
  const app = buildApp({ logger: false, host: '127.0.0.1', defaultRegion: options.region });
  const lost = new WeakMap<object, number>();
  let moveTasks: MoveTasks | undefined;
  app.addHook('preParsing', async ({ method, url, raw }, _reply, payload) => {
    const body = await buffer(payload);
    const { action, resource } = admit({ method, url, headers: raw.headersDistinct, body }, options);
    const fault = options.fault?.({ operation: action, resource });
    await suffer(fault, faultOf);
    const status = statusAfter(fault);
    if (status !== undefined) lost.set(raw, status);
    return Object.assign(Readable.from([body]), { receivedEncodedLength: body.length });
  });
  app.addHook('preHandler', async ({ raw, body }, reply) => {
    const answer = await moveTasks?.answer(operationOf(raw.headersDistinct), body);
    if (answer !== undefined) await reply.type('application/x-amz-json-1.0').send(JSON.stringify(answer));
  });
  app.addHook('onSend', async ({ raw }, reply, payload) => {
    const status = lost.get(raw);
    if (status === undefined) return payload;
    const answer = jsonRefusal(faultOf(status), '1.0');
    reply.code(status).headers({ ...answer.headers, 'content-length': Buffer.byteLength(answer.body) });
    return answer.body;
  });
  app.setErrorHandler((error, _request, reply) => {
    const answer = jsonRefusal(asRefusal(error), '1.0');
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  });
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  let sqs: SQSClient | undefined;

  return {
    url,
    create: async (queues, key) => {
      sqs = new SQSClient({ endpoint: url, region: options.region, credentials: key });
      for (const { name, attributes } of queues) {
        await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } }));
      }
      moveTasks = createMoveTasks(sqs, queues);
    },
    close: async () => {
      sqs?.destroy();
      await app.close();
    },
  };
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: NodeJS.Dict<string[]>;
  readonly body: Uint8Array;
}

/** Throws ServiceRefusal for a wrong signature, and what the recorder throws. */
function admit(request: Request, { credentials, region, account, record }: QueuesOptions): AwsCall {
  const verifier = { credentials, region, service: 'sqs', nowMs: Date.now() } as const;
  const { accessKeyId } = verifySignature(request, verifier, request.body);
  const operation = operationOf(request.headers);
  const call = sqsCall({ operation, body: request.body, accessKeyId, region, account });
  record(call);
  return call;
}

const operationOf = (headers: Request['headers']): string =>
  (headers['x-amz-target']?.[0] ?? '').replace(/^AmazonSQS\./, '');

const faultOf = (status: number): ServiceRefusal =>
  new ServiceRefusal(status, status === 503 ? 'ServiceUnavailable' : 'InternalFailure', 'Please try again.');

const asRefusal = (error: unknown): ServiceRefusal =>
  error instanceof ServiceRefusal
    ? error
    : new ServiceRefusal(500, 'InternalFailure', error instanceof Error ? error.message : String(error));
