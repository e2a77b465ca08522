import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

import { assemble } from '../local/assembly.ts';
import { clientEnvironment } from '../local/aws/services.ts';
import { startStack, type LocalStack } from '../local/stack.ts';
import { completeSettings } from '../shared/settings.ts';
import { s3Client } from '../shared/aws/clients.ts';
import { s3ObjectStore } from '../shared/aws/s3-object-store.ts';
import { summaryTable } from './describe-summary.ts';
import { endingSignal } from './ending-signal.ts';
import { fetchReport } from './fetch-report.ts';
import { followJob, type Followed } from './follow-job.ts';
import { showProgress } from './progress.ts';
import { claimFolder } from './running-stack.ts';
import { uploadManifest } from './upload-manifest.ts';
import { reportViolations } from './violations.ts';

/** Manifests as they would lie in the inbox: `<target>/<operation>/<name>.csv`. */
const EXAMPLES = fileURLToPath(new URL('../examples', import.meta.url));

/** `demo` (npm start): carries the examples out against the simulator and shows what became of them. */
export const addDemo = (program: Command): Command =>
  program
    .command('demo')
    .description('carry the examples out against an Atlassian that we bring along')
    .option('--folder <dir>', 'where its state and the reports are kept; emptied first', join('.rollcall', 'demo'))
    .action(async ({ folder }: { readonly folder: string }) => {
      process.exitCode = await runDemo(folder);
    });

async function runDemo(folder: string): Promise<number> {
  const claim = claimFolder(folder);
  try {
    for (const part of ['objects', 'secrets', 'logs', 'reports'])
      rmSync(join(folder, part), { recursive: true, force: true });
    console.error('Synthesizing the stack and starting it on this machine …');
    const stack = await startStack({ folder, synthesized: await assemble(completeSettings()) });
    try {
      const code = await applyTasks(stack, join(folder, 'reports'));
      return reportViolations(stack, console.error) ? 1 : code;
    } finally {
      await stack.close();
    }
  } finally {
    claim.release();
  }
}

interface Example {
  readonly target: string;
  readonly operation: string;
  readonly path: string;
}

function examples(): readonly Example[] {
  const folders = (path: string): string[] => readdirSync(path).toSorted();
  return folders(EXAMPLES).flatMap((target) =>
    folders(join(EXAMPLES, target)).flatMap((operation) =>
      folders(join(EXAMPLES, target, operation)).map((name) => ({
        target,
        operation,
        path: join(EXAMPLES, target, operation, name),
      })),
    ),
  );
}

async function applyTasks(stack: LocalStack, folder: string): Promise<number> {
  const client = s3Client(clientEnvironment(stack));
  const results = s3ObjectStore({ client, bucket: stack.resultsBucket });
  const progress = showProgress();
  const signal = endingSignal();

  const carryOutOne = async (example: Example): Promise<Followed> => {
    const onStatus = progress.add(`${example.target}/${example.operation}`);
    const { prefixes } = await uploadManifest({ client, bucket: stack.inboxBucket, ...example });
    const followed = await followJob({ results, prefixes, onStatus, signal });
    onStatus(followed.summary);
    await fetchReport(results, followed.prefix, join(folder, followed.prefix));
    return followed;
  };
  const followed = await Promise.all(examples().map(carryOutOne)).finally(progress.stop);

  console.log(summaryTable(followed.map(({ summary }) => summary)));
  console.log('Some rows fail on purpose; each report says which, why, and what to do. The reports lie in');
  for (const { prefix } of followed) console.log(`  ${join(folder, prefix)}`);
  return followed.every(({ summary }) => summary.state === 'completed') ? 0 : 1;
}
