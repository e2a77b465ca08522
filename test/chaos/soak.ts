// `node cli/node24.mjs test/chaos/soak.ts [--rows 200000]`: carries many rows out and compares the memory of each function's
// processes after warming up with that at the end; exit code 1 when one has grown by more than a tenth.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';

import { assemble } from '../../local/assembly.ts';
import { residentMemory } from '../../local/aws/lambda/function-process.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { completeSettings } from '../../shared/settings.ts';
import { readState } from '../../shared/job/state.ts';
import { clientsOf, isReported, summaryIn, until, upload, type Clients } from './job-here.ts';
import { accountId } from './recipes.ts';
import { percentile } from './recovery-times.ts';

const FUNCTIONS = ['splitter', 'worker', 'coordinator', 'reporter'];
const SAMPLE_EVERY_MS = 1_000;
/** Warm is a process between these shares of the rows; the end is the last part. */
const WARM = [0.25, 0.45] as const;
const END = [0.8, 1] as const;
const GROWTH_ALLOWED = 1.1;
const LIMIT_MS = 60 * 60_000;
/** Fewer say nothing: the process came late or went early. */
const LEAST_SAMPLES = 5;

interface Sample {
  readonly name: string;
  readonly pid: number;
  /** Share of the rows that are settled. */
  readonly progress: number;
  readonly bytes: number;
}

const { values } = parseArgs({ options: { rows: { type: 'string', default: '200000' } } });
const rows = Number(values.rows);
const folder = mkdtempSync(join(tmpdir(), 'rollcall-soak-'));
const startedMs = performance.now();
const stack = await startStack({ folder, synthesized: await assemble(completeSettings()) });
const grown = await soak(stack);
await stack.close();
rmSync(folder, { recursive: true, force: true });
process.exit(grown ? 1 : 0);

async function soak(running: LocalStack): Promise<boolean> {
  const clients = clientsOf(running);
  const seed = { users: rows, groups: 1, groupsPerUser: 0 };
  await fetch(`${running.atlassian}/_simulator/state`, { method: 'PUT', body: JSON.stringify({ seed }) });
  const lines = Array.from({ length: rows }, (_, at) => `${accountId(at + 1)},group-001`);
  const text = ['account_id,group', ...lines].join('\n');
  const job = await upload(clients, running, { target: 'cloud', operation: 'membership', text });

  const samples: Sample[] = [];
  const sampling = setInterval(() => void sample(running, clients, job.jobId, samples), SAMPLE_EVERY_MS);
  const isDone = async (): Promise<boolean> => isReported(await readState(clients.results, job.jobId));
  await until('the job ended', isDone, { forMs: LIMIT_MS, everyMs: 2_000 });
  clearInterval(sampling);

  const { state, counts } = await summaryIn(clients.results, job.prefix);
  console.log(`${state}: ${JSON.stringify(counts)} in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
  return report(samples) || counts.changed !== rows;
}

async function sample(running: LocalStack, { results }: Clients, jobId: string, samples: Sample[]): Promise<void> {
  const state = await readState(results, jobId).catch(() => undefined);
  const progress = (state?.outcomes ?? 0) / rows;
  for (const name of FUNCTIONS) {
    for (const pid of running.pids(name)) samples.push({ name, pid, progress, bytes: await residentMemory(pid) });
  }
}

/** Prints what each process held; true when one has grown by more than a tenth. */
function report(samples: readonly Sample[]): boolean {
  const table = new Table({
    head: ['function', 'process', 'warm, MB', 'end, MB', 'end / warm', 'most, MB'],
    style: { head: [], border: [] },
  });
  let grown = false;
  for (const own of Map.groupBy(samples, ({ pid }) => pid).values()) {
    const [warm, end] = [WARM, END].map(([from, to]) =>
      own.flatMap(({ progress, bytes }) => (progress >= from && progress < to && bytes > 0 ? [bytes] : [])),
    ) as [number[], number[]]; // map keeps the length
    const most = own.reduce((largest, { bytes }) => Math.max(largest, bytes), 0);
    const { name = '', pid = 0 } = own[0] ?? {};
    const isTelling = warm.length >= LEAST_SAMPLES && end.length >= LEAST_SAMPLES;
    const growth = percentile(end, 0.5) / percentile(warm, 0.5);
    if (isTelling && growth > GROWTH_ALLOWED) grown = true;
    const figures = isTelling
      ? [megabytes(percentile(warm, 0.5)), megabytes(percentile(end, 0.5)), growth.toFixed(2)]
      : ['–', '–', '–'];
    table.push([name, String(pid), ...figures, megabytes(most)]);
  }
  console.log(table.toString());
  return grown;
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
