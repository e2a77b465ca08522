import { stateKey } from '../../shared/job/keys.ts';
import { parseState, type State } from '../../shared/job/state.ts';
import type { Clock, ObjectStore } from '../../shared/ports.ts';

/** Jobs' states as a worker sees them: never older than a second, so that a stop takes hold within one. */
export interface JobViews {
  readonly view: (jobId: string) => Promise<State | undefined>;
}

/** Less than a second by the time that a read may take. */
const VIEW_MS = 800;
const KEPT_VIEWS = 50;

interface View {
  readonly readMs: number;
  readonly state: State | undefined;
  readonly etag: string | undefined;
}

export function createJobViews(results: ObjectStore, clock: Clock): JobViews {
  const views = new Map<string, Promise<View>>();
  const readAt = new Map<string, number>();

  return {
    view: async (jobId) => {
      const nowMs = clock.now().getTime();
      const known = views.get(jobId);
      if (known && nowMs - (readAt.get(jobId) ?? 0) < VIEW_MS) return (await known).state;

      const reading = read(jobId, nowMs, known);
      remember(jobId, reading, nowMs);
      return (await reading).state;
    },
  };

  async function read(jobId: string, readMs: number, known: Promise<View> | undefined): Promise<View> {
    const before = await known?.catch(() => undefined); // a read that failed is made anew
    const key = stateKey(jobId);
    const object = before?.etag ? await results.readIfChanged(key, before.etag) : await results.read(key);
    if (object === 'unchanged') return { readMs, state: before?.state, etag: before?.etag };
    return { readMs, state: object && parseState(await object.text()), etag: object?.etag };
  }

  function remember(jobId: string, reading: Promise<View>, nowMs: number): void {
    for (const oldest of views.keys()) {
      if (views.size < KEPT_VIEWS) break;
      views.delete(oldest);
      readAt.delete(oldest);
    }
    views.set(jobId, reading);
    readAt.set(jobId, nowMs);
    reading.catch(() => views.delete(jobId)); // whoever asked gets the error; the next one reads again
  }
}
