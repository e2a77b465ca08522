import { isStored } from '../shared/is-stored.ts';
import { jobIdOf } from '../shared/job/job-id.ts';
import type { JobState } from '../shared/job/job.ts';
import { OPEN_PREFIX, stateKey } from '../shared/job/keys.ts';
import { parseState } from '../shared/job/state.ts';
import { createEvent, type EventPorts } from '../shared/create-event.ts';
import type { EventsQueue, ObjectStore } from '../shared/ports.ts';

/** A manifest as it lies in the inbox. */
export interface InboxObject {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly bytes: number;
}

export interface RecoveryPorts extends EventPorts {
  readonly bucket: string;
  /** The newest version of every object in the inbox. */
  readonly manifests: () => AsyncIterable<InboxObject>;
  readonly results: ObjectStore;
  readonly eventsQueue: EventsQueue;
  /** Tells the intake of an object, as if it had just come. */
  readonly announce: (manifest: InboxObject) => Promise<void>;
}

/**
 * Goes on where a stack left off whose queues are gone: running jobs are paused and resumed, which enqueues every row without an
 * outcome again, and manifests that were not validated to the end are announced again. Returns how many of each.
 */
export async function recover(ports: RecoveryPorts): Promise<{ readonly resumed: number; readonly announced: number }> {
  const states = await openStates(ports.results);
  const running = [...states].filter(([, state]) => state === 'running').map(([jobId]) => jobId);
  const commands = running.flatMap((jobId) =>
    (['pause', 'resume'] as const).map((command) => createEvent(jobId, { type: 'commanded', command }, ports)),
  );
  if (commands.length > 0) await ports.eventsQueue.post(commands);

  let announced = 0;
  for await (const manifest of ports.manifests()) {
    const jobId = jobIdOf({ bucket: ports.bucket, ...manifest });
    const state = states.get(jobId);
    const isValidated = state === undefined ? await isStored(ports.results, stateKey(jobId)) : state !== 'validating';
    if (isValidated) continue;
    await ports.announce(manifest);
    announced += 1;
  }
  return { resumed: running.length, announced };
}

async function openStates(results: ObjectStore): Promise<ReadonlyMap<string, JobState>> {
  const states = new Map<string, JobState>();
  for await (const key of results.list(OPEN_PREFIX)) {
    const jobId = key.slice(OPEN_PREFIX.length);
    const stored = await results.read(stateKey(jobId));
    if (stored) states.set(jobId, parseState(await stored.text()).state);
  }
  return states;
}
