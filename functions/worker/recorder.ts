import { createEvent, type Calls, type EventBody, type EventPorts } from '../../shared/job/events.ts';
import type { EventsQueue, Message, Queue } from '../../shared/ports.ts';
import type { TaskResult } from './task-result.ts';

export interface RecorderPorts extends EventPorts {
  readonly tasks: Queue;
  readonly eventsQueue: EventsQueue;
}

export interface RecorderOptions {
  readonly jobId: string;
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

/** No calls at Atlassian. */
export const NO_CALLS: Calls = { sent: 0, rateLimited: 0, retried: 0 };

async function record(entries: readonly Entry[], recording: Recording): Promise<void> {
  const { ports, recorded } = recording;
  const nowMs = ports.clock.now().getTime();
  const taskResults = entries.map(({ taskResult }) => taskResult);
  await ports.tasks.send(copiesOf(taskResults, nowMs));
  const calls = difference(recording.countCalls(), recording.calls);
  if (taskResults.some(({ kind }) => kind !== 'done') || calls.sent > 0) {
    await post(taskResults, nowMs, calls, recording);
  }
  recording.calls = sum(recording.calls, calls);
  for (const { messageId } of entries) recorded.add(messageId);
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
    returned: rowsOf(taskResults, 'again'),
    dropped: rowsOf(taskResults, 'dropped'),
    until: waits.length > 0 ? new Date(nowMs + Math.max(...waits) * 1_000).toISOString() : undefined,
    calls,
  };
  await ports.eventsQueue.post([createEvent(jobId, recorded, ports)]);
}

/** Copies go out when the batch is done: should its worker die, each row would be on the queue twice, and twice that the next time. */
const isRecordedAtOnce = ({ kind }: TaskResult): boolean => kind !== 'again';

const rowsOf = (taskResults: readonly TaskResult[], kind: TaskResult['kind']): number[] =>
  taskResults.filter((taskResult) => taskResult.kind === kind).map(({ task }) => task.row);

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
