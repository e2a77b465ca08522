import { isSettled, PENDING } from '../../shared/job/row-status.ts';
import { hasEnded } from '../../shared/job/job.ts';
import type { EnqueueRequest, Task } from '../../shared/job/messages.ts';
import { readState, type State } from '../../shared/job/state.ts';
import { readValidation, type Validation } from '../../shared/job/validation.ts';
import { createCellReader } from '../../shared/manifest/cells.ts';
import { JobNotReadable, readRowChunks } from '../../shared/manifest/row-chunks.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import type { Message, ObjectStore, Queue } from '../../shared/ports.ts';
import type { Post } from './message.ts';
import { readOrder } from './relations.ts';

export interface EnqueuePorts {
  readonly results: ObjectStore;
  readonly tasks: Queue;
  readonly post: Post;
}

/**
 * Sends the released rows that have no outcome, and sends an event that says how far it came: all the way, or to where the
 * deadline found it. A job that has ended is enqueued no more.
 */
export async function enqueue(request: EnqueueRequest, ports: EnqueuePorts, signal: AbortSignal): Promise<void> {
  const { jobId, enqueueId } = request;
  const [validation, state] = await Promise.all([
    readValidation(ports.results, jobId),
    readState(ports.results, jobId),
  ]);
  if (!validation || !state) throw new JobNotReadable(`The state or the validation of ${jobId} is not there`);
  if (hasEnded(state.state)) return;
  const reached = await sendRows(request, { validation, state }, ports, signal);
  await ports.post(jobId, { type: 'enqueued', enqueueId, reached });
}

interface Validated {
  readonly validation: Validation;
  readonly state: State;
}

/** Gives the row before which everything was sent. */
async function sendRows(
  request: EnqueueRequest,
  job: Validated,
  { results, tasks }: EnqueuePorts,
  signal: AbortSignal,
): Promise<number> {
  const { jobId, from, to } = request;
  const { rowChunks } = job.validation;
  const messageOf = await messageWriter(request, job, results);
  const sender = createSender(tasks);
  let next = from;
  try {
    for await (const rows of readRowChunks(results, { jobId, rowChunks }, { from, to })) {
      for (const row of rows) {
        if (signal.aborted) return next;
        if (!isSettled(job.state.rowStatuses[row.row] ?? PENDING)) await sender.add(messageOf(row));
        next = row.row + 1;
      }
    }
    return next;
  } finally {
    await sender.finish();
  }
}

async function messageWriter(
  { jobId, from, to }: EnqueueRequest,
  { validation, state }: Validated,
  results: ObjectStore,
): Promise<(row: Row) => Message> {
  const order = validation.ordered
    ? await readOrder(results, { jobId, rowChunks: validation.rowChunks }, { from, to })
    : undefined;
  const cellsOf = createCellReader(validation);
  const { target, operation } = state.job;
  return (row) => {
    const after = order?.get(row.row);
    const generation = state.generations.get(row.row) ?? 0;
    const which = { jobId, target, operation, row: row.row, line: row.line };
    const relations = { ...(after && { after }), ...(validation.mixed && { mixed: true as const }) };
    const body: Task = { version: 1, ...which, cells: cellsOf(row), ...relations, generation, attempts: 0 };
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
