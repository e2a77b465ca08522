import { hasEnded, hasStopped, isWaiting } from './job.ts';
import type { NoticeRequest } from './messages.ts';
import { CODES } from './outcome.ts';
import { settledStatus } from './row-status.ts';
import type { State } from './state.ts';

/** What people were told of a job: kept in its state, so that each thing is told once. */
export interface Told {
  /** The stop that was told last, as `stopOf` names it. */
  readonly stop?: string | undefined;
  /** How many reminders of that stop were sent. */
  readonly reminders: number;
  /** How often rows had been redriven when failures were told last; -1 before the first time. */
  readonly redrives: number;
}

export const NOTHING_TOLD: Told = { reminders: 0, redrives: -1 };

/** After so many hours of waiting somebody is told again of a job that takes access away. */
export const REMINDER_HOURS = [1, 4, 24] as const;

/** What is to be told of a job as it stands, and the state in which that is told. Nothing is told before the report is there that says it. */
export function takeNotices(
  state: State,
  nowMs: number,
): { readonly state: State; readonly notices: readonly NoticeRequest[] } {
  const isReported = hasStopped(state.state) && !state.reportDue && state.outbox.report === undefined;
  if (!isReported) return { state, notices: [] };
  const { told = NOTHING_TOLD } = state;
  const stop = stopOf(state);
  const common = { version: 1, kind: 'notice', jobId: state.job.id, stop } as const;
  if (told.stop !== stop) {
    const next = { ...told, stop, reminders: 0 };
    const failed = takeFailures(state, next);
    return {
      state: { ...state, told: failed?.told ?? next },
      notices: [{ ...common, about: 'stop' }, ...(failed ? [{ ...common, ...failed.notice }] : [])],
    };
  }
  const due = takeReminder(state, told, nowMs) ?? takeFailures(state, told);
  if (!due) return { state, notices: [] };
  return { state: { ...state, told: due.told }, notices: [{ ...common, ...due.notice }] };
}

/** Names a stop: another one of the same job, in the same state, has another name. */
export const stopOf = ({ state, stateSinceMs }: Pick<State, 'state' | 'stateSinceMs'>): string =>
  `${state}-${stateSinceMs}`;

interface Due {
  readonly told: Told;
  readonly notice: Pick<NoticeRequest, 'about' | 'hours' | 'redrives'>;
}

/** The operations whose people keep access that they should not have while the job waits. */
const TAKES_ACCESS: ReadonlySet<string> = new Set(['suspend', 'deactivate']);

function takeReminder(state: State, told: Told, nowMs: number): Due | undefined {
  const operation = state.plan?.gate?.operation ?? state.job.operation;
  const waitsForTime = state.waitReasons.some(({ code }) => code === 'NOT_BEFORE');
  if (!isWaiting(state.state) || waitsForTime || !TAKES_ACCESS.has(operation)) return undefined;
  const waitedMs = nowMs - state.stateSinceMs;
  const reminders = REMINDER_HOURS.filter((hours) => waitedMs >= hours * 3_600_000).length;
  if (reminders <= told.reminders) return undefined;
  return { told: { ...told, reminders }, notice: { about: 'reminder', hours: REMINDER_HOURS[reminders - 1] } };
}

/**
 * Dead letters that somebody should know of besides the report: rows that failed for reasons that are not their own, and rows
 * that were redriven and failed again.
 */
function takeFailures({ state, appliedAt, rowStatuses, generations }: State, told: Told): Due | undefined {
  if (!hasEnded(state) || appliedAt === undefined) return undefined;
  const redrives = [...generations.values()].reduce((sum, generation) => sum + generation, 0);
  if (redrives <= told.redrives) return undefined;
  const worthTelling = rowStatuses.some((rowStatus, row) => {
    const settled = settledStatus(rowStatus);
    if (settled?.status !== 'failed') return false;
    return generations.has(row) || settled.code === undefined || CODES[settled.code].class === 'infrastructure';
  });
  return worthTelling ? { told: { ...told, redrives }, notice: { about: 'failures', redrives } } : undefined;
}

/** What a notice is called where it is written down that it was published. */
export function noticeName({ stop, about, hours, redrives }: NoticeRequest): string {
  if (about === 'reminder') return `${stop}-after-${hours ?? 0}h`;
  return about === 'failures' ? `failures-${redrives ?? 0}` : stop;
}
