import * as z from 'zod';

import type { Answer } from './answer.ts';
import { defaultBehaviour, patchBehaviour } from './behaviour.ts';
import { cloudState } from './cloud-state.ts';
import type { Query, World } from './call.ts';
import { dataCenterState } from './data-center-state.ts';
import { dice, type Dice } from './faults.ts';
import { type State, stateSchema } from './model.ts';
import { propagation } from './propagation.ts';
import type { RequestLog } from './request-log.ts';
import { type Seed, seededState, seedSchema } from './seed.ts';

/** What control requests act on. */
export interface Controlled {
  readonly world: World;
  readonly log: RequestLog;
  dice: Dice;
}

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly body: string;
}

export const CONTROL_PREFIX = '/_simulator/';

/** The control endpoints, each with its sentence for the documentation. */
export const CONTROL_ENDPOINTS: Readonly<Record<string, string>> = {
  'GET /_simulator/state': 'The whole state.',
  'PUT /_simulator/state':
    'Replaces the state: by a whole one, `{"seed":"default"}` or `{"seed":{"users":100000,"groups":200}}`.',
  'GET /_simulator/behaviour': 'The present behaviour.',
  'PATCH /_simulator/behaviour': 'Changes what is given of the behaviour.',
  'DELETE /_simulator/behaviour': 'Back to the default behaviour.',
  'GET /_simulator/requests':
    'The requests; `after=<n>` those after one, `summary=1` counts only, `effective=1` changes by thing.',
  'DELETE /_simulator/requests': 'Forgets the requests and their counts.',
};

/** Carries a control request out; a wrong one is answered 400 with every problem in it. */
export function control(controlled: Controlled, request: ControlRequest): Answer {
  try {
    return carriedOut(controlled, request);
  } catch (error) {
    if (error instanceof z.ZodError) {
      const problems = error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'body'}: ${message}`);
      return { status: 400, body: { error: 'The control request is not as docs/simulator.md has it.', problems } };
    }
    if (error instanceof SyntaxError) return { status: 400, body: { error: `The body is not JSON: ${error.message}` } };
    throw error;
  }
}

function carriedOut(controlled: Controlled, { method, path, query, body }: ControlRequest): Answer {
  const { world, log } = controlled;
  switch (`${method} ${path}`) {
    case 'GET /_simulator/state':
      return { status: 200, body: { cloud: world.cloud.record(), dataCenter: world.dataCenter.record() } };
    case 'PUT /_simulator/state':
      putState(world, stateIn(JSON.parse(body)));
      return { status: 204 };
    case 'GET /_simulator/behaviour':
      return { status: 200, body: world.behaviour };
    case 'PATCH /_simulator/behaviour':
      return patched(controlled, JSON.parse(body));
    case 'DELETE /_simulator/behaviour':
      world.behaviour = defaultBehaviour();
      controlled.dice = dice(world.behaviour.dice);
      return { status: 200, body: world.behaviour };
    case 'GET /_simulator/requests':
      return requests(log, query);
    case 'DELETE /_simulator/requests':
      log.clear();
      return { status: 204 };
    default:
      return {
        status: 404,
        body: { error: `There is no ${method} ${path}.`, endpoints: Object.keys(CONTROL_ENDPOINTS) },
      };
  }
}

/** Puts a state in place of the present one; nothing of the former lags behind. */
export function putState(world: World, state: State): void {
  const past = propagation(world.clock, () => world.behaviour.propagationMs);
  world.cloud = cloudState(state.cloud, past);
  world.dataCenter = dataCenterState(state.dataCenter);
}

const seedOnly = z.strictObject({ seed: seedSchema });

function stateIn(body: unknown): State {
  const isSeed = typeof body === 'object' && body !== null && 'seed' in body;
  return isSeed ? seededState(seedOnly.parse(body).seed satisfies Seed) : stateSchema.parse(body);
}

function patched(controlled: Controlled, patch: unknown): Answer {
  const { world } = controlled;
  world.behaviour = patchBehaviour(world.behaviour, patch);
  const throwsAgain = typeof patch === 'object' && patch !== null && 'dice' in patch;
  if (throwsAgain) controlled.dice = dice(world.behaviour.dice);
  return { status: 200, body: world.behaviour };
}

function requests(log: RequestLog, query: Query): Answer {
  if (query.get('summary')?.[0] === '1') return { status: 200, body: log.summary() };
  if (query.get('effective')?.[0] === '1') return { status: 200, body: { things: log.effective() } };
  const after = Number(query.get('after')?.[0] ?? '0');
  if (!Number.isSafeInteger(after) || after < 0)
    return { status: 400, body: { error: 'after must be a whole number' } };
  const found = log.since(after);
  return { status: 200, body: { last: found.at(-1)?.n ?? after, requests: found } };
}
