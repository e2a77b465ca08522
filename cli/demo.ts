import { readdirSync, rmSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

import type { LocalStack } from '../local/stack.ts';
import { isCompleted, isWaiting } from '../shared/job/job.ts';
import type { WaitReasonCode } from '../shared/job/outcome.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { completeSettings } from '../shared/settings.ts';
import { describeApproval, findNamed, followApproving } from './approval.ts';
import { addCommand } from './arguments.ts';
import { catchSignals } from './failures.ts';
import { fetchReport, uploadManifest } from './files.ts';
import { followJob, type Followed } from './jobs.ts';
import { claimFolder, withStack } from './local-stack.ts';
import { connectTo, openInbox, openResults } from './pipeline.ts';
import { readChanges } from './plan-preview.ts';
import { describeSummary, showProgress, tabulateSummaries } from './show.ts';

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
    for (const part of ['objects', 'queues', 'secrets', 'logs', 'reports'])
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
  const { client, bucket, store: inbox } = openInbox(connectTo(stack));
  const results = openResults(connectTo(stack));
  const progress = showProgress();

  const runExample = async (example: Example): Promise<Run> => {
    const onStatus = progress.add(`${example.target}/${example.operation}`);
    const { jobId, prefixes } = await uploadManifest({ client, bucket, ...example });
    const followed = await followJob({ results, prefixes, onStatus, signal });
    onStatus(followed.summary);
    return { jobId, prefixes, followed };
  };
  const runs = await Promise.all(listExamples().map(runExample)).finally(progress.stop);

  const ended: Followed[] = [];
  for (const { jobId, prefixes, followed } of runs) {
    const isLeft = isWaiting(followed.summary.state);
    const consent = (waiting: Followed) => approve(results, waiting);
    ended.push(isLeft ? await followApproving({ inbox, results, jobId, prefixes, consent, signal }) : followed);
  }
  for (const { prefix } of ended) await fetchReport(results, prefix, join(folder, prefix));

  console.log(tabulateSummaries(ended.map(({ summary }) => summary)));
  console.log('Some rows fail on purpose; each report says which, why, and what to do. The reports are in');
  for (const { prefix } of ended) console.log(`  ${join(folder, prefix)}`);
  const [first] = ended;
  if (first)
    console.log(`Open one of their pages in a browser, such as\n  ${resolve(folder, first.prefix, 'report.html')}`);
  return ended.every(({ summary }) => isCompleted(summary.state)) ? 0 : 1;
}

/** An example that was run until it waited or ended. */
interface Run {
  readonly jobId: string;
  readonly prefixes: readonly string[];
  readonly followed: Followed;
}

/** Does what a person does about a job that waits: looks at its plan, and accepts each reason by its name. */
async function approve(results: ObjectStore, { summary, prefix }: Followed): Promise<readonly WaitReasonCode[]> {
  const changes = await readChanges(results, { prefix, operation: summary.operation });
  const named = findNamed(summary);
  console.log(describeSummary(summary, changes));
  console.log(`Looked at and approved, as a person would:\n    ${describeApproval(summary.job, named)}\n`);
  return named;
}

type Example = ReturnType<typeof listExamples>[number];

function listExamples() {
  const paths = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.csv'));
  return paths.toSorted().map((path) => {
    const [target = '', operation = ''] = path.split(sep);
    return { target, operation, path: join(EXAMPLES, path) };
  });
}
