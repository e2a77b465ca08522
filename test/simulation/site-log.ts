import type { Answer } from '../../shared/atlassian/apis.ts';
import type { AnySite } from './row-makers.ts';
import { type Call, isWrite } from './simulated-atlassian.ts';
import { rowsAround, type Wishes } from './wishes.ts';

/** What one job did at its target. */
export interface JobLog {
  /** Writes of it that changed something, and how often. */
  readonly effective: ReadonlyMap<string, number>;
  /** Writes that Atlassian said had changed something. */
  readonly confirmed: ReadonlySet<string>;
  /** When it heard an answer, in epoch milliseconds. */
  readonly heardAtMs: readonly number[];
  /** Answers that cost a row an attempt. */
  readonly spent: number;
}

/** What happened at one target, whose jobs may be several of the same file. */
export interface SiteLog {
  readonly of: (jobId: string) => JobLog;
  /** Writes of any job that changed something, and how often. */
  readonly effective: ReadonlyMap<string, number>;
  /** Whether somebody else changed a row's subject, or one that has to do with it. */
  readonly isTouched: (row: number) => boolean;
  /** Whether a touched row's subject was as the row asks at some time between these, in epoch milliseconds. */
  readonly heldBetween: (row: number, fromMs: number, toMs: number) => boolean;
}

interface WritableJobLog extends JobLog {
  readonly effective: Map<string, number>;
  readonly confirmed: Set<string>;
  readonly heardAtMs: number[];
  spent: number;
}

/** How a row's subject stands from some time on. */
interface Since {
  readonly atMs: number;
  readonly holds: boolean;
}

/** Writes down what happens at a target. */
export interface SiteRecorder extends SiteLog {
  readonly applied: (write: string, jobIds: readonly string[]) => void;
  readonly answered: (call: Call, key: string, answer: unknown, jobIds: readonly string[]) => void;
  readonly spent: (jobIds: readonly string[]) => void;
  /** Somebody else is going to change the subject of a row. */
  readonly watch: (row: number) => void;
  /** Somebody else changed it. */
  readonly touched: (row: number) => void;
}

export function recordSite(
  { rows, site }: Wishes,
  { truth, nowMs }: { readonly truth: () => AnySite; readonly nowMs: () => number },
): SiteRecorder {
  const jobs = new Map<string, WritableJobLog>();
  const effective = new Map<string, number>();
  const histories = new Map<number, Since[]>();
  const touched = new Set<number>();
  const before = site();
  const logOf = (jobId: string): WritableJobLog => {
    const log = jobs.get(jobId) ?? { effective: new Map(), confirmed: new Set(), heardAtMs: [], spent: 0 };
    jobs.set(jobId, log);
    return log;
  };
  const lookAgain = (): void => {
    for (const [row, history] of histories) history.push({ atMs: nowMs(), holds: rows[row]!.holds(truth()) }); // a row's number
  };

  return {
    of: logOf,
    effective,
    isTouched: (row) => touched.has(row),
    heldBetween: (row, fromMs, toMs) => {
      const history = histories.get(row) ?? [];
      return history.some(({ atMs, holds }, index) => {
        const untilMs = history[index + 1]?.atMs ?? Infinity;
        return holds && atMs <= toMs && untilMs >= fromMs;
      });
    },
    applied: (write, jobIds) => {
      count(effective, write);
      for (const jobId of jobIds) count(logOf(jobId).effective, write);
      lookAgain();
    },
    answered: (call, key, answer, jobIds) => {
      for (const jobId of jobIds) {
        const log = logOf(jobId);
        log.heardAtMs.push(nowMs());
        if (isWrite(call) && (answer as Answer).status === 'changed') log.confirmed.add(key);
      }
    },
    spent: (jobIds) => {
      for (const jobId of jobIds) logOf(jobId).spent += 1;
    },
    watch: (row) => {
      for (const around of rowsAround(rows[row]!.subject, rows))
        histories.set(around, [{ atMs: -Infinity, holds: rows[around]!.holds(before) }]);
    },
    touched: (row) => {
      for (const around of rowsAround(rows[row]!.subject, rows)) touched.add(around);
      lookAgain();
    },
  };
}

const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
