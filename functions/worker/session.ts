import { Refusal, TargetUnusable, Withheld } from '../../shared/atlassian/errors.ts';
import type { CallCount } from '../../shared/atlassian/apis.ts';
import type { Atlassian, OpenOptions } from '../../shared/atlassian/atlassian.ts';
import {
  bindOperation,
  type Cells,
  type Change,
  type Operation,
  type PlannedRow,
  type Written,
} from '../../shared/operations/operation.ts';
import { type Targets, TargetUnreadable } from '../../shared/ports.ts';
import { secretName, type Target } from '../../shared/target.ts';

export interface SessionPorts {
  readonly targets: Targets;
  readonly atlassian: Pick<Atlassian, 'open'>;
}

export interface SessionOptions extends Required<OpenOptions> {
  readonly targetName: string;
  readonly operation: Operation;
}

/**
 * One job's dealings with its target during one batch. What would halt the job is believed only when the secret, read again,
 * still says the same.
 */
export interface Session {
  readonly plan: (rows: readonly Cells[], signal: AbortSignal) => Promise<readonly PlannedRow[]>;
  readonly write: (change: Change, signal: AbortSignal) => Promise<Written>;
  readonly calls: () => CallCount;
  /** Whether the secret, read again, holds other credentials than this session was opened with. */
  readonly isOutdated: () => Promise<boolean>;
}

export async function openSession(ports: SessionPorts, options: SessionOptions): Promise<Session> {
  let target = await find(false);
  let opened = ports.atlassian.open(target, options);
  let former: CallCount = { sent: 0, rateLimited: 0 };

  return {
    plan: async (rows, signal) => {
      try {
        return await bindOperation(options.operation, opened).plan(rows, signal);
      } catch (error) {
        if (!haltsJob(error)) throw error;
        const fresh = await find(true);
        if (same(fresh, target)) throw error;
        former = callsSoFar();
        target = fresh;
        opened = ports.atlassian.open(target, options);
        return await bindOperation(options.operation, opened).plan(rows, signal);
      }
    },
    write: (change, signal) => bindOperation(options.operation, opened).write(change, signal),
    calls: callsSoFar,
    isOutdated: async () => !same(await find(true), target),
  };

  async function find(fresh: boolean): Promise<Target> {
    const found = await ports.targets.find(options.targetName, { fresh }).catch(unusableIfUnreadable);
    if (found) return found;
    throw new TargetUnusable(
      'UNAUTHORIZED',
      `There is no secret ${secretName(options.targetName)} any more. Create it again and resume the job.`,
    );
  }

  function callsSoFar(): CallCount {
    const { sent, rateLimited } = opened.countCalls();
    return { sent: former.sent + sent, rateLimited: former.rateLimited + rateLimited };
  }
}

/** A secret that somebody has spoilt halts the job as a missing one does, until it is fixed. */
function unusableIfUnreadable(error: unknown): never {
  if (!(error instanceof TargetUnreadable)) throw error;
  throw new TargetUnusable('UNAUTHORIZED', `${error.message} Then resume the job.`, { cause: error });
}

const same = (one: Target, other: Target): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether nothing of the job can be applied until somebody fixes the target or its credentials. */
export const haltsJob = (error: unknown): error is Refusal =>
  error instanceof TargetUnusable || (error instanceof Refusal && error.code === 'UNAUTHORIZED');

/** Throws Withheld unless the job runs. */
export function withholdUnless(runs: boolean): void {
  if (!runs) throw new Withheld('The job does not run any more.');
}
