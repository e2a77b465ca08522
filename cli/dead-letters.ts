import type { Command as Program } from 'commander';

import { JOB } from './arguments.ts';
import { openDeadLetters, type DeadLetter, type DeadLetters } from './dead-letter-queue.ts';
import { catchSignals, CommandFailed } from './failures.ts';
import { checkJob } from './jobs.ts';
import { addPipelineCommand, openDeadLetterQueue, openPipeline, type PipelineOptions } from './pipeline.ts';
import { countRows, renderTable } from './show.ts';

/** So many take a while. */
const MANY = 10_000;

/** `dead-letters list|show|redrive|discard`: the rows that failed, another try for those of one job, or none. */
export function addDeadLetters(program: Program): void {
  const group = program.command('dead-letters').description('list, show, redrive or discard the rows that failed');
  addAction(group, 'list', 'count failed rows by job and code', list);
  addAction(group, 'show', "show a job's failed rows; their cells are in the job's failed.csv", show);
  addAction(group, 'redrive', "run a job's failed rows again, as they are", redrive);
  addAction(group, 'discard', "take a job's failed rows off the queue, so that they are not run again", discard);
}

function addAction(
  group: Program,
  name: string,
  about: string,
  run: (deadLetters: DeadLetters, jobId: string) => Promise<void>,
): void {
  addPipelineCommand(group, name, about, { 0: 'done', 1: 'there is no such job, or it has no dead letters' })
    .argument(name === 'list' ? '[job]' : '<job>', JOB)
    .option('--dead-letters <url>', 'dead-letter queue of a deployed pipeline (stack output DeadLetterQueueUrl)')
    .action(async (idOrPart: string | undefined, options: PipelineOptions) => {
      const pipeline = await openPipeline(options);
      const { sqs, queueUrl } = openDeadLetterQueue(pipeline);
      const found = idOrPart === undefined ? undefined : await checkJob(pipeline, idOrPart);
      const deadLetters = openDeadLetters(sqs, queueUrl, catchSignals());
      const count = await deadLetters.count();
      if (count > MANY) console.error(`Going through about ${count} dead letters …`);
      await run(deadLetters, found?.job.id ?? idOrPart ?? '');
    });
}

async function list(deadLetters: DeadLetters, jobId: string): Promise<void> {
  const counts = new Map<string, Counted>();
  const { missed } = await deadLetters.read(({ task, code }) => {
    if (jobId !== '' && task?.jobId !== jobId) return;
    const { jobId: job = '(not from Rollcall)', target = '', operation = '' } = task ?? {};
    const counted = counts.get(`${job} ${code}`) ?? { cells: [job, target, operation, code], rows: 0 };
    counts.set(`${job} ${code}`, { ...counted, rows: counted.rows + 1 });
  });
  const rows = [...counts]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { cells, rows: n }]) => [...cells, n]);
  sayMissed(missed);
  if (rows.length === 0) console.log('There are no dead letters.');
  else console.log(renderTable(['job', 'target', 'operation', 'code', 'rows'], rows));
}

interface Counted {
  readonly cells: readonly string[];
  readonly rows: number;
}

async function show(deadLetters: DeadLetters, jobId: string): Promise<void> {
  let first: Shown[] = [];
  let count = 0;
  const { missed } = await deadLetters.read(({ task, ...reason }) => {
    if (task?.jobId !== jobId) return;
    count += 1;
    first.push({ ...reason, line: task.line, redriven: task.generation - 1 });
    if (first.length >= 2 * MOST_SHOWN) first = firstOf(first);
  });
  sayMissed(missed);
  if (count === 0) throw noDeadLetters(jobId);
  const rows = firstOf(first).map((row) => [
    row.line,
    row.code,
    row.class,
    row.attempts,
    row.httpStatus,
    row.traceId,
    row.redriven,
  ]);
  console.log(renderTable(['line', 'code', 'class', 'attempts', 'HTTP', 'trace id', 'redriven'], rows));
  if (count > rows.length) console.log(`and ${count - rows.length} more; the job's failed.csv has them all.`);
}

interface Shown extends Omit<DeadLetter, 'task'> {
  readonly line: number;
  readonly redriven: number;
}

const MOST_SHOWN = 1_000;

const firstOf = (rows: readonly Shown[]): Shown[] =>
  rows.toSorted((one, other) => one.line - other.line).slice(0, MOST_SHOWN);

async function redrive(deadLetters: DeadLetters, jobId: string): Promise<void> {
  const { rows: sent, missed } = await deadLetters.redrive(jobId);
  sayMissed(missed);
  if (sent === 0) throw noDeadLetters(jobId);
  console.log(`Sent ${countRows(sent)} of ${jobId} to run again. The next revision of its report has their results.`);
}

async function discard(deadLetters: DeadLetters, jobId: string): Promise<void> {
  const { rows: discarded, missed } = await deadLetters.discard(jobId);
  sayMissed(missed);
  if (discarded === 0) throw noDeadLetters(jobId);
  console.log(`Discarded ${countRows(discarded)} of ${jobId}. They stay failed; the job's failed.csv still has them.`);
}

function sayMissed(missed: number): void {
  if (missed === 0) return;
  console.error(
    `About ${missed} dead letters could not be looked at: another command has them, or one was killed. Run this again in ten minutes.`,
  );
}

const noDeadLetters = (jobId: string): CommandFailed =>
  new CommandFailed(
    `There are no dead letters of ${jobId}: no row failed, or those that did were redriven or discarded already, or are older than 14 days. To run them again, upload the job's failed.csv.`,
  );
