import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import type { Clock } from '../../../shared/ports.ts';
import { createCloud } from '../engine/cloud-state.ts';
import { createDataCenter } from '../engine/data-center.ts';
import type { EnginePorts } from '../engine/propagation.ts';
import { type StateInput, stateSchema } from '../engine/state.ts';
import type { Answer } from '../routes/answer.ts';
import { type Seed, seededState, type SimulatorTargets, targetsAt } from '../seeds/seed.ts';
import { defaultBehaviour } from './behaviour.ts';
import { CONTROL_PREFIX, type Controlled, type ServedWorld } from './control.ts';
import { createExchange, type Incoming, type Reply, unknownReply } from './exchange.ts';
import { createDice, isSilent } from './faults.ts';
import { createRequestLog } from './request-log.ts';

export interface SimulatorOptions {
  /** 0 for any that is free. */
  readonly port?: number;
  /** The default people, generated ones, or a whole state. */
  readonly seed?: Seed | { readonly state: StateInput };
  readonly clock?: Clock;
}

export interface Simulator {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** What the secrets `rollcall/cloud` and `rollcall/data-center` hold, as objects. */
  readonly targets: SimulatorTargets;
  readonly close: () => Promise<void>;
}

/** Bytes of a request to Atlassian, and of a control request, which may carry a whole state. */
const BODY_LIMIT = 1_048_576;
const CONTROL_BODY_LIMIT = 1_073_741_824;

/** Starts the simulator on 127.0.0.1: Jira Cloud, the organisation, user management and a Data Center in one. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const controlled = createControlled(options);
  const exchange = createExchange(controlled);
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 0 }, (request, response) => {
    receive(request, response, (body) => {
      respond(controlled, replyTo(exchange, request, body), { request, response });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const url = `http://127.0.0.1:${port}`;
  controlled.world.url = url;
  return {
    url,
    targets: targetsAt(url),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createControlled({ seed = 'default', clock = { now: () => new Date() } }: SimulatorOptions): Controlled {
  const isState = typeof seed === 'object' && 'state' in seed;
  const state = isState ? stateSchema.parse(seed.state) : seededState(seed);
  const behaviour = defaultBehaviour();
  let ids = 0;
  const ports: EnginePorts = { clock, nextId: () => (ids += 1), lagsMs: () => world.behaviour.propagationMs };
  const world: ServedWorld = {
    behaviour,
    ports,
    url: '',
    cloud: createCloud(state.cloud, ports),
    dataCenter: createDataCenter(state.dataCenter, ports),
  };
  return { world, log: createRequestLog(), dice: createDice(behaviour.dice) };
}

/** Reads the body; a request without one goes on at once. */
function receive(request: IncomingMessage, response: ServerResponse, then: (body: string) => void): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if ((length === undefined || length === '0') && encoding === undefined) {
    then('');
    return;
  }
  const limit = request.url?.startsWith(CONTROL_PREFIX) ? CONTROL_BODY_LIMIT : BODY_LIMIT;
  const parts: Buffer[] = [];
  let bytes = 0;
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes <= limit) parts.push(part);
    else if (!response.headersSent) response.writeHead(413, { connection: 'close' }).end();
  });
  request.on('end', () => {
    if (bytes <= limit) then((parts.length === 1 ? parts[0] : Buffer.concat(parts))?.toString() ?? '');
  });
}

/** An error of our own is a 500 that says so: a simulator that hides its bugs proves nothing. */
function replyTo(exchange: (incoming: Incoming) => Reply, request: IncomingMessage, body: string): Reply {
  const { method = '', url = '', headers } = request;
  try {
    return exchange({ method, url, headers, body });
  } catch (error) {
    const simulator = `The simulator failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    return { ...unknownReply(method), answer: { status: 500, body: { simulator } } };
  }
}

interface Connection {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function respond({ world, log }: Controlled, reply: Reply, { request, response }: Connection): void {
  const { answer, fault, endpoint, access, control } = reply;
  if (control) {
    send(response, answer);
    return;
  }
  log.add({
    time: world.ports.clock.now().toISOString(),
    method: request.method ?? '',
    path: request.url ?? '',
    status: fault && isSilent(fault) ? 0 : answer.status,
    endpoint,
    access,
    effective: answer.effective ?? false,
    things: answer.things ?? [],
    ...(fault ? { fault: fault.kind } : {}),
  });
  const { latencyMs, faults } = world.behaviour;
  const sending = (): void => sendWith(fault, response, answer, faults.hangMs);
  if (latencyMs > 0) setTimeout(sending, latencyMs);
  else sending();
}

/** Sends an answer, or whatever a fault makes of it. */
function sendWith(fault: Reply['fault'], response: ServerResponse, answer: Answer, hangMs: number): void {
  switch (fault?.kind) {
    case 'resetBefore':
    case 'resetAfter':
      response.socket?.resetAndDestroy();
      return;
    case 'hangBefore':
    case 'hangAfter':
      setTimeout(() => response.socket?.destroy(), hangMs).unref();
      return;
    case 'truncated':
      truncate(response, answer);
      return;
    case 'notJson':
      write(response, { ...answer, status: withBody(answer.status) }, HTML, 'text/html');
      return;
    case 'trickled':
      trickle(response, answer);
      return;
    case 'compressed':
      compress(response, answer);
      return;
    case 'repeated':
      send(response, { ...answer, ...(answer.body !== undefined && { body: repeatLists(answer.body) }) });
      return;
    case 'endless':
      send(response, { ...answer, ...(answer.body !== undefined && { body: withoutEnd(answer.body) }) });
      return;
    default:
      send(response, answer);
  }
}

const JSON_TYPE = 'application/json;charset=UTF-8';
const HTML = '<!DOCTYPE html><html><body>Something went wrong.</body></html>';

const send = (response: ServerResponse, answer: Answer): void =>
  write(response, answer, contentOf(answer), answer.text === undefined ? JSON_TYPE : 'text/plain;charset=UTF-8');

const contentOf = ({ body, text }: Answer): string => text ?? (body === undefined ? '' : JSON.stringify(body));

/** A status that may have a body, in place of one that may not. */
const withBody = (status: number): number => (status === 204 ? 200 : status);

function write(response: ServerResponse, answer: Answer, content: string, type: string): void {
  // A 204 has neither body nor type; everything of Atlassian's carries a trace id.
  const described = content === '' ? {} : { 'content-type': type };
  const length = answer.status === 204 ? {} : { 'content-length': Buffer.byteLength(content) };
  response.writeHead(answer.status, { ...described, ...length, 'atl-traceid': traceId(), ...answer.headers });
  response.end(content);
}

/** Promises the whole and sends half of it. */
function truncate(response: ServerResponse, answer: Answer): void {
  const content = contentOf(answer);
  response.writeHead(withBody(answer.status), {
    'content-type': JSON_TYPE,
    'content-length': Math.max(Buffer.byteLength(content), 2),
    'atl-traceid': traceId(),
    ...answer.headers,
  });
  response.write(content.slice(0, content.length >>> 1) || '{', () => response.socket?.destroy());
}

const PIECES = 8;
const PIECE_PAUSE_MS = 15;

/** Sends the whole, a piece at a time. */
function trickle(response: ServerResponse, answer: Answer): void {
  const content = Buffer.from(contentOf(answer));
  if (content.length === 0) return send(response, answer);
  const type = answer.text === undefined ? JSON_TYPE : 'text/plain;charset=UTF-8';
  const headers = { 'content-type': type, 'content-length': content.length, 'atl-traceid': traceId() };
  response.writeHead(answer.status, { ...headers, ...answer.headers });
  const bytes = Math.ceil(content.length / PIECES);
  const sendFrom = (from: number): void => {
    if (from >= content.length) return void response.end();
    response.write(content.subarray(from, from + bytes));
    setTimeout(() => sendFrom(from + bytes), PIECE_PAUSE_MS).unref();
  };
  sendFrom(0);
}

function compress(response: ServerResponse, answer: Answer): void {
  const content = contentOf(answer);
  if (content === '') return send(response, answer);
  const packed = gzipSync(content);
  const type = answer.text === undefined ? JSON_TYPE : 'text/plain;charset=UTF-8';
  const headers = { 'content-type': type, 'content-encoding': 'gzip', 'content-length': packed.length };
  response.writeHead(answer.status, { ...headers, 'atl-traceid': traceId(), ...answer.headers });
  response.end(packed);
}

/** The same answer with everything in its lists twice. */
function repeatLists(body: unknown): unknown {
  if (Array.isArray(body)) return [...(body as unknown[]), ...(body as unknown[])];
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]: [string, unknown]) => [
      name,
      Array.isArray(value) ? repeatLists(value) : value,
    ]),
  );
}

/** The same page, which says that it is not the last. */
function withoutEnd(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const page = body as Readonly<Record<string, unknown>>; // plain JSON of ours
  return {
    ...page,
    ...('isLast' in page && { isLast: false }),
    ...('links' in page && { links: { ...(page['links'] as object), next: 'again' } }),
  };
}

let answers = 0;

/** 32 hexadecimal digits, as Atlassian's are. */
function traceId(): string {
  answers += 1;
  return answers.toString(16).padStart(32, '0');
}
