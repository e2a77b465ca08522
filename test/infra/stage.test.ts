import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { pipelineStage, readStage, stackNameOf, StageInvalid, visibilitySeconds } from '../../infra/stage.ts';

const fault = (settings: unknown): string => {
  try {
    pipelineStage(settings);
    return 'none';
  } catch (error) {
    if (error instanceof StageInvalid) return error.message;
    throw error;
  }
};

describe('a stage', () => {
  it('is complete without a single setting', () => {
    expect(pipelineStage()).toEqual(pipelineStage({}));
  });

  it('names every fault at once', () => {
    const message = fault({
      name: 'Production',
      alarms: { emails: ['not an address'] },
      worker: { timeoutSeconds: 1_000, batchSize: 0 },
      retention: { logDays: 4 },
      limits: { rows: -1 },
    });

    for (const path of ['name', 'alarms.emails.0', 'worker.timeoutSeconds', 'worker.batchSize']) {
      expect(message).toContain(path);
    }
    expect(message).toContain('retention.logDays');
    expect(message).toContain('limits.rows');
  });

  it.each([
    ['a setting that does not exist', { worker: { retries: 3 } }, 'retries'],
    ['fewer reserved than its sources run', { worker: { tasksConcurrency: 10 } }, 'at least 12'],
    ['no reservation left for the reconcile', { coordinator: { reservedConcurrency: 2 } }, 'at least 3'],
    ['a source that runs one at a time', { splitter: { enqueueConcurrency: 1 } }, 'splitter.enqueueConcurrency'],
    ['a large batch without a window', { worker: { batchingWindowSeconds: 0 } }, 'worker.batchingWindowSeconds'],
    ['so few receives that throttling uses them up', { maxReceiveCount: 2 }, 'maxReceiveCount'],
    ['rows that no message can carry', { limits: { rowBytes: 2_000_000 } }, 'limits.rowBytes'],
    ['a bucket name that S3 refuses', { inboxBucketName: 'In_Box' }, 'inboxBucketName'],
  ])('is refused with %s', (_, settings, words) => {
    expect(fault(settings)).toContain(words);
  });

  it('may run many at once when it reserves none', () => {
    expect(
      pipelineStage({ worker: { tasksConcurrency: 50, reservedConcurrency: 'none' } }).worker.tasksConcurrency,
    ).toBe(50);
  });

  it.each([
    [{}, 'Rollcall'],
    [{ name: 'test' }, 'Rollcall-test'],
  ])('%j is the stack %s', (settings, name) => {
    expect(stackNameOf(pipelineStage(settings))).toBe(name);
  });

  it.each([
    [{ timeoutSeconds: 30 }, 180],
    [{ timeoutSeconds: 3, batchingWindowSeconds: 1 }, 19],
  ])('with %j hides messages for %i seconds', (settings, seconds) => {
    expect(visibilitySeconds(settings)).toBe(seconds);
  });
});

it.each(settingsOf(pipelineStage({ name: 'test', inboxBucketName: 'inbox', resultsBucketName: 'results' })))(
  'the setting %s is in the deployment guide',
  (setting) => {
    const guide = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');

    expect(guide).toMatch(new RegExp(`[\`.]${setting}\``));
  },
);

describe('a stage file', () => {
  const file = (text: string): string => {
    const path = join(mkdtempSync(join(tmpdir(), 'rollcall-stage-')), 'stage.json');
    writeFileSync(path, text);
    return path;
  };

  it('holds settings as JSON', () => {
    expect(readStage(file('{"name":"test"}')).name).toBe('test');
  });

  it.each([
    ['is not there', () => '/nowhere/stage.json'],
    ['is not JSON', () => file('name: test')],
  ])('that %s is named in the refusal', (_, path) => {
    const named = path();

    expect(() => readStage(named)).toThrow(named);
  });
});

function settingsOf(settings: object): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'object' && !Array.isArray(value) ? settingsOf(value as object) : [name],
  );
}
