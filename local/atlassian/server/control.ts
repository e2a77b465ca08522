import * as z from 'zod';

import { createCloud } from '../engine/cloud-state.ts';
import { createDataCenter } from '../engine/data-center.ts';
import type { EnginePorts } from '../engine/propagation.ts';
import { type State, stateSchema } from '../engine/state.ts';
import type { Answer } from '../routes/answer.ts';
import type { Query, World } from '../routes/call.ts';
import { seededState, seedSchema } from '../seeds/seed.ts';
import { type Behaviour, patchBehaviour } from './behaviour.ts';
import { createDice, type Dice } from './faults.ts';
import type { RequestLog } from './request-log.ts';

/** What control requests act on: they put others in place of the world's parts. */
export interface Controlled {
  readonly world: ServedWorld;
  readonly log: RequestLog;
  dice: Dice;
}

export interface ServedWorld extends World {
  cloud: World['cloud'];
  dataCenter: World['dataCenter'];
  behaviour: Behaviour;
  url: string;
  readonly ports: EnginePorts;
}

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly body: string;
}

export const CONTROL_PREFIX = '/_simulator/';

/** The control requests, each with its sentence for the documentation. */
export const CONTROL_REQUESTS: Readonly<Record<string, string>> = {
  'GET /_simulator/state': 'The whole state.',
  'PUT /_simulator/state':
    'Replaces the state: by a whole one, `{"seed":"default"}` or `{"seed":{"users":100000,"groups":200}}`.',
  'PATCH /_simulator/behaviour': 'Changes what is given of the behaviour, and answers the whole.',
  'GET /_simulator/requests':
    'The requests; `after=<n>` those after one, of which `summary=1` gives the counts and `effective=1` the changes by thing.',
};

/** Answers a control request; a wrong one 400 with every problem in it. */
export function answerControl(controlled: Controlled, request: ControlRequest): Answer {
  try {
    return answerOf(controlled, request);
  } catch (error) {
    if (error instanceof z.ZodError) {
      const problems = error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'body'}: ${message}`);
      return { status: 400, body: { error: 'The control request is not as docs/simulator.md has it.', problems } };
    }
    if (error instanceof SyntaxError) return { status: 400, body: { error: `The body is not JSON: ${error.message}` } };
    throw error;
  }
}

function answerOf(controlled: Controlled, { method, path, query, body }: ControlRequest): Answer {
  const { world, log } = controlled;
  switch (`${method} ${path}`) {
    case 'GET /_simulator/state':
      return { status: 200, body: { cloud: world.cloud.record(), dataCenter: world.dataCenter.record() } };
    case 'PUT /_simulator/state':
      putState(world, stateIn(JSON.parse(body)));
      return { status: 204 };
    case 'PATCH /_simulator/behaviour':
      return patch(controlled, JSON.parse(body));
    case 'GET /_simulator/requests':
      return listRequests(log, query);
    default:
      return {
        status: 404,
        body: { error: `There is no ${method} ${path}.`, endpoints: Object.keys(CONTROL_REQUESTS) },
      };
  }
}

/** Puts a state in place of the present one; nothing of the former lags behind. */
function putState(world: ServedWorld, { cloud, dataCenter }: State): void {
  world.cloud = createCloud(cloud, world.ports);
  world.dataCenter = createDataCenter(dataCenter, world.ports);
}

const seedOnly = z.strictObject({ seed: seedSchema });

function stateIn(body: unknown): State {
  const isSeed = typeof body === 'object' && body !== null && 'seed' in body;
  return isSeed ? seededState(seedOnly.parse(body).seed) : stateSchema.parse(body);
}

function patch(controlled: Controlled, given: unknown): Answer {
  const { world } = controlled;
  world.behaviour = patchBehaviour(world.behaviour, given);
  const throwsAgain = typeof given === 'object' && given !== null && 'dice' in given;
  if (throwsAgain) controlled.dice = createDice(world.behaviour.dice);
  return { status: 200, body: world.behaviour };
}

function listRequests(log: RequestLog, query: Query): Answer {
  const after = Number(query.get('after')?.[0] ?? '0');
  if (!Number.isSafeInteger(after) || after < 0)
    return { status: 400, body: { error: 'after must be a whole number' } };
  if (query.get('summary')?.[0] === '1') return { status: 200, body: log.summary(after) };
  if (query.get('effective')?.[0] === '1') return { status: 200, body: { things: log.effective(after) } };
  const found = log.since(after);
  return { status: 200, body: { last: found.at(-1)?.n ?? after, requests: found } };
}
