import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';

import { assemble } from '../infra/local/assembly.ts';
import { startStack, type LocalStack } from '../infra/local/stack.ts';
import { clientEnvironment } from '../infra/local/services.ts';
import { pipelineStage, readStage } from '../infra/stage.ts';
import { s3Client } from '../shared/adapters/clients.ts';
import { s3ObjectStore } from '../shared/adapters/s3-object-store.ts';
import { describeSummary } from './describe-summary.ts';
import { endingSignal } from './ending-signal.ts';
import { CommandFailed } from './failure.ts';
import { fetchReport } from './fetch-report.ts';
import { exitCodeOf, followJob } from './follow-job.ts';
import { showProgress } from './progress.ts';
import { readTargetFile } from './target-file.ts';
import { sizeOf, uploadManifest } from './upload-manifest.ts';
import { reportViolations } from './violations.ts';

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
    .option('--target <cloud|data-center>', 'the rehearsal server that it is carried out against; cloud unless given')
    .option('--target-file <secret.json>', "a real target's secret; the target is named as the file is")
    .option('--out <dir>', "where the report's files are put (reports/<job> unless given)")
    .option('--stage <settings.json>', 'settings of the stage, instead of the defaults')
    .action(async (file: string, options: RunOptions) => {
      process.exitCode = await run(file, options);
    });

async function run(file: string, options: RunOptions): Promise<number> {
  sizeOf(file); // said before anything is started
  const given = options.targetFile === undefined ? undefined : readTargetFile(options.targetFile);
  const target = given?.name ?? rehearsalTarget(options.target);
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-run-'));
  const stack = await startStack({
    folder,
    synthesized: await assemble(options.stage === undefined ? pipelineStage() : readStage(options.stage)),
    ...(given && { targets: { [given.name]: given.secret } }),
    rehearsal: given === undefined,
    environment: process.env,
  });
  try {
    const code = await carryOut(stack, { file, target, operation: options.operation, out: options.out });
    return reportViolations(stack, console.error) ? 1 : code;
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Errand {
  readonly file: string;
  readonly target: string;
  readonly operation: string;
  readonly out: string | undefined;
}

async function carryOut(stack: LocalStack, { file, target, operation, out }: Errand): Promise<number> {
  const client = s3Client(clientEnvironment(stack, stack, stack.region));
  const results = s3ObjectStore({ client, bucket: stack.resultsBucket });
  const { jobId, prefixes } = await uploadManifest({
    client,
    bucket: stack.inboxBucket,
    target,
    operation,
    path: file,
  });
  const progress = showProgress();
  const { summary, prefix } = await followJob({
    results,
    prefixes,
    onStatus: progress.add(jobId),
    signal: endingSignal(),
  }).finally(progress.stop);

  const folder = out ?? join('reports', jobId);
  await fetchReport(results, prefix, folder);
  console.log(`${describeSummary(summary)}\nIts report lies in ${folder}.`);
  return exitCodeOf(summary);
}

function rehearsalTarget(name = 'cloud'): string {
  if (name === 'cloud' || name === 'data-center') return name;
  throw new CommandFailed(
    `--target is "${name}"; cloud or data-center was expected, the rehearsal server's. A target of your own is given by --target-file <secret.json>.`,
  );
}
