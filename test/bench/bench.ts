// `npm run bench [-- <part>… --quick]`: measures, prints one table, and keeps the figures in test/bench/results.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';

import type { Part, Size } from './figures.ts';
import { coldStart } from './parts/cold-start.ts';
import { coordinator } from './parts/coordinator.ts';
import { endToEnd } from './parts/end-to-end.ts';
import { latency } from './parts/latency.ts';
import { limitChange } from './parts/limit-change.ts';
import { paced } from './parts/paced.ts';
import { profile } from './parts/profile.ts';
import { creation, membership } from './parts/side-by-side.ts';
import { smallBehindLarge } from './parts/small-behind-large.ts';
import { splitter } from './parts/splitter.ts';
import { stop } from './parts/stop.ts';
import { keepResult, machine, writePage, type PartResult } from './results.ts';
import { terminalTable } from './table.ts';

const PARTS: readonly Part[] = [
  membership,
  creation,
  splitter,
  coordinator,
  endToEnd,
  latency,
  smallBehindLarge,
  paced,
  stop,
  limitChange,
  coldStart,
  profile,
];

const names = PARTS.map(({ name }) => name);
const program = new Command('bench')
  .description(
    `Measures Rollcall on this machine. Parts:\n${PARTS.map(({ name, about }) => `  ${name}: ${about}`).join('\n')}`,
  )
  .argument('[parts...]', 'all of them unless some are named')
  .option('--quick', 'small sizes: whether everything works, in a few minutes')
  .addOption(new Option('--page', 'put the newest full figures into docs/performance.md'))
  .parse();
const { quick, page } = program.opts<{ readonly quick?: boolean; readonly page?: boolean }>();
const wanted = program.args;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) program.error(`There is no part ${unknown.join(', ')}; there are ${names.join(', ')}.`);

const size: Size = quick ? 'quick' : 'full';
const results: PartResult[] = [];
for (const part of PARTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  results.push(await measure(part));
}
console.log(terminalTable(results));
if (page) await writePage(names);
process.exit(results.every(({ figures }) => figures.length > 0) ? 0 : 1);

/** A part that fails is told and leaves no figures; the others run all the same. */
async function measure(part: Part): Promise<PartResult> {
  const folder = mkdtempSync(join(tmpdir(), `rollcall-bench-${part.name}-`));
  const started = performance.now();
  const startedAt = new Date().toISOString();
  const seconds = (): number => (performance.now() - started) / 1_000;
  const say = (text: string): void => console.error(`[${part.name} ${seconds().toFixed(0)} s] ${text}`);
  try {
    say(part.about);
    const figures = await part.run({ size, folder, say });
    const result = { part: part.name, size, startedAt, seconds: seconds(), machine: machine(), figures };
    keepResult(result);
    return result;
  } catch (error) {
    say(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return { part: part.name, size, startedAt, seconds: seconds(), machine: machine(), figures: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
