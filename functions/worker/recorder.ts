import * as z from 'zod';

import { inParallel } from '../../shared/in-parallel.ts';
import { createEvent, outcomeSchema, type Calls, type EventBody, type EventPorts } from '../../shared/job/events.ts';
import { failureKey } from '../../shared/job/keys.ts';
import type { Task } from '../../shared/job/messages.ts';
import type { Outcome } from '../../shared/job/outcome.ts';
import {
  writeIf,
  writeOnce,
  type EventsQueue,
  type Message,
  type ObjectStore,
  type Queue,
} from '../../shared/ports.ts';
import type { TaskResult } from './task-result.ts';

export interface RecorderPorts extends EventPorts {
  readonly results: ObjectStore;
  readonly tasks: Queue;
  readonly deadLetters: Queue;
  readonly eventsQueue: EventsQueue;
}

export interface RecorderOptions {
  readonly jobId: string;
  /** When this invocation is over, recorded or not; epoch milliseconds. */
  readonly endsAtMs: number;
  readonly countCalls: () => Calls;
}

/** Brings one job's task results into the job's events. A message may be deleted only once its task result is in there. */
export interface Recorder {
  readonly add: (messageId: string, taskResult: TaskResult) => void;
  /** Resolves when everything that was added is recorded; throws what kept it from being so. */
  readonly finish: () => Promise<void>;
  /** Messages whose task results are recorded. */
  readonly recorded: ReadonlySet<string>;
}

/** A long batch records as it goes, so that the coordinator can let further rows out meanwhile. */
const RECORD_EVERY_MS = 500;

/** SQS delays a message by 15 minutes at most; a longer wait is handed back again. */
const MAX_DELAY_SECONDS = 900;

interface Entry {
  readonly messageId: string;
  readonly taskResult: TaskResult;
}

export function createRecorder(options: RecorderOptions, ports: RecorderPorts): Recorder {
  const recording: Recording = { recorded: new Set(), calls: NO_CALLS, ...options, ports };
  let waiting: Entry[] = [];
  let lastMs = ports.clock.now().getTime();
  let underWay: Promise<void> = Promise.resolve();

  const flush = (isDue: (taskResult: TaskResult) => boolean): void => {
    const due = waiting.filter(({ taskResult }) => isDue(taskResult));
    waiting = waiting.filter(({ taskResult }) => !isDue(taskResult));
    lastMs = ports.clock.now().getTime();
    underWay = underWay.then(() => record(due, recording));
    underWay.catch(() => undefined); // finish() throws it
  };

  return {
    recorded: recording.recorded,
    add: (messageId, taskResult) => {
      waiting.push({ messageId, taskResult });
      if (ports.clock.now().getTime() - lastMs >= RECORD_EVERY_MS) flush(isRecordedAtOnce);
    },
    finish: async () => {
      flush(() => true);
      await underWay;
    },
  };
}

interface Recording extends RecorderOptions {
  readonly ports: RecorderPorts;
  readonly recorded: Set<string>;
  /** The calls that the events know of. */
  calls: Calls;
}

const NO_CALLS: Calls = { sent: 0, rateLimited: 0, retried: 0 };

async function record(added: readonly Entry[], recording: Recording): Promise<void> {
  const { ports, recorded } = recording;
  const nowMs = ports.clock.now().getTime();
  const { entries, unsent } = await withFirstFailures(added, nowMs, recording);
  const taskResults = entries.map(({ taskResult }) => taskResult);
  await Promise.all([ports.tasks.send(copiesOf(taskResults, nowMs)), ports.deadLetters.send(unsent.map(deadLetter))]);
  const calls = difference(recording.countCalls(), recording.calls);
  const isPosted = taskResults.some(({ kind }) => kind !== 'done') || calls.sent > 0;
  await Promise.all([noteSent(unsent, recording), isPosted && post(taskResults, nowMs, calls, recording)]);
  recording.calls = sum(recording.calls, calls);
  for (const { messageId } of entries) recorded.add(messageId);
}

/** What is to be recorded of them now, and the failures without a dead letter; one that another worker may be recording is left on the queue. */
async function withFirstFailures(
  added: readonly Entry[],
  nowMs: number,
  { ports: { results }, endsAtMs }: Recording,
): Promise<{ readonly entries: readonly Entry[]; readonly unsent: readonly Failure[] }> {
  const failures = added.map(({ taskResult }) => taskResult).filter(isFailure);
  const firsts = await findFirstFailures(failures, results, { nowMs, endsAtMs });
  const entries = added.flatMap(({ messageId, taskResult }) => {
    const counting = isFailure(taskResult) ? firsts.get(taskResult)?.failure : taskResult;
    return counting ? [{ messageId, taskResult: counting }] : [];
  });
  return { entries, unsent: [...firsts.values()].flatMap(({ failure, isSent }) => (isSent ? [] : [failure])) };
}

/** Writes down that the dead letters of these failures are sent: whoever records the same failure later sends no other. */
async function noteSent(failures: readonly Failure[], { ports: { results }, endsAtMs }: Recording): Promise<void> {
  await inParallel(failures, WRITES_UNDER_WAY, async ({ task, outcome }) => {
    await results.write(failureKey(task.jobId, task.row, task.generation), failureText(outcome, endsAtMs, true));
  });
}

async function post(
  taskResults: readonly TaskResult[],
  nowMs: number,
  calls: Calls,
  { jobId, ports }: Recording,
): Promise<void> {
  const waits = taskResults.flatMap((taskResult) =>
    taskResult.kind === 'again' ? [delaySeconds(taskResult, nowMs)] : [],
  );
  const recorded: EventBody = {
    type: 'recorded',
    outcomes: taskResults.flatMap((taskResult) => (taskResult.kind === 'outcome' ? [taskResult.outcome] : [])),
    returned: rowsOf(taskResults, (taskResult) => taskResult.kind === 'again' && taskResult.why === 'returned'),
    awaiting: rowsOf(taskResults, (taskResult) => taskResult.kind === 'again' && taskResult.why === 'awaiting'),
    dropped: rowsOf(taskResults, (taskResult) => taskResult.kind === 'dropped'),
    until: waits.length > 0 ? new Date(nowMs + Math.max(...waits) * 1_000).toISOString() : undefined,
    calls,
  };
  await ports.eventsQueue.post([createEvent(jobId, recorded, ports)]);
}

/** Copies go out when the batch is done: should its worker die, each row would be on the queue twice, and twice that the next time. */
const isRecordedAtOnce = ({ kind }: TaskResult): boolean => kind !== 'again';

const rowsOf = (taskResults: readonly TaskResult[], chosen: (taskResult: TaskResult) => boolean): number[] =>
  taskResults.filter(chosen).map(({ task }) => task.row);

function copiesOf(taskResults: readonly TaskResult[], nowMs: number): Message[] {
  return taskResults.flatMap((taskResult) =>
    taskResult.kind === 'again'
      ? [{ body: taskResult.task, groupId: taskResult.task.jobId, delaySeconds: delaySeconds(taskResult, nowMs) }]
      : [],
  );
}

/** Counted from when the copy is sent: a row may have waited long for the end of its batch. */
function delaySeconds({ notBeforeMs }: { readonly notBeforeMs: number }, nowMs: number): number {
  return Math.min(MAX_DELAY_SECONDS, Math.max(0, Math.ceil((notBeforeMs - nowMs) / 1_000)));
}

const difference = (now: Calls, before: Calls): Calls => ({
  sent: now.sent - before.sent,
  rateLimited: now.rateLimited - before.rateLimited,
  retried: now.retried - before.retried,
});

const sum = (one: Calls, other: Calls): Calls => ({
  sent: one.sent + other.sent,
  rateLimited: one.rateLimited + other.rateLimited,
  retried: one.retried + other.retried,
});

/** A row's task result once it has failed for good. */
type Failure = Extract<TaskResult, { kind: 'outcome' }>;

const isFailure = (taskResult: TaskResult): taskResult is Failure =>
  taskResult.kind === 'outcome' && taskResult.outcome.status === 'failed';

/** A failed row for the dead-letter queue: its task of the next generation, no attempts spent. Moved back to the tasks queue it runs as it is. */
function deadLetter({ task, outcome: { code, httpStatus, attempts, traceId } }: Failure): Message {
  const body: Task = { ...task, generation: task.generation + 1, attempts: 0 };
  return {
    body,
    attributes: {
      code: code ?? '',
      attempts: String(attempts),
      ...(httpStatus !== undefined && { httpStatus: String(httpStatus) }),
      ...(traceId !== undefined && traceId !== '' && { traceId }),
    },
  };
}

const WRITES_UNDER_WAY = 20;

/**
 * Of a row that was delivered twice and failed twice, the failure that is written down first counts for both deliveries: so
 * there is one dead letter, with the reason that the report gives. Gives the first failure of each of these rows, and nothing
 * where another worker may still be recording it: then the message stays on the queue until the job's state has the outcome.
 */
async function findFirstFailures(
  failures: readonly Failure[],
  results: ObjectStore,
  recordedWhen: RecordedWhen,
): Promise<ReadonlyMap<TaskResult, FirstFailure>> {
  const found = new Map<TaskResult, FirstFailure>();
  await inParallel(failures, WRITES_UNDER_WAY, async (failure) => {
    const first = await findFirstFailure(failure, results, recordedWhen);
    if (first) found.set(failure, first);
  });
  return found;
}

interface FirstFailure {
  readonly failure: Failure;
  /** Whether its dead letter is sent. */
  readonly isSent: boolean;
}

/** Now, and when the worker that is about to record something is over, having recorded it or not; epoch milliseconds. */
interface RecordedWhen {
  readonly nowMs: number;
  readonly endsAtMs: number;
}

const storedSchema = z.object({
  outcome: outcomeSchema,
  /** When the worker that sends its dead letter is over; epoch milliseconds. */
  endsAtMs: z.number(),
  isSent: z.boolean(),
});

const failureText = (outcome: Outcome, endsAtMs: number, isSent: boolean): string =>
  JSON.stringify({ outcome, endsAtMs, isSent } satisfies z.infer<typeof storedSchema>);

/** Writes a failure down; where there is one, takes it over from a worker that is over, which one other does while its dead letter is not sent. */
async function findFirstFailure(
  failure: Failure,
  results: ObjectStore,
  { nowMs, endsAtMs }: RecordedWhen,
): Promise<FirstFailure | undefined> {
  const key = failureKey(failure.task.jobId, failure.task.row, failure.task.generation);
  if (await writeOnce(results, key, failureText(failure.outcome, endsAtMs, false))) return { failure, isSent: false };
  const stored = await results.read(key);
  if (!stored) return undefined;
  const { outcome, isSent, ...first } = storedSchema.parse(JSON.parse(await stored.text()));
  if (first.endsAtMs >= nowMs) return undefined;
  const own = failureText(outcome, endsAtMs, false);
  const isTakenOver = isSent || (await writeIf(results, key, own, { ifMatch: stored.etag }));
  return isTakenOver ? { failure: { ...failure, outcome }, isSent } : undefined;
}
