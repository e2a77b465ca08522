import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { watchDisk, type Disk } from '../disk.ts';
import { ServiceRefusal, statusAfter, suffer, type Faults } from '../service-refusal.ts';
import { openBucket } from './bucket.ts';
import type { Created } from './bucket-state.ts';
import { storeRequest, xmlError, type Answer, type StoreRequest } from './http.ts';
import { answerRequest, type Store } from './operations.ts';

export interface ObjectStoreOptions extends Pick<Store, 'credentials' | 'region' | 'record'> {
  /** Where the buckets lie; one server at a time. */
  readonly folder: string;
  readonly buckets: readonly {
    readonly name: string;
    readonly versioned: boolean;
    /** Whether `created` is called for it; it is unless this is false. */
    readonly notifies?: boolean;
  }[];
  /** Called after an object has come until it succeeds, across restarts too: at least once. */
  readonly created: (created: Created) => Promise<void>;
  /** A free port when absent. */
  readonly port?: number | undefined;
  /** Makes a request slow, or fail before or after it runs. */
  readonly fault?: Faults | undefined;
  /** The disk that the folder is on; watched by itself when absent. */
  readonly disk?: Disk | undefined;
  readonly now?: () => Date;
}

export interface RunningObjectStore {
  readonly url: string;
  readonly close: () => Promise<void>;
}

type FaultyStore = Store & Pick<ObjectStoreOptions, 'fault'> & { readonly disk: Disk };

/** An S3 over a folder, on loopback: path-style, signatures checked, nothing lost by a kill, 501 for what it does not implement. */
export async function startObjectStore(options: ObjectStoreOptions): Promise<RunningObjectStore> {
  const buckets = new Map(
    options.buckets.map(({ name, versioned: isVersioned, notifies = true }) => {
      const notify = notifies ? options.created : undefined;
      return [name, openBucket({ folder: options.folder, name, isVersioned, notify })];
    }),
  );
  const store: FaultyStore = {
    now: () => new Date(),
    ...options,
    disk: options.disk ?? watchDisk({ folder: options.folder }),
    buckets,
  };
  const server = createServer((message, response) => void serve(store, message, response));
  // An upload may be slow; it is bounded by its signature's time and its size.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      for (const bucket of buckets.values()) await bucket.close();
    },
  };
}

async function serve(store: FaultyStore, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  let answer: Answer;
  try {
    answer = await answerOf(store, storeRequest(message));
  } catch (error) {
    answer = refusalAnswer(error, message, requestId);
  }
  try {
    await send(response, answer, requestId);
  } catch {
    // The body cannot be finished: whoever reads must see that it broke off.
    response.destroy();
  } finally {
    answer.release?.();
    drain(message);
  }
}

// What is left of a refused body goes by, so that the connection serves the next request.
function drain(message: IncomingMessage): void {
  message.removeAllListeners('readable');
  message.resume();
}

async function answerOf(store: FaultyStore, request: StoreRequest): Promise<Answer> {
  const fault = store.fault?.({ operation: request.method, resource: `${request.bucket}/${request.key}` });
  await suffer(fault, faultOf);
  const answer = await store.disk.serve(request.method, () => answerRequest(store, request));
  const status = statusAfter(fault);
  if (status === undefined) return answer;
  answer.release?.();
  throw faultOf(status);
}

function faultOf(status: number): ServiceRefusal {
  const code = { 409: 'ConditionalRequestConflict', 500: 'InternalError', 503: 'SlowDown' }[status] ?? 'InternalError';
  return new ServiceRefusal(status, code, 'We encountered an internal error. Please try again.');
}

function refusalAnswer(error: unknown, message: IncomingMessage, requestId: string): Answer {
  const refusal = error instanceof ServiceRefusal ? error : unforeseen(error);
  const headers = { 'content-type': 'application/xml' };
  if (message.method === 'HEAD') return { status: refusal.status, headers };
  const body = xmlError({ Code: refusal.code, Message: refusal.message, ...refusal.details, RequestId: requestId });
  return { status: refusal.status, headers, body };
}

const unforeseen = (error: unknown): ServiceRefusal =>
  new ServiceRefusal(500, 'InternalError', error instanceof Error ? error.message : String(error));

async function send(response: ServerResponse, answer: Answer, requestId: string): Promise<void> {
  const { status, headers, body } = answer;
  response.writeHead(status, { server: 'AmazonS3', 'x-amz-request-id': requestId, ...lengthOf(answer), ...headers });
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) response.end(body);
  else await pipeline(Readable.from(body), response);
}

const lengthOf = ({ status, body = '' }: Answer) =>
  status !== 204 && status !== 304 && (typeof body === 'string' || body instanceof Uint8Array)
    ? { 'content-length': Buffer.byteLength(body) }
    : {};
