import { stateKey } from '../../shared/job/keys.ts';
import { parseState, serializeState, type State } from '../../shared/job/state.ts';
import type { ObjectStore } from '../../shared/ports.ts';

/** A state and the etag of the object it was read from: what its next write depends on. */
export interface StoredState {
  readonly state: State;
  readonly etag: string;
}

/** Job states, each read again only when its object has changed since this process saw it. */
export interface StateStore {
  readonly load: (jobId: string) => Promise<StoredState | undefined>;
  /** Throws ConditionNotMet when another run has written since `base` was read. */
  readonly save: (state: State, base: StoredState | undefined) => Promise<void>;
}

/** How many jobs' states a process keeps: the jobs that are active at the same time. */
const KEPT_STATES = 20;

export function createStateStore(results: ObjectStore): StateStore {
  const kept = new Map<string, StoredState>();

  const keep = (jobId: string, stored: StoredState): void => {
    kept.delete(jobId);
    kept.set(jobId, stored);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_STATES) break;
      kept.delete(oldest);
    }
  };

  return {
    load: async (jobId) => {
      const key = stateKey(jobId);
      const known = kept.get(jobId);
      const object = known ? await results.readIfChanged(key, known.etag) : await results.read(key);
      if (object === 'unchanged') return known;
      if (!object) return undefined;
      const stored = { state: parseState(await object.text()), etag: object.etag };
      keep(jobId, stored);
      return stored;
    },
    save: async (state, base) => {
      const condition = base ? { ifMatch: base.etag } : ({ ifNoneMatch: '*' } as const);
      const { etag } = await results.write(stateKey(state.job.id), serializeState(state), condition);
      keep(state.job.id, { state, etag });
    },
  };
}
