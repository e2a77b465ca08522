import { describe, expect, it } from 'vitest';

import { createJobViews } from '../../../shared/job/views.ts';
import { newState, serializeState } from '../../../shared/job/state.ts';
import { stateKey } from '../../../shared/job/keys.ts';
import type { ObjectStore } from '../../../shared/ports.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { JOB, NOW_MS } from './building.ts';

/** A store whose reads take so long, one after the other, and then no time at all. */
function start(...readsMs: number[]) {
  const time = { nowMs: NOW_MS };
  const stored = serializeState({ ...newState(JOB, NOW_MS), state: 'running' });
  const results = memoryObjectStore({ [stateKey(JOB.id)]: stored });
  let reads = 0;
  const slow = async <Value>(read: () => Promise<Value>): Promise<Value> => {
    reads += 1;
    const value = await read();
    time.nowMs += readsMs.shift() ?? 0;
    return value;
  };
  const store: ObjectStore = {
    ...results,
    read: (key, options) => slow(() => results.read(key, options)),
    readIfChanged: (key, etag) => slow(() => results.readIfChanged(key, etag)),
  };
  const views = createJobViews(store, { now: () => new Date(time.nowMs) });
  return { views, time, reads: () => reads };
}

describe("a worker's view of a job", () => {
  it('is read once for all who ask at about the same time, and again when it grows old', async () => {
    const { views, time, reads } = start();

    await Promise.all([views.view(JOB.id), views.view(JOB.id)]);
    time.nowMs += 500;
    await views.view(JOB.id);
    const early = reads();
    time.nowMs += 500;
    await views.view(JOB.id);

    expect([early, reads()]).toEqual([1, 2]);
  });

  it('is read again when the answer took so long that a stop may have come meanwhile', async () => {
    const { views, reads } = start(1_500);

    expect(await views.view(JOB.id)).toMatchObject({ state: 'running' });
    expect(reads()).toBe(2);
  });

  it('is refused rather than believed when the store stays slow', async () => {
    const { views } = start(1_500, 1_500, 1_500);

    await expect(views.view(JOB.id)).rejects.toMatchObject({ code: 'STATE_TOO_SLOW', temporary: true });
  });
});
