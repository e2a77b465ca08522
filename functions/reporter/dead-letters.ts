import * as z from 'zod';

import { RollcallError } from '../../shared/errors.ts';
import { hasEnded } from '../../shared/job/job.ts';
import { deadLettersKey, jobHash } from '../../shared/job/keys.ts';
import type { Task } from '../../shared/job/messages.ts';
import { CODES } from '../../shared/job/outcome.ts';
import { packRowStatuses, unpackRowStatuses } from '../../shared/job/row-status.ts';
import type { State } from '../../shared/job/state.ts';
import type { Log } from '../../shared/log.ts';
import type { Clock, Message, ObjectStore, Queue } from '../../shared/ports.ts';
import type { FailedRow, SendFailed } from './report.ts';

export interface DeadLetterPorts {
  readonly results: ObjectStore;
  readonly deadLetters: Queue;
  readonly clock: Clock;
  readonly log: Log;
}

/** Another report of the same job is sending dead letters; once it has sent them, nothing may be left to send. */
export class DeadLettersUnderWay extends RollcallError {
  readonly code = 'DEAD_LETTERS_UNDER_WAY';
  readonly temporary = true;
}

/** Whether the failed rows of a job are dead letters: it has ended, and had begun to apply. */
export const owesDeadLetters = ({ state, appliedAt }: State): boolean => hasEnded(state) && appliedAt !== undefined;

/** Longer than sending the failures of a few row chunks takes. */
const CLAIM_MS = 120_000;

/**
 * Sends a dead letter for each failed row, once a generation: what was sent is written down at `jobs/<id>/dead-letters.json`
 * afterwards, so that none is lost, and claimed before, so that of two reports of one job only one sends.
 */
export const createDeadLetterSender =
  ({ results, deadLetters, clock, log }: DeadLetterPorts, state: State): SendFailed =>
  async (failed) => {
    const { job, rows } = state;
    const key = deadLettersKey(job.id);
    const stored = await results.read(key);
    const { sent, claimedUntilMs } = stored ? parseRecord(await stored.text(), rows) : newRecord(rows);
    const due = failed.filter((row) => sent[row.outcome.row] !== markOf(row.outcome) && mayBeRedriven(row, state));
    if (due.length === 0) return;
    const nowMs = clock.now().getTime();
    if (nowMs < claimedUntilMs)
      throw new DeadLettersUnderWay(`Another report of ${job.id} is sending its dead letters`);
    const claim = textOf({ sent, claimedUntilMs: nowMs + CLAIM_MS });
    const { etag } = await results.write(key, claim, stored ? { ifMatch: stored.etag } : { ifNoneMatch: '*' });
    await deadLetters.send(due.map((row) => deadLetter(state, row)));
    // Rows that failed for reasons of their own are their uploader's business, and wake nobody.
    const infrastructure = due.filter(
      ({ outcome: { code } }) => code === undefined || CODES[code].class !== 'row',
    ).length;
    log('dead-letters.sent', { job: job.id, rows: due.length });
    if (infrastructure > 0) log('dead-letters.infrastructure', { job: job.id, rows: infrastructure });
    for (const { outcome } of due) sent[outcome.row] = markOf(outcome);
    await results.write(key, textOf({ sent, claimedUntilMs: 0 }), { ifMatch: etag });
  };

/** A row of an undo that its plan refused is none: its cells are no cells of the operation that the undo performs. */
const mayBeRedriven = ({ plan }: FailedRow, { plan: jobPlan }: State): boolean =>
  plan?.kind === 'change' || jobPlan?.gate?.operation === undefined;

interface DeadLetterRecord {
  /** A byte a row: the mark of the latest generation whose dead letter was sent, 0 before the first. */
  readonly sent: Uint8Array;
  /** Until when a report sends, unless it says sooner that it has; epoch milliseconds. */
  readonly claimedUntilMs: number;
}

/** Generations only go up, so one is never taken for another that is 255 away. */
const markOf = ({ generation }: FailedRow['outcome']): number => (generation % 255) + 1;

const newRecord = (rows: number): DeadLetterRecord => ({ sent: new Uint8Array(rows), claimedUntilMs: 0 });

const recordSchema = z.object({ version: z.literal(1), sent: z.string(), claimedUntilMs: z.number() });

function parseRecord(text: string, rows: number): DeadLetterRecord {
  const { sent, claimedUntilMs } = recordSchema.parse(JSON.parse(text));
  return { sent: unpackRowStatuses(sent, rows), claimedUntilMs };
}

const textOf = ({ sent, claimedUntilMs }: DeadLetterRecord): string =>
  JSON.stringify({ version: 1, sent: packRowStatuses(sent), claimedUntilMs } satisfies z.infer<typeof recordSchema>);

/** A failed row for the dead-letter queue: its task of the next generation, no attempts spent. Moved back to the tasks queue it runs as it is. */
function deadLetter({ job, plan: jobPlan }: Pick<State, 'job' | 'plan'>, { outcome, plan, cells }: FailedRow): Message {
  const { row, line, code, httpStatus, attempts, traceId } = outcome;
  const common = {
    version: 2,
    jobId: job.id,
    target: job.target,
    operation: jobPlan?.gate?.operation ?? job.operation,
    row,
    line,
    generation: outcome.generation + 1,
    attempts: 0,
  } as const;
  const body: Task =
    plan?.kind === 'change'
      ? {
          ...common,
          kind: 'change',
          subject: plan.subject,
          before: plan.before,
          after: plan.after,
          plannedAt: plan.at,
        }
      : { ...common, kind: 'row', cells };
  return {
    body,
    attributes: {
      job: jobHash(job.id), // names of files may be names of people
      code: code ?? '',
      class: code === undefined ? '' : CODES[code].class,
      attempts: String(attempts),
      httpStatus: httpStatus === undefined ? '' : String(httpStatus),
      traceId: traceId ?? '',
    },
  };
}
