import { RollcallError } from '../errors.ts';
import type { Clock, ObjectStore } from '../ports.ts';
import { createStateStore, type State } from './state.ts';

/** The store takes longer to show a job's state than a state may be old; the rows stay on the queue. */
export class StateTooSlow extends RollcallError {
  readonly code = 'STATE_TOO_SLOW';
  readonly temporary = true;
}

/** Jobs' states as a worker or a planner sees them: never older than a second, so that a stop takes hold within one. */
export interface JobViews {
  /** Throws StateTooSlow. */
  readonly view: (jobId: string) => Promise<State | undefined>;
  /** The same, read again: for what cannot be taken back. */
  readonly renew: (jobId: string) => Promise<State | undefined>;
}

/** Less than a second by the time that a read may take. */
const VIEW_MS = 800;
const OLDEST_MS = 1_000;
const READS = 3;
const KEPT_STATES = 50;

/** What a view shows is as old as the beginning of its read, whenever the answer comes. */
interface Reading {
  readonly beganMs: number;
  readonly state: Promise<State | undefined>;
}

export function createJobViews(results: ObjectStore, clock: Clock): JobViews {
  const states = createStateStore(results, KEPT_STATES);
  const readings = new Map<string, Reading>();
  const nowMs = (): number => clock.now().getTime();

  /** The reading that is young enough, made by whoever asked first, or a new one. */
  function latest(jobId: string): Reading {
    const beganMs = nowMs();
    for (const [id, reading] of readings) if (beganMs - reading.beganMs >= VIEW_MS) readings.delete(id);
    const known = readings.get(jobId);
    if (known) return known;
    const reading = { beganMs, state: states.load(jobId).then((stored) => stored?.state) };
    readings.set(jobId, reading);
    reading.state.catch(() => readings.delete(jobId)); // whoever asked gets the error; the next one reads again
    return reading;
  }

  async function view(jobId: string): Promise<State | undefined> {
    for (let reads = 1; reads <= READS; reads += 1) {
      const reading = latest(jobId);
      const state = await reading.state;
      if (nowMs() - reading.beganMs < OLDEST_MS) return state;
    }
    throw new StateTooSlow(`The state of job ${jobId} took more than ${OLDEST_MS} ms to read, ${READS} times`);
  }

  return {
    view,
    renew: (jobId) => {
      readings.delete(jobId);
      return view(jobId);
    },
  };
}
