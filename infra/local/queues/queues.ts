import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';

import type { AwsCall } from '../aws-call.ts';
import { jsonRefusal } from '../signature/json-refusal.ts';
import { ServiceRefusal } from '../signature/refusal.ts';
import { verifySignature } from '../signature/signature.ts';
import type { Credentials } from '../signature/signing-key.ts';
import type { QueueDescription } from '../template/description.ts';
import { sqsCall } from './sqs-call.ts';

export interface QueuesOptions {
  readonly credentials: Credentials;
  readonly region: string;
  readonly account: string;
  /** Told of each request before it is carried out; what it throws refuses the request. */
  readonly record: (call: AwsCall) => void;
  readonly port?: number | undefined;
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
  app.addHook('preParsing', async ({ method, url, raw }, _reply, payload) => {
    const body = await buffer(payload);
    admit({ method, url, headers: raw.headersDistinct, body }, options);
    return Object.assign(Readable.from([body]), { receivedEncodedLength: body.length });
  });
  app.setErrorHandler((error, _request, reply) => {
    const answer = jsonRefusal(asRefusal(error), '1.0');
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  });
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });

  return {
    url,
    create: async (queues, key) => {
      const sqs = new SQSClient({ endpoint: url, region: options.region, credentials: key });
      for (const { name, attributes } of queues) {
        await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } }));
      }
      sqs.destroy();
    },
    close: () => app.close(),
  };
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: NodeJS.Dict<string[]>;
  readonly body: Uint8Array;
}

function admit(request: Request, { credentials, region, account, record }: QueuesOptions): void {
  const verifier = { credentials, region, service: 'sqs', nowMs: Date.now() } as const;
  const { accessKeyId } = verifySignature(request, verifier, request.body);
  record(
    sqsCall({
      operation: request.headers['x-amz-target']?.[0] ?? '',
      body: request.body,
      accessKeyId,
      region,
      account,
    }),
  );
}

const asRefusal = (error: unknown): ServiceRefusal =>
  error instanceof ServiceRefusal
    ? error
    : new ServiceRefusal(500, 'InternalFailure', error instanceof Error ? error.message : String(error));
