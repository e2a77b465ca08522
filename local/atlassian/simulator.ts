import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Clock } from '../../shared/ports.ts';
import { defaultBehaviour } from './behaviour.ts';
import type { World } from './call.ts';
import { cloudState } from './cloud-state.ts';
import { CONTROL_PREFIX, type Controlled } from './control.ts';
import { type SimulatorTargets, targetsAt } from './credentials.ts';
import { dataCenterState } from './data-center-state.ts';
import { exchange, type Incoming, type Reply } from './exchange.ts';
import { dice } from './faults.ts';
import { type StateInput, stateSchema } from './model.ts';
import { propagation } from './propagation.ts';
import { requestLog } from './request-log.ts';
import { type Seed, seededState } from './seed.ts';
import { send } from './send.ts';

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
  const controlled = startingWith(options);
  const answer = exchange(controlled);
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 0 }, (request, response) => {
    receive(request, response, (body) => {
      respond(controlled, answered(answer, request, body), { request, response });
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

function startingWith({ seed = 'default', clock = { now: () => new Date() } }: SimulatorOptions): Controlled {
  const isState = typeof seed === 'object' && 'state' in seed;
  const state = isState ? stateSchema.parse(seed.state) : seededState(seed);
  const behaviour = defaultBehaviour();
  let ids = 0;
  const world: World = {
    behaviour,
    clock,
    url: '',
    nextId: () => (ids += 1),
    cloud: cloudState(
      state.cloud,
      propagation(clock, () => world.behaviour.propagationMs),
    ),
    dataCenter: dataCenterState(state.dataCenter),
  };
  return { world, log: requestLog(), dice: dice(behaviour.dice) };
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
function answered(answer: (incoming: Incoming) => Reply, request: IncomingMessage, body: string): Reply {
  const { method = '', url = '', headers } = request;
  try {
    return answer({ method, url, headers, body });
  } catch (error) {
    const simulator = `The simulator failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    return { answer: { status: 500, body: { simulator } }, endpoint: 'unknown', control: false };
  }
}

interface Connection {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function respond({ world, log }: Controlled, reply: Reply, { request, response }: Connection): void {
  const { answer, fault, endpoint, control } = reply;
  const { latencyMs, faults } = world.behaviour;
  if (control) {
    send(response, answer, { hangMs: 0 });
    return;
  }
  log.add({
    time: world.clock.now().toISOString(),
    method: request.method ?? '',
    path: request.url ?? '',
    status: isSilent(fault?.kind) ? 0 : answer.status,
    endpoint,
    effective: answer.effective ?? false,
    things: answer.things ?? [],
    ...(fault ? { fault: fault.kind } : {}),
  });
  const sending = (): void => send(response, answer, { fault, hangMs: faults.hangMs });
  if (latencyMs > 0) setTimeout(sending, latencyMs);
  else sending();
}

const isSilent = (kind: string | undefined): boolean =>
  kind === 'resetBefore' || kind === 'resetAfter' || kind === 'hangBefore' || kind === 'hangAfter';
