import { readdirSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

import type { LocalStack } from '../local/stack.ts';
import { isCompleted } from '../shared/job/job.ts';
import { completeSettings } from '../shared/settings.ts';
import { addCommand } from './arguments.ts';
import { catchSignals } from './failures.ts';
import { fetchReport, uploadManifest } from './files.ts';
import { followJob, type Followed } from './jobs.ts';
import { claimFolder, withStack } from './local-stack.ts';
import { connectTo, openInbox, openResults } from './pipeline.ts';
import { showProgress, tabulateSummaries } from './show.ts';

/** Manifests as they would lie in the inbox: `<target>/<operation>/<name>.csv`. */
const EXAMPLES = fileURLToPath(new URL('../examples', import.meta.url));

/** `demo` (npm start): runs the examples against the simulator and shows what became of them. */
export const addDemo = (program: Command): Command =>
  addCommand(program, 'demo', 'run the example files against the Atlassian simulator', {
    0: 'every job completed',
    1: 'some job did not, or a function made a call that its role does not allow',
  })
    .option('--folder <dir>', 'where its state and the reports are kept; emptied first', join('.rollcall', 'demo'))
    .action(async ({ folder }: { readonly folder: string }) => {
      process.exitCode = await runDemo(folder);
    });

async function runDemo(folder: string): Promise<number> {
  const claim = claimFolder(folder);
  try {
    for (const part of ['objects', 'secrets', 'logs', 'reports'])
      rmSync(join(folder, part), { recursive: true, force: true });
    console.error('Building the stack and starting it on this machine …');
    const ending = catchSignals();
    return await withStack({ folder, settings: completeSettings(), ending }, (stack) =>
      runExamples(stack, join(folder, 'reports'), ending),
    );
  } finally {
    claim.release();
  }
}

async function runExamples(stack: LocalStack, folder: string, signal: AbortSignal): Promise<number> {
  const { client, bucket } = openInbox(connectTo(stack));
  const results = openResults(connectTo(stack));
  const progress = showProgress();

  const runExample = async (example: ReturnType<typeof listExamples>[number]): Promise<Followed> => {
    const onStatus = progress.add(`${example.target}/${example.operation}`);
    const { prefixes } = await uploadManifest({ client, bucket, ...example });
    const followed = await followJob({ results, prefixes, onStatus, signal });
    onStatus(followed.summary);
    await fetchReport(results, followed.prefix, join(folder, followed.prefix));
    return followed;
  };
  const followed = await Promise.all(listExamples().map(runExample)).finally(progress.stop);

  console.log(tabulateSummaries(followed.map(({ summary }) => summary)));
  console.log('Some rows fail on purpose; each report says which, why, and what to do. The reports are in');
  for (const { prefix } of followed) console.log(`  ${join(folder, prefix)}`);
  return followed.every(({ summary }) => isCompleted(summary.state)) ? 0 : 1;
}

function listExamples() {
  const paths = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.csv'));
  return paths.toSorted().map((path) => {
    const [target = '', operation = ''] = path.split(sep);
    return { target, operation, path: join(EXAMPLES, path) };
  });
}
