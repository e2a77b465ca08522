import type { Command as Program } from 'commander';

import { JOB } from './arguments.ts';
import { openDeadLetters, type DeadLetter, type DeadLetters } from './dead-letter-queue.ts';
import { catchSignals, CommandFailed } from './failures.ts';
import { checkJob } from './jobs.ts';
import { addPipelineCommand, openDeadLetterQueue, openPipeline, type PipelineOptions } from './pipeline.ts';
import { countRows, renderTable } from './show.ts';

/** `dead-letters list|show|redrive|discard`: the rows that failed, another try for those of one job, or none. */
export function addDeadLetters(program: Program): void {
  const group = program.command('dead-letters').description('list, show, redrive or discard the rows that failed');
  addAction(group, 'list', 'count failed rows by job and code', list);
  addAction(group, 'show', "show a job's failed rows; their cells are in the job's failed.csv", show);
  addAction(group, 'redrive', "run a job's failed rows again, as they are", redrive);
  addAction(group, 'discard', "give a job's failed rows up; its failed.csv still has them", discard);
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
    .action(async (idOrEnd: string | undefined, options: PipelineOptions) => {
      const pipeline = openPipeline(options);
      const { sqs, queueUrl } = openDeadLetterQueue(pipeline);
      const found = idOrEnd === undefined ? undefined : await checkJob(pipeline, idOrEnd);
      await run(openDeadLetters(sqs, queueUrl, catchSignals()), found?.job.id ?? idOrEnd ?? '');
    });
}

async function list(deadLetters: DeadLetters, jobId: string): Promise<void> {
  const groups = Map.groupBy(await listOf(deadLetters, jobId), ({ task, code }) => `${task?.jobId} ${code}`);
  const rows = [...groups.values()].map(([first, ...others]) => {
    const { jobId: job = '(not from Rollcall)', target = '', operation = '' } = first?.task ?? {};
    return [job, target, operation, first?.code ?? '', others.length + 1];
  });
  if (rows.length === 0) console.log('There are no dead letters.');
  else console.log(renderTable(['job', 'target', 'operation', 'code', 'rows'], rows));
}

async function show(deadLetters: DeadLetters, jobId: string): Promise<void> {
  const own = await listOf(deadLetters, jobId);
  if (own.length === 0) throw noDeadLetters(jobId);
  const rows = own
    .flatMap(({ task, ...reason }) => (task ? [{ ...reason, ...task, attempts: reason.attempts }] : []))
    .toSorted((one, other) => one.row - other.row)
    .map((row) => [row.line, row.code, row.class, row.attempts, row.httpStatus, row.traceId, row.generation - 1]);
  console.log(renderTable(['line', 'code', 'class', 'attempts', 'HTTP', 'trace id', 'redriven'], rows));
}

/** All dead letters, or those of one job. */
const listOf = async (deadLetters: DeadLetters, jobId: string): Promise<readonly DeadLetter[]> =>
  (await deadLetters.list()).filter(({ task }) => jobId === '' || task?.jobId === jobId);

async function redrive(deadLetters: DeadLetters, jobId: string): Promise<void> {
  const sent = await deadLetters.redrive(jobId);
  if (sent === 0) throw noDeadLetters(jobId);
  console.log(`Sent ${countRows(sent)} of ${jobId} to run again. The next revision of its report has their results.`);
}

async function discard(deadLetters: DeadLetters, jobId: string): Promise<void> {
  const discarded = await deadLetters.discard(jobId);
  if (discarded === 0) throw noDeadLetters(jobId);
  console.log(`Discarded ${countRows(discarded)} of ${jobId}. Its failed.csv has them, should they be needed again.`);
}

const noDeadLetters = (jobId: string): CommandFailed =>
  new CommandFailed(
    `There are no dead letters of ${jobId}: no row failed, or those that did were redriven already or are older than 14 days. To run them again, upload the job's failed.csv.`,
  );
