import { fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

import { completeSettings } from '../../shared/settings.ts';
import { CORPUS } from './corpus.ts';
import type { Judgement } from './run.ts';

const entries = Object.values(CORPUS).flat();
/** Of all of them together: what hangs is killed then. */
const HANGS_MS = 120_000;

let judgements: readonly Judgement[] = [];
let exit: unknown;

beforeAll(async () => {
  const child = fork(fileURLToPath(new URL('run.ts', import.meta.url)), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: [`--max-old-space-size=${completeSettings().splitter.memoryMegabytes}`],
    timeout: HANGS_MS,
  });
  const printed = child.stdout ? text(child.stdout) : Promise.resolve('');
  exit = (await once(child, 'exit'))[0];
  const lines = (await printed).trimEnd().split('\n');
  judgements = lines.map((line) => JSON.parse(line) as Judgement); // run.ts printed it
  const [reports, refusals] = ['report', 'refusal'].map(
    (ending) => judgements.filter((judgement) => judgement.ending === ending && judgement.faults.length === 0).length,
  );
  console.log(
    `Corpus: ${judgements.length} manifests tried, ${reports} ended in a report and ${refusals} in a refusal with line and remedy; ` +
      `${entries.length - (reports ?? 0) - (refusals ?? 0)} did not end as they must. Peak memory ${judgements.at(-1)?.peakMegabytes} MB.`,
  );
}, HANGS_MS + 10_000);

describe('a corpus of odd and hostile manifests', () => {
  it('holds at least 300, each once', () => {
    const names = entries.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(300);
  });

  it('crashes and hangs nothing', () => {
    expect({ exit, last: judgements.at(-1)?.name }).toEqual({ exit: 0, last: entries.at(-1)?.name });
  });

  it.each(Object.keys(CORPUS))('comes to what it must: %s', (kind) => {
    const own = judgements.filter((judgement) => judgement.kind === kind);

    expect(own.filter(({ faults }) => faults.length > 0)).toEqual([]);
    expect(own).toHaveLength(CORPUS[kind]?.length ?? 0);
  });

  it('is read, reported and read again within the memory of a function', () => {
    expect(judgements.at(-1)?.peakMegabytes).toBeLessThan(completeSettings().splitter.memoryMegabytes);
  });
});
