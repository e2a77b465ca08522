import type { commandsFor, Next } from './commands.ts';
import type { NoticeRequest } from './messages.ts';
import { CODES } from './outcome.ts';
import type { Summary } from './summary.ts';

/** What words are to be found for: a job's summary, and whether it is a reminder or dead letters that are spoken of. */
export interface Telling {
  readonly summary: Summary;
  readonly request?: Pick<NoticeRequest, 'about' | 'hours'> | undefined;
  readonly commands: ReturnType<typeof commandsFor>;
}

/** From nothing to do to something that should have been done. */
export type Urgency = 'none' | 'look' | 'act' | 'overdue';

/** A job that stopped, in words: one line, sentences, figures, and what to type next. */
export interface Words {
  readonly title: string;
  readonly sentences: readonly string[];
  readonly urgency: Urgency;
  readonly counts: Readonly<Record<string, number>>;
  readonly next: readonly Next[];
}

/** The words for a job as it stopped; throws where it has not. */
export function wordsFor(telling: Telling): Words {
  const { summary, request } = telling;
  if (request?.about === 'failures') return failuresWords(telling);
  switch (summary.state) {
    case 'waiting':
      return waitingWords(telling);
    case 'halted':
      return haltedWords(telling);
    case 'rejected':
      return rejectedWords(telling);
    case 'cancelled':
      return cancelledWords(telling);
    case 'broken':
      return brokenWords(telling);
    case 'completed':
      return summary.mode === 'dry-run' ? dryRunWords(telling) : completedWords(telling);
    case 'validating':
    case 'planning':
    case 'running':
    case 'paused':
      throw new Error(`A job that is ${summary.state} has not stopped`);
  }
}

function completedWords({ summary: { counts, failures = [] }, commands: { fetch } }: Telling): Words {
  const bad = failures.reduce((sum, failure) => sum + failure.rows, 0);
  const figures = figuresOf(counts);
  if (bad === 0)
    return {
      title: `Done, all ${rows(counts.rows)}`,
      sentences: ['Every row is as the file asks.'],
      urgency: 'none',
      counts: figures,
      next: [fetch],
    };
  const others = bad === counts.rows ? 'No row is as the file asks.' : 'The other rows are as the file asks.';
  return {
    title: `Finished, ${bad} of ${rows(counts.rows)} failed`,
    sentences: [`${others} failed.csv has those that failed, each with its reason; corrected, drop it in again.`],
    urgency: 'look',
    counts: figures,
    next: [fetch],
  };
}

function dryRunWords({ summary: { plan, counts }, commands: { fetch } }: Telling): Words {
  return {
    title: `Dry run, ${plan?.change ?? 0} of ${rows(counts.rows)} would change`,
    sentences: ['Nothing was changed. plan.csv says what would be. To apply it, drop the file in without the dry run.'],
    urgency: 'none',
    counts: planned(plan),
    next: [fetch],
  };
}

function waitingWords({ summary, request, commands: { look, approve, cancel } }: Telling): Words {
  const { plan, counts, waiting } = summary;
  const codes = waiting?.reasons.map(({ code }) => code) ?? [];
  const change = plan?.change ?? counts.rows;
  if (codes.includes('NOT_BEFORE'))
    return {
      title: `Waits for its time, ${rows(counts.rows)}`,
      sentences: ['Nothing is changed before then. It is planned by itself when its time comes.'],
      urgency: 'none',
      counts: {},
      next: [cancel],
    };
  const named = [...new Set(codes)].filter((code) => code !== 'APPROVAL_REQUIRED' && code !== 'STEP');
  const isReminder = request?.about === 'reminder';
  return {
    title: isReminder
      ? `Still waits after ${request?.hours === 1 ? 'an hour' : `${request?.hours} hours`}, ${rows(change)}`
      : `Waits for approval, ${rows(change)} to change`,
    sentences: [
      ...(isReminder ? ['Until somebody approves it, these people keep the access that they are to lose.'] : []),
      `Nothing${counts.changed > 0 ? ' more' : ''} is changed until somebody has looked at the plan and approved it.`,
    ],
    urgency: isReminder ? 'overdue' : 'act',
    counts: planned(plan),
    next: [look, approve(named), cancel],
  };
}

const haltedWords = ({ summary: { counts, halt }, commands: { fetch, resume, cancel } }: Telling): Words => ({
  title: `Halted with ${rows(counts.unprocessed)} to go`,
  sentences: [
    `The job stopped by itself: no row starts any more. ${counts.changed === 0 ? 'Nothing was changed.' : 'What was changed stays; results.csv lists it.'}`,
    ...(halt ? [CODES[halt.code].remedy] : []),
  ],
  urgency: 'act',
  counts: figuresOf(counts),
  next: [fetch, resume, cancel],
});

const rejectedWords = ({ commands: { status } }: Telling): Words => ({
  title: 'File refused, nothing was changed',
  sentences: ['The file as a whole cannot be used. Correct it, and upload it again.'],
  urgency: 'act',
  counts: {},
  next: [status],
});

const cancelledWords = ({ summary: { counts }, commands: { fetch } }: Telling): Words => ({
  title: `Cancelled, ${counts.changed} of ${rows(counts.rows)} were changed`,
  sentences: [
    'No row starts any more. To run the rest, drop unprocessed.csv in; undo.csv takes back what was changed.',
  ],
  urgency: 'look',
  counts: figuresOf(counts),
  next: [fetch],
});

const brokenWords = ({ summary: { counts }, commands: { fetch } }: Telling): Words => ({
  title: 'Not all rows are accounted for',
  sentences: [
    'Something of the job could not be read. Look at the problems in summary.json before anything is run again.',
  ],
  urgency: 'act',
  counts: figuresOf(counts),
  next: [fetch],
});

const failuresWords = ({ summary: { counts }, commands: { fetch, redrive, discard } }: Telling): Words => ({
  title: `Dead letters, ${rows(counts.failed)} failed`,
  sentences: ['Rows failed for good, and each lies in the dead-letter queue as it would be run again.'],
  urgency: 'act',
  counts: figuresOf(counts),
  next: [fetch, redrive, discard],
});

const figuresOf = ({ rows: all, ...counts }: Summary['counts']): Words['counts'] => ({ rows: all, ...counts });

const planned = (plan: Summary['plan']): Words['counts'] =>
  plan ? { 'to change': plan.change, unchanged: plan.unchanged, failed: plan.failed, invalid: plan.invalid } : {};

const rows = (count: number): string => (count === 1 ? '1 row' : `${count} rows`);
