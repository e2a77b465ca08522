import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { AwsCall } from '../access-control.ts';
import { ServiceRefusal, statusAfter, suffer, type Faults } from '../service-refusal.ts';
import { verifySignature } from '../signature/signature.ts';
import type { Credentials, Verifier } from '../signature/signing-key.ts';
import { xmlAnswer, type Answer } from './answer.ts';
import { openBucket, type Bucket } from './bucket.ts';
import type { Created } from './bucket-record.ts';
import { checkImplemented } from './implemented.ts';
import { startNotifications, type Notifications } from './notifications.ts';
import { operationOf } from './operations.ts';
import { postObject } from './post-object.ts';
import { header, storeRequest, type StoreRequest } from './request.ts';
import { xmlError } from './xml.ts';

export interface ObjectStoreOptions {
  /** Where the buckets lie; one server at a time. */
  readonly folder: string;
  readonly buckets: readonly {
    readonly name: string;
    readonly versioned: boolean;
    /** Whether `created` is called for it; it is unless this is false. */
    readonly notifies?: boolean;
  }[];
  readonly credentials: Credentials;
  readonly region: string;
  /** Called once for each request whose signature holds; what it throws refuses the request. */
  readonly record: (call: AwsCall) => void;
  /** Called after an object has come until it succeeds, across restarts too: at least once. */
  readonly created: (created: Created) => Promise<void>;
  /** A free port when absent. */
  readonly port?: number | undefined;
  /** Makes a request slow, or fail before or after it is applied. */
  readonly fault?: Faults | undefined;
  readonly now?: () => Date;
}

export interface RunningObjectStore {
  readonly url: string;
  readonly close: () => Promise<void>;
}

interface Store extends ObjectStoreOptions {
  readonly open: ReadonlyMap<string, Bucket>;
  readonly notifications: Notifications;
  readonly now: () => Date;
}

/** An S3 over a folder, on loopback: path-style, signatures checked, nothing lost by a kill, 501 for what it does not implement. */
export async function startObjectStore(options: ObjectStoreOptions): Promise<RunningObjectStore> {
  const store = openStore(options);
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
      await store.notifications.close();
      for (const bucket of store.open.values()) bucket.close();
    },
  };
}

function openStore(options: ObjectStoreOptions): Store {
  const open = new Map(
    options.buckets.map(({ name, versioned, notifies = true }) => [
      name,
      openBucket({ folder: options.folder, name, isVersioned: versioned, notifies }),
    ]),
  );
  const notifications = startNotifications(options.created);
  for (const bucket of open.values())
    for (const created of bucket.state.untold()) notifications.announce(bucket, created);
  return { now: () => new Date(), ...options, open, notifications };
}

async function serve(store: Store, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  let answer: Answer;
  try {
    answer = await answerOf(store, storeRequest(message), message);
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

async function answerOf(store: Store, request: StoreRequest, message: IncomingMessage): Promise<Answer> {
  const fault = store.fault?.({ operation: request.method, resource: `${request.bucket}/${request.key}` });
  await suffer(fault, faultOf);
  const answer = await carriedOut(store, request, message);
  const status = statusAfter(fault);
  if (status === undefined) return answer;
  answer.release?.();
  throw faultOf(status);
}

async function carriedOut(store: Store, request: StoreRequest, message: IncomingMessage): Promise<Answer> {
  const verifier = {
    credentials: store.credentials,
    region: store.region,
    service: 's3',
    nowMs: store.now().getTime(),
  } as const;
  if (isForm(request)) return answerForm(store, request, verifier);
  const verified = await verifySignature(
    { method: request.method, url: message.url ?? '/', headers: message.headersDistinct },
    verifier,
  );
  const { accessKeyId } = verified;
  if (request.bucket === '') return answerService(store, request, accessKeyId);
  const context = contextOf(store, request);
  const { action, besides, run } = operationOf({ context, request, verified, region: store.region });
  recordCall(store, request, { action, accessKeyId, besides });
  return run();
}

const isForm = (request: StoreRequest): boolean =>
  request.method === 'POST' &&
  request.key === '' &&
  (header(request, 'content-type') ?? '').startsWith('multipart/form-data');

function answerForm(store: Store, request: StoreRequest, verifier: Verifier): Promise<Answer> {
  const allowed = (accessKeyId: string, key: string): void =>
    recordCall(store, { ...request, key }, { action: 'PutObject', accessKeyId });
  return postObject(contextOf(store, request), request, { verifier, allowed });
}

// ListBuckets is all that the service itself is asked for.
function answerService(store: Store, request: StoreRequest, accessKeyId: string): Answer {
  checkImplemented(request, []);
  if (request.method !== 'GET')
    throw new ServiceRefusal(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');
  recordCall(store, { ...request, bucket: '*' }, { action: 'ListAllMyBuckets', accessKeyId });
  const bucket = [...store.open.keys()].map((Name) => ({ Name, CreationDate: new Date(0).toISOString() }));
  return xmlAnswer('ListAllMyBucketsResult', { Owner: { ID: accessKeyId }, Buckets: { Bucket: bucket } });
}

function contextOf(store: Store, { bucket: name }: StoreRequest) {
  const bucket = store.open.get(name);
  if (!bucket)
    throw new ServiceRefusal(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: name });
  return { bucket, now: store.now, announce: store.notifications.announce };
}

function recordCall(
  store: Store,
  request: StoreRequest,
  call: Pick<AwsCall, 'action' | 'accessKeyId' | 'besides'>,
): void {
  const length = header(request, 'x-amz-decoded-content-length') ?? header(request, 'content-length');
  store.record({
    service: 's3',
    ...call,
    action: `s3:${call.action}`,
    resource: `arn:aws:s3:::${request.bucket}${request.key === '' ? '' : `/${request.key}`}`,
    ...(length !== undefined && { bytes: Number(length) }),
  });
}

function faultOf(status: number): ServiceRefusal {
  const code = { 409: 'ConditionalRequestConflict', 500: 'InternalError', 503: 'SlowDown' }[status] ?? 'InternalError';
  return new ServiceRefusal(status, code, 'We encountered an internal error. Please try again.');
}

function refusalAnswer(error: unknown, message: IncomingMessage, requestId: string): Answer {
  const refusal = error instanceof ServiceRefusal ? error : unforeseen(error);
  const headers = { 'content-type': 'application/xml' };
  const hasNoBody = message.method === 'HEAD';
  if (hasNoBody) return { status: refusal.status, headers };
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
