import { ConditionNotMet } from '../../shared/port-errors.ts';
import { fold } from '../../shared/job/fold.ts';
import { hasEnded } from '../../shared/job/job.ts';
import type { JobEvent } from '../../shared/job/events.ts';
import { chunkKey, openKey, resultsPrefix } from '../../shared/job/keys.ts';
import type { Policy } from '../../shared/job/policy.ts';
import type { State } from '../../shared/job/state.ts';
import { step } from '../../shared/job/step.ts';
import { summaryOf } from '../../shared/job/summary.ts';
import { readValidation, type Validation } from '../../shared/job/validation.ts';
import type { Chance, Clock, ObjectStore } from '../../shared/ports.ts';
import { sendDue, takeDue, type OutboxQueues } from './outbox.ts';
import type { StateStore, StoredState } from './state-store.ts';

export interface RunPorts extends OutboxQueues {
  readonly results: ObjectStore;
  readonly states: StateStore;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly policy: Policy;
}

/** Entries that are kept in the state before they become a chunk: fewer writes, and a state that stays small. */
const TAIL_ENTRIES = 1_000;
const STATUS_EVERY_MS = 1_000;
/** Runs of one job exclude each other but for a run that outlives its visibility time-out, so a race is lost once or twice. */
const RACES = 5;

/** Folds events into jobs, one run a job at a time: state first, under its fence, and only then what must be sent. */
export function createRun(ports: RunPorts) {
  const statusWrittenMs = new Map<string, number>();

  /** Returns false when nothing is known of the job. */
  return async function run(jobId: string, events: readonly JobEvent[]): Promise<boolean> {
    for (let race = 1; ; race += 1) {
      try {
        return await attempt(jobId, events);
      } catch (error) {
        if (!(error instanceof ConditionNotMet) || race === RACES) throw error;
      }
    }
  };

  async function attempt(jobId: string, events: readonly JobEvent[]): Promise<boolean> {
    const base = await ports.states.load(jobId);
    const nowMs = ports.clock.now().getTime();
    const folded = fold(base?.state, events, { nowMs, validation: await validationFor(jobId, base, events) });
    if (!folded) return false;

    const reconciling = events.some((event) => event.type === 'reconcile');
    const stepped = step(folded, { nowMs, policy: ports.policy, reconciling });
    const { state, due } = takeDue(await flush(stepped), nowMs, ports.policy.resendMs);

    // The marker is put before the state and taken after it: whatever a crash leaves behind, the reconcile finds.
    if (isOpen(state) && !(base && isOpen(base.state))) await ports.results.write(openKey(jobId), '');
    await ports.states.save(state, base);
    await sendDue(state, due, ports);
    await writeStatus(state, base?.state, nowMs);
    if (!isOpen(state)) await ports.results.delete(openKey(jobId));
    return true;
  }

  async function validationFor(
    jobId: string,
    base: StoredState | undefined,
    events: readonly JobEvent[],
  ): Promise<Validation | undefined> {
    const awaited = (base?.state.state ?? 'validating') === 'validating';
    if (!awaited || !events.some((event) => event.type === 'validated')) return undefined;
    return readValidation(ports.results, jobId);
  }

  /** Moves the tail into a chunk when it is long. A chunk of a run that loses its race is named by no state: it does not count. */
  async function flush(state: State): Promise<State> {
    if (state.tail.length < TAIL_ENTRIES) return state;
    const rows = state.tail.map((entry) => entry.row);
    const firstRow = rows.reduce((least, row) => Math.min(least, row));
    const lastRow = rows.reduce((most, row) => Math.max(most, row));
    const name = `${String(state.chunks.length).padStart(6, '0')}-${ports.chance.uuid().slice(0, 8)}`;
    await ports.results.write(
      chunkKey(state.job.id, name),
      state.tail.map((entry) => JSON.stringify(entry)).join('\n'),
    );
    return { ...state, tail: [], chunks: [...state.chunks, { name, firstRow, lastRow }] };
  }

  async function writeStatus(state: State, before: State | undefined, nowMs: number): Promise<void> {
    const turned = state.state !== before?.state || state.revision !== before.revision;
    const lastMs = statusWrittenMs.get(state.job.id) ?? 0;
    if (!turned && nowMs - lastMs < STATUS_EVERY_MS) return;
    statusWrittenMs.set(state.job.id, nowMs);
    if (hasEnded(state.state)) statusWrittenMs.delete(state.job.id);
    await ports.results.write(`${resultsPrefix(state.job)}status.json`, JSON.stringify(summaryOf(state), undefined, 2));
  }
}

/** Whether time alone may still change something about a job: until it has ended and its newest report is written. */
const isOpen = ({ state, reportDue, outbox }: State): boolean =>
  !hasEnded(state) || reportDue || outbox.report !== undefined;
