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
  readonly state: State | undefined;
  readonly etag: string | undefined;
}

/** What a view shows is as old as the beginning of its read, whenever the answer comes. */
interface Reading {
  readonly beganMs: number;
  readonly view: Promise<View>;
}

export function createJobViews(results: ObjectStore, clock: Clock): JobViews {
  const readings = new Map<string, Reading>();
  const nowMs = (): number => clock.now().getTime();

  return {
    view: async (jobId) => {
      for (let reads = 1; reads <= READS; reads += 1) {
        const { beganMs, view } = latest(jobId);
        const { state } = await view;
        if (nowMs() - beganMs < OLDEST_MS) return state;
      }
      throw new StateTooSlow(`The state of job ${jobId} took more than ${OLDEST_MS} ms to read, ${READS} times`);
    },
  };

  function latest(jobId: string): Reading {
    const known = readings.get(jobId);
    const beganMs = nowMs();
    if (known && beganMs - known.beganMs < VIEW_MS) return known;
    const reading = { beganMs, view: read(jobId, known) };
    remember(jobId, reading);
    return reading;
  }

  async function read(jobId: string, known: Reading | undefined): Promise<View> {
    const before = await known?.view.catch(() => undefined); // a read that failed is made anew
    const key = stateKey(jobId);
    const object = before?.etag ? await results.readIfChanged(key, before.etag) : await results.read(key);
    if (object === 'unchanged') return { state: before?.state, etag: before?.etag };
    return { state: object && parseState(await object.text()), etag: object?.etag };
  }

  function remember(jobId: string, reading: Reading): void {
    for (const oldest of readings.keys()) {
      if (readings.size < KEPT_VIEWS) break;
      readings.delete(oldest);
    }
    readings.set(jobId, reading);
    reading.view.catch(() => readings.delete(jobId)); // whoever asked gets the error; the next one reads again
  }
}
