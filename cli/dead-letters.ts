import type { Command as Program } from 'commander';
import Table from 'cli-table3';

import { deadLettersOf, JOB, openAccess, withAccess, type AccessOptions } from './access.ts';
import { countRows } from './count-rows.ts';
import { endingSignal } from './ending-signal.ts';
import { CommandFailed } from './failure.ts';
import { checkJob } from './find-job.ts';
import { openDeadLetters, type DeadLetters, type Letter } from './dead-letter-queue.ts';

/** `dead-letters list|show|redrive`: the rows that failed, and another go for those of one job. */
export function addDeadLetters(program: Program): void {
  const group = program.command('dead-letters').description('the rows that failed, each kept with its reason');
  add(group, 'list', 'count them by job and code', list);
  add(group, 'show', "show those of one job; what is in the rows stands in the job's failed.csv", show);
  add(group, 'redrive', 'put those of one job up for another go, as they are', redrive);
}

function add(
  group: Program,
  name: string,
  about: string,
  run: (letters: DeadLetters, jobId: string) => Promise<void>,
): void {
  withAccess(group.command(name))
    .argument(name === 'list' ? '[job]' : '<job>', JOB)
    .option('--dead-letters <url>', 'the dead-letter queue of a deployed pipeline (its output DeadLetterQueueUrl)')
    .description(about)
    .action(async (idOrEnd: string | undefined, options: AccessOptions) => {
      const access = openAccess(options, process.env);
      const { sqs, queueUrl } = deadLettersOf(access);
      const found = idOrEnd === undefined ? undefined : await checkJob(access, idOrEnd);
      await run(openDeadLetters(sqs, queueUrl, endingSignal()), found?.job.id ?? idOrEnd ?? '');
    });
}

async function list(letters: DeadLetters, jobId: string): Promise<void> {
  const groups = Map.groupBy(await lettersOf(letters, jobId), ({ task, code }) => `${task?.jobId} ${code}`);
  const rows = [...groups.values()].map(([first, ...others]) => {
    const { jobId: job = '(not ours)', target = '', operation = '' } = first?.task ?? {};
    return [job, target, operation, first?.code ?? '', others.length + 1];
  });
  if (rows.length === 0) console.log('There are no dead letters.');
  else console.log(tableOf(['job', 'target', 'operation', 'code', 'letters'], rows));
}

async function show(letters: DeadLetters, jobId: string): Promise<void> {
  const own = await lettersOf(letters, jobId);
  if (own.length === 0) throw noLetters(jobId);
  const rows = own
    .flatMap(({ task, ...letter }) => (task ? [{ ...letter, ...task, attempts: letter.attempts }] : []))
    .toSorted((one, other) => one.row - other.row)
    .map(({ line, code, attempts, httpStatus, traceId, generation }) => [
      line,
      code,
      attempts,
      httpStatus,
      traceId,
      generation - 1,
    ]);
  console.log(tableOf(['line', 'code', 'attempts', 'HTTP', 'trace id', 'redriven'], rows));
}

/** All letters, or those of one job. */
const lettersOf = async (letters: DeadLetters, jobId: string): Promise<readonly Letter[]> =>
  (await letters.all()).filter(({ task }) => jobId === '' || task?.jobId === jobId);

async function redrive(letters: DeadLetters, jobId: string): Promise<void> {
  const put = await letters.redrive(jobId);
  if (put === 0) throw noLetters(jobId);
  console.log(`Put ${countRows(put)} of ${jobId} up again. Its report's next revision says what came of them.`);
}

const noLetters = (jobId: string): CommandFailed =>
  new CommandFailed(
    `There is no dead letter of ${jobId}: none of its rows failed, or they were redriven, or they are older than 14 days.`,
  );

function tableOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
