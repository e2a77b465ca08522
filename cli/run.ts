import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';

import { assemble } from '../local/assembly.ts';
import { startStack, type LocalStack } from '../local/stack.ts';
import { clientEnvironment } from '../local/aws/services.ts';
import { completeSettings } from '../shared/settings.ts';
import { readSettings } from '../infra/stage.ts';
import { s3Client } from '../shared/aws/clients.ts';
import { s3ObjectStore } from '../shared/aws/s3-object-store.ts';
import type { Target } from '../shared/target.ts';
import { checkOperation } from './check-operation.ts';
import { countRows } from './count-rows.ts';
import { describeSummary } from './describe-summary.ts';
import { endingSignal } from './ending-signal.ts';
import { CommandFailed } from './failure.ts';
import { exitCodeOf, followJob } from './follow-job.ts';
import { showProgress } from './progress.ts';
import { leaveReport, makeReportFolder } from './report-folder.ts';
import { stopJob } from './stop-job.ts';
import { readTargetFile } from './target-file.ts';
import { sizeOf, uploadManifest } from './upload-manifest.ts';
import { reportViolations } from './violations.ts';

const REPORTS = 'reports';

interface RunOptions {
  readonly operation: string;
  readonly target?: string;
  readonly targetFile?: string;
  readonly out?: string;
  readonly stage?: string;
}

/** `run <file.csv>`: carries one file out on this machine, through the functions and queues of the synthesized template. */
export const addRun = (program: Command): Command =>
  program
    .command('run')
    .argument('<file.csv>', 'the manifest')
    .description('carry one file out on this machine and leave its report')
    .requiredOption('--operation <operation>', 'what is to be done with each row')
    .option('--target <cloud|data-center>', 'the simulator that it is carried out against; cloud unless given')
    .option('--target-file <secret.json>', "a real target's secret; the target is named as the file is")
    .option('--out <dir>', "where the report's files are put (reports/<job> unless given)")
    .option('--stage <settings.json>', 'settings of the stage, instead of the defaults')
    .action(async (file: string, options: RunOptions) => {
      process.exitCode = await run(file, options);
    });

async function run(file: string, options: RunOptions): Promise<number> {
  // Whatever can be wrong with what was given is said before anything is started.
  sizeOf(file);
  const given = options.targetFile === undefined ? undefined : readTargetFile(options.targetFile);
  const target = given?.name ?? simulatorTarget(options.target);
  checkOperation(options.operation, given?.type ?? simulatorTarget(options.target));
  const stage = options.stage === undefined ? completeSettings() : readSettings(options.stage);
  makeReportFolder(options.out ?? REPORTS);

  const ending = endingSignal();
  try {
    const stack = await startStack({
      folder: temporaryFolder(),
      synthesized: await assemble(stage),
      ...(given && { targets: { [given.name]: given.secret } }),
      simulator: given === undefined,
    });
    try {
      const errand = { file, target, operation: options.operation, out: options.out };
      const code = await applyTasks(stack, errand, ending);
      return reportViolations(stack, console.error) ? 1 : code;
    } finally {
      await stack.close();
    }
  } catch (error) {
    // Ctrl-C ends the bundler, too, and whatever fails thereby fails because of it.
    if (ending.aborted && !(error instanceof CommandFailed)) throw ending.reason;
    throw error;
  }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-run-'));
  // The target's secret comes to lie in it, so it goes however this process ends.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Errand {
  readonly file: string;
  readonly target: string;
  readonly operation: string;
  readonly out: string | undefined;
}

async function applyTasks(stack: LocalStack, errand: Errand, ending: AbortSignal): Promise<number> {
  ending.throwIfAborted();
  const { file, target, operation, out } = errand;
  const client = s3Client(clientEnvironment(stack));
  const inbox = s3ObjectStore({ client, bucket: stack.inboxBucket });
  const results = s3ObjectStore({ client, bucket: stack.resultsBucket });
  const { jobId, prefixes } = await uploadManifest({
    client,
    bucket: stack.inboxBucket,
    target,
    operation,
    path: file,
  });
  const progress = showProgress();
  const { summary, prefix } = await followJob({ results, prefixes, onStatus: progress.add(jobId), signal: ending })
    .finally(progress.stop)
    .catch((error: unknown) => {
      if (!ending.aborted) throw error;
      console.error('Stopping: rows under way are finished, no further one begins …');
      return stopJob({ inbox, results, jobId, prefixes });
    });

  const folder = await leaveReport(results, prefix, out ?? join(REPORTS, jobId));
  console.log(`${describeSummary(summary)}\nIts report lies in ${folder}.`);
  if (!ending.aborted || summary.state !== 'cancelled') return exitCodeOf(summary);
  console.log(
    `Stopped after ${countRows(summary.counts.rows - summary.counts.unprocessed)}. Drop the file in again to go on: rows that are done come out unchanged.`,
  );
  throw ending.reason;
}

function simulatorTarget(name = 'cloud'): Target['type'] {
  if (name === 'cloud' || name === 'data-center') return name;
  throw new CommandFailed(
    `--target is "${name}"; cloud or data-center was expected, the simulator's. A target of your own is given by --target-file <secret.json>.`,
  );
}
