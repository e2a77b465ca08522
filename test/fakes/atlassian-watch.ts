import type { EnginePorts } from '../../local/atlassian/engine/propagation.ts';
import type { Answer, Keep, MembersPage } from '../../shared/atlassian/apis.ts';
import { Refusal } from '../../shared/atlassian/errors.ts';

/** One call that reached a fake; `effective` when it changed the fake's state. */
export interface FakeCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly effective: boolean;
}

/** Stands between client and fake: throw before `proceed` for a request that never arrived, after it for an answer that got lost. */
export type Intercept = (
  call: { readonly name: string; readonly args: readonly unknown[] },
  proceed: () => Promise<unknown>,
) => Promise<unknown>;

/** A fake's time, and for how long its reads do not show what was written. */
export interface FakeLag {
  readonly nowMs: () => number;
  readonly lagMs: number;
}

/** Watches the calls of one fake. */
export interface Watch {
  readonly calls: readonly FakeCall[];
  /** The same methods, each call recorded and open to interception. */
  readonly over: <Methods extends object>(prefix: string, methods: Methods) => Methods;
  /** What a write answers, and a note that it changed something. */
  readonly settle: (result: Answer['status'], httpStatus: number) => Answer;
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

export function createWatch(intercept: Intercept | undefined): Watch {
  const calls: FakeCall[] = [];
  let changes = 0;
  const over =
    (name: string, method: Method): Method =>
    async (...argsAndSignal) => {
      const args = argsAndSignal.filter((argument) => !(argument instanceof AbortSignal));
      for (const argument of argsAndSignal) if (argument instanceof AbortSignal) argument.throwIfAborted();
      const proceed = async (): Promise<unknown> => {
        const before = changes;
        const index = calls.push({ name, args, effective: false }) - 1;
        try {
          return await method(...argsAndSignal);
        } finally {
          calls[index] = { name, args, effective: changes > before };
        }
      };
      return intercept ? intercept({ name, args }, proceed) : proceed();
    };
  return {
    calls,
    over: <Methods extends object>(prefix: string, methods: Methods) => {
      const entries = Object.entries(methods as Record<string, Method>); // every member of an API is a method
      return Object.fromEntries(entries.map(([name, method]) => [name, over(prefix + name, method)])) as Methods; // the same names with the same signatures
    },
    settle: (status, httpStatus) => {
      if (status === 'changed') changes += 1;
      return { status, httpStatus, traceId: 'fake-trace' };
    },
  };
}

/** What an engine takes from outside, for one that lags so, or does not. */
export function enginePorts({ nowMs, lagMs }: FakeLag = { nowMs: () => 0, lagMs: 0 }): EnginePorts {
  let ids = 0;
  return {
    clock: { now: () => new Date(nowMs()) },
    nextId: () => (ids += 1),
    lagsMs: () => ({ jira: lagMs, organisation: lagMs, userManagement: lagMs, dataCenter: lagMs }),
  };
}

export function refuse(code: Refusal['code'], httpStatus: number): never {
  throw new Refusal(code, `The fake refuses with ${code}`, { httpStatus, traceId: 'fake-trace' });
}

/** Nothing is kept, so that every test sees what it has just changed. */
export const askAlways: Keep = (_name, ask) => ask();

/** Fifty members, as Atlassian pages them. */
export function membersPage(all: readonly string[], startAt: number): MembersPage {
  const members = all.slice(startAt, startAt + 50);
  return { members, total: all.length, isLast: startAt + members.length >= all.length };
}
