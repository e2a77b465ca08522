import { RollcallError } from '../../shared/errors.ts';
import { stateKey } from '../../shared/job/keys.ts';
import { parseState, type State } from '../../shared/job/state.ts';
import type { Clock, ObjectStore } from '../../shared/ports.ts';

/** The store takes longer to show a job's state than a state may be old; the rows stay on the queue. */
export class StateTooSlow extends RollcallError {
  readonly code = 'STATE_TOO_SLOW';
  readonly temporary = true;
}

/** Jobs' states as a worker sees them: never older than a second, so that a stop takes hold within one. */
export interface JobViews {
  /** Throws StateTooSlow. */
  readonly view: (jobId: string) => Promise<State | undefined>;
}

/** Less than a second by the time that a read may take. */
const VIEW_MS = 800;
const OLDEST_MS = 1_000;
const READS = 3;
const KEPT_VIEWS = 50;

interface View {
  readonly readMs: number;
  readonly state: State | undefined;
  readonly etag: string | undefined;
}

export function createJobViews(results: ObjectStore, clock: Clock): JobViews {
  const views = new Map<string, Promise<View>>();
  const readAt = new Map<string, number>();
  const nowMs = (): number => clock.now().getTime();

  return {
    view: async (jobId) => {
      for (let reads = 1; reads <= READS; reads += 1) {
        const { state, readMs } = await latest(jobId);
        // What it shows is as old as the beginning of the read, whenever the answer comes.
        if (nowMs() - readMs < OLDEST_MS) return state;
      }
      throw new StateTooSlow(`The state of job ${jobId} took more than ${OLDEST_MS} ms to read, ${READS} times`);
    },
  };

  function latest(jobId: string): Promise<View> {
    const known = views.get(jobId);
    const beganMs = nowMs();
    if (known && beganMs - (readAt.get(jobId) ?? 0) < VIEW_MS) return known;
    const reading = read(jobId, beganMs, known);
    remember(jobId, reading, beganMs);
    return reading;
  }

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
