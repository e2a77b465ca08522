import { peakMiB } from '../peak-memory.ts';
import { CORPUS } from './corpus.ts';
import { startLine } from './carry.ts';
import { faultsOf } from './judge.ts';
import { LIMITS } from './oversized.ts';

/** One line of what this program prints: a manifest, and in what it came to something else than it must. */
export interface Judgement {
  readonly kind: string;
  readonly name: string;
  readonly ending: 'report' | 'refusal';
  readonly faults: readonly string[];
  readonly milliseconds: number;
  /** Of the whole process so far. */
  readonly peakMegabytes: number;
}

// A program of its own, so that what hangs or needs too much memory ends it and not the tests.
for (const [kind, entries] of Object.entries(CORPUS)) {
  for (const entry of entries) {
    const startedMs = performance.now();
    const faults = await faultsOf(entry, startLine(LIMITS)).catch((error: unknown) => [`it throws ${String(error)}`]);
    const judgement: Judgement = {
      kind,
      name: entry.name,
      ending: entry.ending.kind,
      faults,
      milliseconds: Math.round(performance.now() - startedMs),
      peakMegabytes: Math.round(peakMiB()),
    };
    console.log(JSON.stringify(judgement));
  }
}
