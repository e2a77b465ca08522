import type { Atlassian, OpenOptions, Opened } from '../../shared/atlassian/atlassian.ts';
import type { Cloud, DataCenter } from '../../shared/atlassian/apis.ts';
import { NoAnswer, RateLimited, Refusal } from '../../shared/atlassian/errors.ts';
import {
  createCloudListings,
  createDataCenterListings,
  createListingCache,
  type ListingOptions,
} from '../../shared/atlassian/listings.ts';
import type { Target } from '../../shared/target.ts';
import { askAlways } from '../fakes/atlassian-watch.ts';
import type { FaultKind, Faults } from './faults.ts';
import type { Invocation, SimulatedProcess } from './process.ts';
import type { AnySite } from './row-makers.ts';
import type { Wishes } from './wishes.ts';
import type { World } from './world.ts';

/** One target's Atlassian: the simulator's engine in virtual time, with faults before it and whom it lets in. */
export interface SimulatedSite {
  readonly truth: AnySite;
  readonly token: () => string;
  readonly rotate: (token: string) => void;
  /** All calls come to this until then. */
  readonly spell: (kind: 'Atlassian down' | 'Atlassian limits everything', untilMs: number) => void;
  readonly open: (process: SimulatedProcess, target: Target, options: OpenOptions) => Opened;
  /** Somebody else makes a call; false when it changed nothing. */
  readonly change: (call: readonly unknown[]) => Promise<boolean>;
}

/** Who makes a call: a process, for one of the jobs whose messages it had then. */
export interface Caller extends Pick<Invocation, 'jobIds'> {
  readonly process: SimulatedProcess;
}

export interface SiteOptions {
  readonly wishes: Wishes;
  /** How long reads do not show what was written. */
  readonly lagMs: number;
  readonly onCallBegan: (call: Call, caller: Caller) => void;
  /** Each write of ours that changed something. */
  readonly onEffective: (write: string, caller: Caller) => void;
  /** The process heard an answer. */
  readonly onAnswered: (call: Call, answer: unknown, caller: Caller) => void;
  /** An attempt at a row was spent by an answer. */
  readonly onSpent: (caller: Caller) => void;
}

export interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

type Behaviour = FaultKind | NonNullable<Wishes['rows'][number]['trouble']> | 'none';

const WRITES = ['addToGroup', 'removeFromGroup', 'createUser', 'invite', 'suspend', 'restore', 'setEmail', 'disable', 'enable', 'updateUser']; // prettier-ignore

export const isWrite = ({ name }: Call): boolean => WRITES.includes(name.slice(name.indexOf('.') + 1));

const CALL_FAULTS = [
  'rate limited, Retry-After',
  'rate limited, no Retry-After',
  'server error',
  'reset before the call',
  'reset after the call',
  'hang before the call',
  'hang after the call',
  'not JSON',
] as const satisfies readonly FaultKind[];

export function createSite(options: SiteOptions, world: World, faults: Faults): SimulatedSite {
  const { wishes, lagMs, onEffective } = options;
  const truth = wishes.site({ nowMs: world.nowMs, lagMs });
  const troubles = new Map(wishes.rows.flatMap(({ write, trouble }) => (write && trouble ? [[write, trouble]] : [])));
  let token = wishes.target.type === 'cloud' ? wishes.target.apiToken : wishes.target.token;
  const spells = new Map<FaultKind, number>();

  const apply = async (call: Call): Promise<{ readonly answer: unknown; readonly effective: boolean }> => {
    const index = truth.calls.length;
    const answer = await invoke(truth, call);
    return { answer, effective: truth.calls[index]?.effective ?? false };
  };

  const site: Site = {
    options,
    truth,
    behaviourOf: (call) => {
      for (const [kind, untilMs] of spells) if (world.nowMs() < untilMs) return kind;
      const struck = CALL_FAULTS.filter((kind) => faults.strikes(kind));
      return troubles.get(keyOf(call)) ?? struck[0] ?? 'none';
    },
    answer: async (call, { usedToken, behaviour, caller, failures }) => {
      if (usedToken !== token) throw failures.refuse('UNAUTHORIZED', 401);
      const applied = async (): Promise<unknown> => {
        const { answer, effective } = await apply(call);
        if (effective) onEffective(keyOf(call), caller);
        return answer;
      };
      return answerWith(behaviour, { call, world, failures, apply: applied });
    },
  };

  return {
    truth,
    token: () => token,
    rotate: (next) => {
      token = next;
    },
    spell: (kind, untilMs) => void spells.set(kind, untilMs),
    open: (process, target, opening) => openSite(site, world, { process, target, opening }),
    change: async ([name, ...args]) => {
      const call = { name: String(name), args };
      const done = await apply(call).catch(() => undefined); // Atlassian refuses others, too
      return done?.effective ?? false;
    },
  };
}

/** What a site shows to whoever opens it. */
interface Site {
  readonly options: SiteOptions;
  readonly truth: AnySite;
  readonly behaviourOf: (call: Call) => Behaviour;
  readonly answer: (call: Call, asked: Asked) => Promise<unknown>;
}

interface Asked {
  readonly usedToken: string;
  readonly behaviour: Behaviour;
  readonly caller: Caller;
  readonly failures: Failures;
}

type Failures = ReturnType<typeof createFailures>;

/** What a call fails with, as the API client would tell it. */
function createFailures(world: World, onSpent: () => void) {
  const spend = <Failure extends Error>(error: Failure): Failure => {
    onSpent();
    return error;
  };
  const refuse = (code: Refusal['code'], httpStatus: number): Refusal =>
    new Refusal(code, `Atlassian answered ${httpStatus}`, { httpStatus });
  return {
    limited: (waitMs: number, sent: boolean): RateLimited =>
      new RateLimited('too many calls', { notBeforeMs: world.nowMs() + waitMs, sent }),
    refuse,
    broken: (httpStatus: number): Refusal => spend(refuse('ATLASSIAN_ERROR', httpStatus)),
    /** No whole answer: for a read that is a temporary failure, for a write nobody knows what became of it. */
    unheard: (call: Call): Error =>
      spend(isWrite(call) ? new NoAnswer('no whole answer') : new Refusal('TIMED_OUT', 'no whole answer')),
  };
}

interface Answering {
  readonly call: Call;
  readonly world: World;
  readonly failures: Failures;
  readonly apply: () => Promise<unknown>;
}

/** The answer to a call that meets this, or what it fails with. */
async function answerWith(behaviour: Behaviour, { call, world, failures, apply }: Answering): Promise<unknown> {
  const { limited, refuse, broken, unheard } = failures;
  switch (behaviour) {
    case 'rate limited, Retry-After':
      throw limited(world.random.between(1, 120) * 1_000, true);
    case 'rate limited, no Retry-After':
    case 'Atlassian limits everything':
      throw limited(world.random.between(1, 5_000), true);
    case 'server error':
    case 'Atlassian down':
    case 'failing':
      throw broken(500);
    case 'forbidden':
      throw refuse('FORBIDDEN', 403);
    case 'reset before the call':
    case 'lost before':
      throw unheard(call);
    case 'reset after the call':
    case 'lost after':
      await apply();
      throw unheard(call);
    case 'not JSON':
      await apply();
      throw isWrite(call) ? unheard(call) : broken(200);
    case 'hang before the call':
      return NO_ANSWER;
    case 'hang after the call':
      await apply();
      return NO_ANSWER;
    default:
      return apply();
  }
}

interface Opening {
  readonly process: SimulatedProcess;
  readonly target: Target;
  readonly opening: OpenOptions;
}

function openSite(site: Site, world: World, { process, target, opening }: Opening): Opened {
  const { deadlineMs = Infinity, beforeCall = async () => undefined } = opening;
  const { onCallBegan, onAnswered, onSpent } = site.options;
  const counter = { sent: 0, rateLimited: 0 };
  const usedToken = target.type === 'cloud' ? target.apiToken : target.token;
  const send = async (call: Call, signal: AbortSignal): Promise<unknown> => {
    const caller: Caller = { process, jobIds: process.invocation.jobIds };
    const failures = createFailures(world, () => onSpent(caller));
    if (signal.aborted || world.nowMs() > deadlineMs) throw failures.limited(0, false);
    await beforeCall();
    if (signal.aborted) throw failures.limited(0, false);
    onCallBegan(call, caller);
    if (!isWrite(call)) process.invocation.reads += 1;
    counter.sent += 1;
    const behaviour = site.behaviourOf(call);
    if (behaviour === 'poison') process.die(`of ${call.name}`);
    const answered = process.effect(
      `calls ${keyOf(call)} ${behaviour === 'none' ? '' : `(${behaviour})`}`,
      () => site.answer(call, { usedToken, behaviour, caller, failures }),
      'atlassian',
    );
    try {
      const answer = await orAborted(answered, signal, () => failures.unheard(call));
      onAnswered(call, answer, caller);
      return answer;
    } catch (error) {
      if (error instanceof RateLimited) counter.rateLimited += 1;
      throw error;
    }
  };
  return openedOver(site.truth, { target, listings: opening.listings }, send, () => ({ ...counter }));
}

/** The port of one process to all targets' Atlassians. */
export function atlassianPort(
  sites: ReadonlyMap<string, SimulatedSite>,
  process: SimulatedProcess,
): Pick<Atlassian, 'open'> {
  return {
    open: (target, options = {}) => {
      const site = sites.get(target.name);
      if (!site) throw new Refusal('REQUEST_REFUSED', `There is no Atlassian called ${target.name}`);
      return site.open(process, target, options);
    },
  };
}

/** A call as text, without the signal that ends it. */
export function keyOf({ name, args }: Call): string {
  if (name !== 'organisation.invite') return JSON.stringify([name, ...args]);
  // One who is there already is invited to the product that a new one is created with.
  const { email, products } = args[0] as { readonly email: string; readonly products: readonly string[] }; // its own arguments
  return JSON.stringify(['jira.createUser', { emailAddress: email, products }]);
}

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;
type Send = (call: Call, signal: AbortSignal) => Promise<unknown>;

/** The fake's APIs by the names under which it records their calls. */
const apisOf = (site: AnySite): Readonly<Record<string, Methods>> =>
  (site.type === 'cloud' ? site.apis : { dataCenter: site.apis }) as unknown as Record<string, Methods>; // methods and a target, which nobody calls

function invoke(site: AnySite, { name, args }: Call): Promise<unknown> {
  const [api = '', method = ''] = name.split('.');
  return apisOf(site)[api]![method]!(...args); // what is called was found there
}

/** The same APIs, with every call going another way. */
function through(api: string, methods: Methods, send: Send): Methods {
  const sending =
    (method: string) =>
    (...args: readonly unknown[]) => {
      const signal = args.at(-1) as AbortSignal; // the last argument of every method
      return send({ name: `${api}.${method}`, args: args.slice(0, -1) }, signal);
    };
  return Object.fromEntries(Object.keys(methods).map((method) => [method, sending(method)]));
}

function openedOver(
  site: AnySite,
  { target, listings }: { readonly target: Target; readonly listings: ListingOptions | undefined },
  send: Send,
  countCalls: Opened['countCalls'],
): Opened {
  const apis = apisOf(site);
  const ports = listings && { ...listings, cache: createListingCache() };
  const common = { target, keep: askAlways };
  // The casts: the same methods, each going another way.
  if (site.type === 'data-center') {
    const { target: _target, keep: _keep, listings: _listings, ...methods } = apis['dataCenter']!; // fakeDataCenter gives them
    const sent = through('dataCenter', methods, send) as unknown as DataCenter;
    const lists = ports && createDataCenterListings(sent, ports);
    return { type: 'data-center', apis: { ...sent, ...common, listings: lists }, countCalls } as Opened;
  }
  const named = ['jira', 'organisation', 'userManagement'].map((api) => [api, through(api, apis[api]!, send)] as const);
  const sent = Object.fromEntries(named) as unknown as Pick<Cloud, 'jira' | 'organisation' | 'userManagement'>;
  const lists = ports && createCloudListings(sent.jira, ports);
  return { type: 'cloud', apis: { ...sent, ...common, listings: lists }, countCalls } as Opened;
}

function orAborted<Value>(value: Promise<Value>, signal: AbortSignal, reason: () => Error): Promise<Value> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(reason());
    const heard = (settle: () => void): void => {
      signal.removeEventListener('abort', aborted);
      settle();
    };
    signal.addEventListener('abort', aborted, { once: true });
    value.then(
      (answer) => {
        if (answer !== NO_ANSWER) heard(() => resolve(answer));
      },
      (error: unknown) => heard(() => reject(error)),
    );
  });
}

/** Stands for an answer that never comes. */
const NO_ANSWER = Symbol('no answer');
