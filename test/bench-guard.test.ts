import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBenchStack, type BenchStack, type Finished } from './bench/bench-stack.ts';
import { membershipManifest } from './bench/manifests.ts';
import { bundleRun, runMeasured } from './bench/measured-process.ts';
import { LIMITS } from './bench/simulator.ts';
import { total, usageOf, type Usage } from './bench/usage.ts';

const ROWS = 2_000;
const GROUPS = 40;

// Counts, not clock times: these hold on any machine, and creep up only when somebody makes a row dearer.
describe(`a membership job of ${ROWS} rows over ${GROUPS} groups`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-guard-'));
  let bench: BenchStack;
  let finished: Finished;
  let usage: Usage;

  beforeAll(async () => {
    bench = await startBenchStack(folder);
    await bench.simulator.seed({ users: ROWS, groups: GROUPS });
    await bench.simulator.behave({ latencyMs: 0, limits: LIMITS.none });
    const job = await bench.upload({
      target: 'cloud',
      operation: 'membership',
      csv: membershipManifest(ROWS, GROUPS),
    });
    finished = await job.finished();
    usage = usageOf(bench.stack, folder);
  }, 120_000);

  afterAll(async () => {
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('costs little more than one call a row', async () => {
    const { requests } = await bench.simulator.summary();

    expect(finished.summary.counts.changed).toBe(ROWS);
    expect(finished.summary.calls.sent).toBe(requests);
    expect(requests / ROWS).toBeLessThan(1.15);
  });

  // A small job has small batches while its window widens; a large one comes to half as many.
  it.each([
    ['SQS requests', 'sqs', 0.6],
    ['S3 writes', 's3Writes', 0.09],
    ['S3 reads', 's3Reads', 0.12],
  ] as const)('costs few %s', (_, kind, atMost) => {
    const perRow = total(usage[kind]) / ROWS;

    expect(perRow).toBeGreaterThan(0);
    expect(perRow).toBeLessThan(atMost);
  });

  it('reads the secret a few times in all', () => {
    expect(usage.secrets).toBeLessThan(10);
  });
});

describe('reading a manifest', () => {
  it('allocates less than three kilobytes a row', async () => {
    const { figures } = await runMeasured(
      bundleRun('reader-allocations-run'),
      [],
      ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'],
    );

    expect(figures['bytesPerRow']).toBeGreaterThan(100);
    expect(figures['bytesPerRow']).toBeLessThan(3_000);
  });
});
