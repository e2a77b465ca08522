import { isSettled, PENDING } from '../../shared/job/row-status.ts';
import { hasEnded } from '../../shared/job/job.ts';
import { stateKey, validationKey } from '../../shared/job/keys.ts';
import type { EnqueueRequest } from '../../shared/job/requests.ts';
import { parseState, type State } from '../../shared/job/state.ts';
import { validationSchema, type Position, type Validation } from '../../shared/job/validation.ts';
import type { Task } from '../../shared/job/task.ts';
import { createCellReader } from '../../shared/manifest/cells.ts';
import { parseEncoding } from '../../shared/manifest/encoding.ts';
import { ownFileLimits, type ManifestLimits } from '../../shared/manifest/limits.ts';
import { readFrom } from '../../shared/manifest/manifest.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import type { Message, ObjectStore, Queue } from '../../shared/ports.ts';
import { JobNotReadable } from './errors.ts';
import { manifestSource } from './manifest-source.ts';
import { readOrder } from './order-file.ts';
import type { Post } from './post.ts';
import { createSender } from './sender.ts';

export interface EnqueuePorts {
  readonly inbox: ObjectStore;
  readonly results: ObjectStore;
  readonly tasks: Queue;
  readonly limits: ManifestLimits;
  readonly post: Post;
}

/**
 * Sends the released rows that have no outcome, and sends an event that says how far it came: all the way, or to where the
 * deadline found it. A job that has ended is enqueued no more.
 */
export async function enqueue(request: EnqueueRequest, ports: EnqueuePorts, signal: AbortSignal): Promise<void> {
  const { jobId, enqueueId } = request;
  const [validation, state] = await Promise.all([
    readValidation(jobId, ports.results),
    readState(jobId, ports.results),
  ]);
  if (hasEnded(state.state)) return;
  const reached = await sendRows(request, { validation, state }, ports, signal);
  await ports.post(jobId, { type: 'enqueued', enqueueId, reached });
}

interface Validated {
  readonly validation: Validation;
  readonly state: State;
}

async function sendRows(
  request: EnqueueRequest,
  job: Validated,
  ports: EnqueuePorts,
  signal: AbortSignal,
): Promise<number> {
  const { from, to } = request;
  const { validation, state } = job;
  const start = nearest(validation.positions, from);
  const format = { encoding: parseEncoding(validation.encoding), delimiter: validation.delimiter };
  const messageOf = await messageWriter(request, job, ports.results);
  const sender = createSender(ports.tasks);
  let reached: Position = start;
  const { body } = await manifestSource(state.job, ports.inbox, signal).open(start.offset);
  try {
    for await (const { rows, next } of readFrom(body, format, start, ownFileLimits(ports.limits))) {
      for (const row of rows) {
        reached = row;
        if (row.row >= to || signal.aborted) break;
        if (row.row >= from && !isSettled(state.rowStatuses[row.row] ?? PENDING)) await sender.add(messageOf(row));
      }
      if (reached.row >= to || signal.aborted) break;
      reached = next;
    }
  } catch (error) {
    if (!signal.aborted) throw error; // the deadline broke the reading off, and what was sent is sent
  } finally {
    await sender.finish();
    body.destroy();
  }
  if (reached.row < from) throw new JobNotReadable(`The deadline came before row ${from} was found`);
  return reached.row;
}

async function messageWriter(
  { jobId, from, to }: EnqueueRequest,
  { validation, state }: Validated,
  results: ObjectStore,
): Promise<(row: Row) => Message> {
  const order = validation.ordered ? await readOrder(results, jobId, { from, to }) : undefined;
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

const nearest = (positions: readonly Position[], from: number): Position =>
  positions.reduce((best, position) =>
    position.row <= from && (best.row > from || position.row > best.row) ? position : best,
  );

async function readValidation(jobId: string, results: ObjectStore): Promise<Validation> {
  return validationSchema.parse(JSON.parse(await textOf(validationKey(jobId), results)));
}

async function readState(jobId: string, results: ObjectStore): Promise<State> {
  return parseState(await textOf(stateKey(jobId), results));
}

async function textOf(key: string, results: ObjectStore): Promise<string> {
  const stored = await results.read(key);
  if (!stored) throw new JobNotReadable(`${key} is not there`);
  return stored.text();
}
