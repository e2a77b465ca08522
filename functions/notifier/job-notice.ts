import { isWaiting, type JobState } from '../../shared/job/job.ts';
import { jobHash } from '../../shared/job/keys.ts';
import type { NoticeRequest } from '../../shared/job/messages.ts';
import { noticeName } from '../../shared/job/notices.ts';
import { CODES } from '../../shared/job/outcome.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { commandsFor, consoleLink, type Place } from './commands.ts';
import { type Notice, REFUSED } from '../../shared/notice.ts';
import { withoutAddresses, withoutCells } from './without-people.ts';

interface Occasion {
  readonly summary: Summary;
  readonly request: NoticeRequest;
  readonly place: Place;
  readonly at: Date;
}

/** What is told of a job, from the summary of its report. */
export function jobNotice({ summary, request, place, at }: Occasion): Notice {
  const job = jobHash(summary.job);
  const { target, operation, state } = summary;
  const { title, ...words } = wordsFor({ summary, request, commands: commandsFor(job, place) });
  const where = [operation, target].filter((name) => name !== '').join(' on ');
  return {
    version: 1,
    id: `${job}/${noticeName(request)}`,
    at: at.toISOString(),
    state: request.about === 'failures' ? 'dead-letters' : noticeStateOf(state),
    target,
    ...(operation !== '' && { operation }),
    job,
    title: where === '' ? title : `${title}: ${where}`,
    reasons: reasonsOf(summary),
    failures: isWaiting(state)
      ? []
      : (summary.failures ?? []).map(({ lines, ...failure }) => ({ ...failure, lines: [...lines] })),
    ...words,
    ...consoleLink(place, where === '' ? 'rejected/' : `${target}/${operation}/`),
  };
}

/** The states in which a job stops, and so is told of. */
function noticeStateOf(state: JobState): Exclude<Notice['state'], 'dead-letters' | 'credentials'> {
  if (state === 'validating' || state === 'planning' || state === 'running' || state === 'paused')
    throw new Error(`Nobody is notified of a job that is ${state}`);
  return state;
}

interface Telling extends Pick<Occasion, 'summary' | 'request'> {
  readonly commands: ReturnType<typeof commandsFor>;
}

type Words = Pick<Notice, 'title' | 'sentences' | 'urgency' | 'counts' | 'next'>;

function wordsFor(telling: Telling): Words {
  const { summary, request } = telling;
  if (request.about === 'failures') return failuresWords(telling);
  switch (noticeStateOf(summary.state)) {
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
  const isReminder = request.about === 'reminder';
  return {
    title: isReminder
      ? `Still waits after ${request.hours === 1 ? 'an hour' : `${request.hours} hours`}, ${rows(change)}`
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

function reasonsOf({ state, waiting, halt, problems = [] }: Summary): Notice['reasons'] {
  if (isWaiting(state))
    return (waiting?.reasons ?? []).map(({ code, message }) => ({ code, message: withoutAddresses(message) }));
  if (halt) return [{ code: halt.code, message: withoutCells(halt.message) }];
  return problems.map(({ line, message }) => ({
    code: line === undefined ? REFUSED : `line ${line}`,
    message: withoutCells(message),
  }));
}

const figuresOf = ({ rows: all, ...counts }: Summary['counts']): Notice['counts'] => ({ rows: all, ...counts });

const planned = (plan: Summary['plan']): Notice['counts'] =>
  plan && { 'to change': plan.change, unchanged: plan.unchanged, failed: plan.failed, invalid: plan.invalid };

const rows = (count: number): string => (count === 1 ? '1 row' : `${count} rows`);
