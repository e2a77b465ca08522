import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';

import type { LocalStack } from '../local/stack.ts';
import { isCancelled } from '../shared/job/job.ts';
import { operationNames } from '../shared/operations/index.ts';
import type { Target } from '../shared/target.ts';
import { addCommand, checkOperation, readStage, readTargetFile } from './arguments.ts';
import { catchSignals, CommandFailed } from './failures.ts';
import { makeReportFolder, measureFile, saveReport, uploadManifest } from './files.ts';
import { exitCodeOf, followJob, stopJob } from './jobs.ts';
import { withStack } from './local-stack.ts';
import { connectTo, openInbox, openResults } from './pipeline.ts';
import { countRows, describeSummary, showProgress } from './show.ts';

const REPORTS = 'reports';

interface RunOptions {
  readonly operation: string;
  readonly target?: string;
  readonly targetFile?: string;
  readonly out?: string;
  readonly stage?: string;
}

/** `run <file.csv>`: applies one file from this machine, through the functions and queues of the synthesized template. */
export const addRun = (program: Command): Command =>
  addCommand(program, 'run', 'run one file on this machine and save its report', {
    0: 'every row is as the file asks; rows that repeat an earlier one do not count',
    1: 'the file was rejected or could not be run, or a function made a call that its role does not allow',
    2: 'some rows are not as the file asks; the report says which and why',
    130: 'Ctrl-C: the job is cancelled and its report saved',
  })
    .argument('<file.csv>', 'the CSV file')
    .requiredOption('--operation <operation>', `what to do with each row: ${operationNames.join(', ')}`)
    .option('--target <cloud|data-center>', 'the simulated Atlassian to apply it to (cloud unless given)')
    .option('--target-file <secret.json>', "a real target's secret; the target has the name of the file")
    .option('--out <dir>', "where the report's files are written (reports/<job> unless given)")
    .option('--stage <settings.json>', 'stage settings instead of the defaults')
    .action(async (file: string, options: RunOptions) => {
      process.exitCode = await run(file, options);
    });

async function run(file: string, options: RunOptions): Promise<number> {
  // Whatever can be wrong with what was given is said before anything is started.
  measureFile(file);
  const given = options.targetFile === undefined ? undefined : readTargetFile(options.targetFile);
  const target = given?.name ?? checkSimulated(options.target);
  checkOperation(options.operation, given?.type ?? checkSimulated(options.target));
  const settings = readStage(options.stage);
  makeReportFolder(options.out ?? REPORTS);

  const ending = catchSignals();
  const stack = {
    folder: makeTemporaryFolder(),
    settings,
    ending,
    ...(given && { targets: { [given.name]: given.secret } }),
    simulator: given === undefined,
  };
  return withStack(stack, (running) => runFile(running, { ...options, file, target }, ending));
}

function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-run-'));
  // The target's secret comes to lie in it, so it goes however this process ends.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Request extends RunOptions {
  readonly file: string;
  readonly target: string;
}

async function runFile(stack: LocalStack, request: Request, ending: AbortSignal): Promise<number> {
  const { file, target, operation, out } = request;
  const { client, bucket, store: inbox } = openInbox(connectTo(stack));
  const results = openResults(connectTo(stack));
  const { jobId, prefixes } = await uploadManifest({ client, bucket, target, operation, path: file });
  const progress = showProgress();
  const { summary, prefix } = await followJob({ results, prefixes, onStatus: progress.add(jobId), signal: ending })
    .finally(progress.stop)
    .catch((error: unknown) => {
      if (!ending.aborted) throw error;
      console.error('Stopping: rows in progress finish, no further row starts …');
      return stopJob({ inbox, results, jobId, prefixes });
    });

  const folder = await saveReport(results, prefix, out ?? join(REPORTS, jobId));
  console.log(`${describeSummary(summary)}\nThe report is in ${folder}.`);
  if (!ending.aborted || !isCancelled(summary.state)) return exitCodeOf(summary);
  console.log(
    `Stopped after ${countRows(summary.counts.rows - summary.counts.unprocessed)}. To continue, run the file again: rows that are done come out unchanged.`,
  );
  throw ending.reason;
}

function checkSimulated(name = 'cloud'): Target['type'] {
  if (name === 'cloud' || name === 'data-center') return name;
  throw new CommandFailed(
    `--target is "${name}"; cloud or data-center was expected, which are simulated. For your own Atlassian, give --target-file <secret.json>.`,
  );
}
