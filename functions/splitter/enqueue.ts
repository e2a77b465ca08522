import { mayApply } from '../../shared/job/job.ts';
import type { EnqueueRequest, Task } from '../../shared/job/messages.ts';
import { readRowPlans, type RowChange } from '../../shared/job/plan.ts';
import type { Post } from '../../shared/job/post.ts';
import { PENDING } from '../../shared/job/row-status.ts';
import { readState, type State } from '../../shared/job/state.ts';
import { isSendable } from '../../shared/job/transitions.ts';
import { readValidation } from '../../shared/job/validation.ts';
import { chunkNumbers } from '../../shared/manifest/row-chunks.ts';
import { JobNotReadable, type Message, type ObjectStore, type Queue } from '../../shared/ports.ts';

export interface EnqueuePorts {
  readonly results: ObjectStore;
  readonly tasks: Queue;
  readonly post: Post;
}

/**
 * Sends the planned changes of the released rows that have no outcome, and an event that says how far it came: all the way, or
 * to where the deadline found it. Of a job that is not being applied nothing is sent.
 */
export async function enqueue(request: EnqueueRequest, ports: EnqueuePorts, signal: AbortSignal): Promise<void> {
  const { jobId, enqueueId } = request;
  const state = await readState(ports.results, jobId);
  if (!state) throw new JobNotReadable(`The state of ${jobId} is not there`);
  if (!mayApply(state.state)) return;
  const reached = await sendChanges(request, state, ports, signal);
  await ports.post(jobId, { type: 'enqueued', enqueueId, reached });
}

/** Gives the row before which everything was sent. */
async function sendChanges(
  { jobId, from, to, freed }: EnqueueRequest,
  state: State,
  { results, tasks }: EnqueuePorts,
  signal: AbortSignal,
): Promise<number> {
  const validation = await readValidation(results, jobId);
  const { plan } = state;
  if (!validation || !plan) throw new JobNotReadable(`The validation or the plan of ${jobId} is not there`);
  const { attempt } = plan;
  const chunks = plan.chunks.map((sha256) => sha256 ?? '');
  const chosen = freed && new Set(freed);
  const messageOf = createMessageWriter(state);
  const sender = createSender(tasks);
  let next = from;
  try {
    for (const index of chunkNumbers(validation.rowChunks, { from, to })) {
      for (const row of await readRowPlans(results, { jobId, attempt, chunks }, index)) {
        if (row.row < from || row.row >= to) continue;
        if (signal.aborted) return next;
        const isDue = isSendable(state.rowStatuses[row.row] ?? PENDING) && (chosen?.has(row.row) ?? true);
        if (isDue && row.kind === 'change') await sender.add(messageOf(row));
        next = row.row + 1;
      }
    }
    return to;
  } finally {
    await sender.finish();
  }
}

function createMessageWriter({ job, plan, generations }: State): (change: RowChange) => Message {
  const { id: jobId, target } = job;
  const operation = plan?.gate?.operation ?? job.operation;
  const dependent = new Set(plan?.gate?.dependencies.map(([row]) => row));
  return ({ row, line, subject, before, after, at }) => {
    const which = { jobId, target, operation, row, line, generation: generations.get(row) ?? 0, attempts: 0 };
    const freed = dependent.has(row) ? ({ freed: true } as const) : {};
    const body: Task = { version: 2, kind: 'change', ...which, subject, before, after, plannedAt: at, ...freed };
    return { body, groupId: jobId };
  };
}

const MESSAGES_PER_SEND = 100;
/** More would find no processor time, and what is under way outlives the garbage collector's turns. */
const SENDS_UNDER_WAY = 2;

/** Sends messages by the hundred while more are being made. */
interface Sender {
  /** Waits while enough is under way; throws what an earlier send threw. */
  readonly add: (message: Message) => Promise<void>;
  /** Resolves once everything is accepted. */
  readonly finish: () => Promise<void>;
}

function createSender(queue: Queue): Sender {
  let waiting: Message[] = [];
  let failure: { readonly error: unknown } | undefined;
  const underWay = new Set<Promise<void>>();

  const send = (): void => {
    const sending = queue
      .send(waiting)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
    waiting = [];
  };

  return {
    add: async (message) => {
      waiting.push(message);
      if (waiting.length < MESSAGES_PER_SEND) return;
      send();
      if (underWay.size >= SENDS_UNDER_WAY) await Promise.race(underWay);
      if (failure) throw failure.error;
    },
    finish: async () => {
      if (waiting.length > 0) send();
      await Promise.all(underWay);
      if (failure) throw failure.error;
    },
  };
}
