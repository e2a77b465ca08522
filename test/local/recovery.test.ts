import { expect, it } from 'vitest';

import { recover, type InboxObject } from '../../local/recovery.ts';
import { systemChance } from '../../shared/aws/system-chance.ts';
import { newState } from '../../shared/job/fold.ts';
import { jobIdOf } from '../../shared/job/job-id.ts';
import type { JobState } from '../../shared/job/job.ts';
import { openKey, stateKey } from '../../shared/job/keys.ts';
import { serializeState } from '../../shared/job/state.ts';
import { memoryObjectStore } from '../fakes/memory-object-store.ts';
import { memoryEventsQueue } from '../fakes/memory-queue.ts';

const BUCKET = 'inbox';
const manifest = (name: string): InboxObject => ({ key: `cloud/suspend/${name}.csv`, versionId: 'v1', bytes: 10 });
const idOf = (name: string): string => jobIdOf({ bucket: BUCKET, ...manifest(name) });

it('enqueues running jobs again by pausing and resuming them, in that order', async () => {
  const { ports, eventsQueue } = left({ running: 'running' });

  expect(await recover(ports)).toEqual({ resumed: 1, announced: 0 });
  expect(eventsQueue.events.map((event) => [event.jobId, event.type === 'commanded' && event.command])).toEqual([
    [idOf('running'), 'pause'],
    [idOf('running'), 'resume'],
  ]);
});

it('announces manifests again of which nothing is known, or that were being validated', async () => {
  const { ports, announced } = left({ validating: 'validating', unheard: undefined, completed: 'completed' });

  await recover(ports);

  expect(announced.map(({ key }) => key)).toEqual(['cloud/suspend/validating.csv', 'cloud/suspend/unheard.csv']);
});

it.each<JobState>(['paused', 'waiting', 'halted'])('leaves a job alone that is %s', async (state) => {
  const { ports, eventsQueue, announced } = left({ job: state });

  await recover(ports);

  expect([...eventsQueue.events, ...announced]).toEqual([]);
});

/** What a stack that was killed leaves: manifests, and the states of the jobs that they became. */
function left(jobs: Readonly<Record<string, JobState | undefined>>) {
  const objects: Record<string, string> = {};
  for (const [name, state] of Object.entries(jobs)) {
    if (state === undefined) continue;
    const { key, versionId, bytes } = manifest(name);
    const job = {
      id: idOf(name),
      target: 'cloud',
      operation: 'suspend',
      manifest: { bucket: BUCKET, key, versionId, bytes },
      startedAt: '2026-01-01T00:00:00.000Z',
    };
    objects[stateKey(job.id)] = serializeState({ ...newState(job, 0), state });
    if (state !== 'completed') objects[openKey(job.id)] = '';
  }
  const announced: InboxObject[] = [];
  const eventsQueue = memoryEventsQueue();
  const ports = {
    bucket: BUCKET,
    manifests: async function* () {
      yield* Object.keys(jobs).map(manifest);
    },
    results: memoryObjectStore(objects),
    eventsQueue,
    announce: async (object: InboxObject) => {
      announced.push(object);
    },
    clock: { now: () => new Date(0) },
    chance: systemChance,
  };
  return { ports, eventsQueue, announced };
}
