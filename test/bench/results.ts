import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

import type { Figure, Size } from './figures.ts';
import { highlightsTable } from './highlights.ts';
import { markdownTable } from './table.ts';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const [BEGIN, END] = ['<!-- bench -->', '<!-- /bench -->'];

/** Everything that one part measured in one run. */
export interface PartResult {
  readonly part: string;
  readonly size: Size;
  readonly startedAt: string;
  readonly seconds: number;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly platform: string;
}

/** What the figures were measured on; nothing that names the machine. */
export const machine = (): Machine => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
  platform: `${process.platform}-${process.arch}`,
});

/** Keeps a part's figures in `results/<part>.json`, those of small sizes beside the others. */
export function keepResult(result: PartResult): void {
  mkdirSync(RESULTS, { recursive: true });
  const name = result.size === 'full' ? result.part : `${result.part}.quick`;
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}

/** Puts the newest full figures of every part between the markers of docs/performance.md, with the machine, and some into the README. */
export async function writePage(parts: readonly string[]): Promise<void> {
  const kept = new Set(readdirSync(RESULTS));
  const results = parts
    .filter((part) => kept.has(`${part}.json`))
    .map((part) => JSON.parse(readFileSync(join(RESULTS, `${part}.json`), 'utf8')) as PartResult); // keepResult wrote it
  const page = between(PAGE, `${machines(results)}\n\n${markdownTable(results)}`);
  writeFileSync(PAGE, await format(page, { ...(await resolveConfig(PAGE)), parser: 'markdown' }));
  writeFileSync(README, between(README, highlightsTable(results)));
}

/** A page with this between its markers. */
function between(path: string, inside: string): string {
  const page = readFileSync(path, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${path} has no ${BEGIN} … ${END} for its table.`);
  return `${page.slice(0, before + BEGIN.length)}\n\n${inside}\n\n${page.slice(after)}`;
}

function machines(results: readonly PartResult[]): string {
  const minutes = results.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  const days = [...new Set(results.map(({ startedAt }) => startedAt.slice(0, 10)))].join(', ');
  const places = new Set(
    results.map(
      ({ machine: { processor, cores, memoryGiB, node, platform } }) =>
        `${cores} cores (${processor}), ${memoryGiB} GiB, ${platform}, Node ${node}`,
    ),
  );
  return `Measured on ${[...places].join('; ')}; ${days}, in ${minutes.toFixed(1)} minutes altogether.`;
}
