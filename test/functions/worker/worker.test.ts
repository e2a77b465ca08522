import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';

import { createWorker } from '../../../functions/worker/worker.ts';
import { NoAnswer, RateLimited, Refusal, TargetUnusable, Withheld } from '../../../shared/atlassian/errors.ts';
import type { Cloud } from '../../../shared/atlassian/apis.ts';
import { attempted, rowStatusOf } from '../../../shared/job/row-status.ts';
import type { JobEvent } from '../../../shared/job/events.ts';
import { isolatedKey, stateKey } from '../../../shared/job/keys.ts';
import { serializeState, type State, newState } from '../../../shared/job/state.ts';
import type { Task } from '../../../shared/job/messages.ts';
import { TargetUnreadable } from '../../../shared/ports.ts';
import type { Cells, Operation, PlannedRow, Written } from '../../../shared/operations/operation.ts';
import type { CloudTarget } from '../../../shared/target.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';
import { JOB, NOW_MS } from '../../shared/job/building.ts';
import { sqsEvent, sqsRecord } from '../sqs-event.ts';

type Plan = (cells: Cells) => PlannedRow;

const TARGET: CloudTarget = {
  type: 'cloud',
  name: 'acme',
  siteUrl: 'https://acme.example',
  email: 'admin@acme.example',
  apiToken: 'token-1',
  apiUrl: 'https://api.acme.example',
};

const CONTEXT = { getRemainingTimeInMillis: () => 30_000 } as Context; // all that the worker reads of it

const task = (row: number, more: Partial<Task> = {}): Task => ({
  version: 1,
  jobId: JOB.id,
  target: 'acme',
  operation: 'suspend',
  row,
  line: row + 2,
  cells: { accountId: `id-${row}` },
  generation: 0,
  attempts: 0,
  ...more,
});

/** What each write of a change comes to; the change names its own by number. */
const WRITES: (() => Written | Promise<Written>)[] = [];

const change = (accountId: string, write: () => Written | Promise<Written>, desired = 'suspended'): PlannedRow => ({
  kind: 'change',
  keys: [{ subject: `account:${accountId}`, desired }],
  subject: { accountId, write: WRITES.push(write) - 1 },
  before: { access: 'active' },
  after: { access: desired },
});

const noop: PlannedRow = { kind: 'noop', subject: {}, keys: [] };

const changed = (): Written => ({ status: 'changed', httpStatus: 204, traceId: 'trace-1' });

const throwing = (error: Error) => (): never => {
  throw error;
};

interface Options {
  readonly plan: Plan;
  /** Throws what a look-up that these rows share throws. */
  readonly planTogether?: (rows: readonly Cells[]) => void;
  readonly state?: Partial<State>;
  /** What the secret says at first, and what when it is read again. */
  readonly targets?: readonly (CloudTarget | TargetUnreadable)[];
}

function start(options: Options) {
  const state: State = {
    ...newState(JOB, NOW_MS),
    state: 'running',
    rows: 10,
    rowStatuses: new Uint8Array(10),
    ...options.state,
  };
  const results = memoryObjectStore({ [stateKey(JOB.id)]: serializeState(state) });
  const [rows, deadLetters, eventsQueue] = [memoryQueue(), memoryQueue(), memoryEventsQueue()];
  const [first = TARGET, later = first] = options.targets ?? [];
  let current = first;
  const beforeCalls: (() => Promise<void>)[] = [];
  const time = { nowMs: NOW_MS };
  const operation: Operation = {
    name: 'suspend',
    about: '',
    cloud: {
      columns: [],
      required: [],
      check: () => ({ keys: [] }),
      plan: async (rows) => {
        options.planTogether?.(rows);
        return rows.map(options.plan);
      },
      read: async () => [],
      write: async ({ subject }) => WRITES[(subject as { write: number }).write]!(), // as `change` makes it
    },
  };
  const worker = createWorker({
    results,
    tasks: rows,
    deadLetters,
    eventsQueue,
    targets: {
      find: async (_, { fresh } = {}) => {
        if (fresh) current = later;
        if (current instanceof TargetUnreadable) throw current;
        return current;
      },
    },
    atlassian: {
      open: (_, { beforeCall } = {}) => {
        if (beforeCall) beforeCalls.push(beforeCall);
        return { type: 'cloud', apis: {} as Cloud, countCalls: () => ({ sent: 3, rateLimited: 0 }) }; // the scripted plan asks nothing of it
      },
    },
    operations: (name) => (name === 'suspend' ? operation : undefined),
    clock: { now: () => new Date(time.nowMs) },
    chance: { uuid: () => crypto.randomUUID(), random: () => 0 },
    log: () => undefined,
    maxAttempts: 5,
    consistencySeconds: 60,
    callsUnderWay: 100,
    isolationQueueArn: 'arn:aws:sqs:eu-central-1:000000000000:isolation',
  });
  const applyTasks = async (...tasks: readonly unknown[]) => worker(sqsEvent(tasks, { queue: 'tasks' }), CONTEXT);
  return { worker, applyTasks, results, rows, deadLetters, eventsQueue, beforeCalls, time };
}

const recordedIn = (events: readonly JobEvent[]) => events.filter((event) => event.type === 'recorded');
const outcomesIn = (events: readonly JobEvent[]) => recordedIn(events).flatMap(({ outcomes }) => outcomes);

describe('worker', () => {
  it('says what it found before it writes, then what came of it, and deletes the message', async () => {
    const { applyTasks, eventsQueue } = start({ plan: () => change('a', changed) });

    const response = await applyTasks(task(0));

    expect(response.batchItemFailures).toEqual([]);
    expect(eventsQueue.events).toMatchObject([
      { type: 'attempting', rows: [{ row: 0, line: 2, before: { access: 'active' } }] },
      { type: 'recorded', outcomes: [{ row: 0, status: 'changed', httpStatus: 204, traceId: 'trace-1', attempts: 1 }] },
    ]);
    expect(recordedIn(eventsQueue.events)[0]?.calls).toEqual({ sent: 3, rateLimited: 0, retried: 0 });
  });

  it.each([
    ['its first write', task(0), new Uint8Array(10), true],
    ['a later attempt, which an earlier one may have made so', task(0, { attempts: 1 }), new Uint8Array(10), undefined],
    ['a write after one that may have begun', task(0), new Uint8Array(10).fill(attempted(0)), undefined],
  ])('says whether Atlassian answered "so already" to %s', async (_, sent, rowStatuses, untouched) => {
    const { applyTasks, eventsQueue } = start({
      plan: () => change('a', () => ({ status: 'unchanged' })),
      state: { rowStatuses },
    });

    await applyTasks(sent);

    expect(outcomesIn(eventsQueue.events)[0]).toMatchObject({ status: 'unchanged' });
    expect(outcomesIn(eventsQueue.events)[0]?.untouched).toBe(untouched);
  });

  it('writes a row once that comes twice in one batch, and deletes both messages', async () => {
    let writes = 0;
    const counted = () => {
      writes += 1;
      return changed();
    };
    const { applyTasks, eventsQueue } = start({ plan: () => change('a', counted) });

    const response = await applyTasks(task(0), task(0));

    expect(response.batchItemFailures).toEqual([]);
    expect(writes).toBe(1);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'changed' }]);
  });

  it('keeps both messages of a row that came twice when nothing is recorded of it', async () => {
    const unforeseen = () => {
      throw new TypeError('our own mistake');
    };
    const { applyTasks } = start({ plan: () => change('a', unforeseen) });

    const response = await applyTasks(task(0), task(0));

    expect(response.batchItemFailures).toHaveLength(2);
  });

  it('writes nothing for a row that is so already', async () => {
    const { applyTasks, eventsQueue } = start({ plan: () => noop });

    await applyTasks(task(0));

    expect(eventsQueue.events).toMatchObject([{ type: 'recorded', outcomes: [{ row: 0, status: 'unchanged' }] }]);
  });

  it('puts a failed row on the dead-letter queue as a task of the next generation', async () => {
    const refusal = new Refusal('FORBIDDEN', 'no', { httpStatus: 403, traceId: 'trace-9' });
    const { applyTasks, deadLetters, eventsQueue } = start({ plan: () => change('a', throwing(refusal)) });

    await applyTasks(task(0, { attempts: 2 }));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ status: 'failed', code: 'FORBIDDEN', attempts: 3 }]);
    expect(deadLetters.messages).toEqual([
      {
        body: task(0, { generation: 1, attempts: 0 }),
        attributes: { code: 'FORBIDDEN', attempts: '3', httpStatus: '403', traceId: 'trace-9' },
      },
    ]);
  });

  describe('when a row that was delivered twice fails twice, for different reasons', () => {
    const failingBy = (...codes: readonly ('FORBIDDEN' | 'USER_NOT_FOUND')[]) => {
      const left = [...codes];
      const plan: Plan = () => change('a', throwing(new Refusal(left.shift() ?? 'REQUEST_REFUSED', 'no')));
      return start({ plan });
    };

    it('records the first reason alone, in one dead letter, and keeps the other message until the state has it', async () => {
      const { applyTasks, deadLetters, eventsQueue } = failingBy('FORBIDDEN', 'USER_NOT_FOUND');

      const responses = [await applyTasks(task(0)), await applyTasks(task(0))];

      expect(responses.map(({ batchItemFailures }) => batchItemFailures.length)).toEqual([0, 1]);
      expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, code: 'FORBIDDEN' }]);
      expect(deadLetters.messages).toMatchObject([{ attributes: { code: 'FORBIDDEN' } }]);
    });

    it('records the first reason for a worker that died over it', async () => {
      const { applyTasks, deadLetters, eventsQueue, time } = failingBy('FORBIDDEN', 'USER_NOT_FOUND');
      const { post } = eventsQueue;
      const unlessRecorded = async (events: readonly JobEvent[]) => {
        if (recordedIn(events).length > 0) throw new Error('SQS is away');
        await post(events);
      };
      Object.assign(eventsQueue, { post: unlessRecorded });
      await applyTasks(task(0));
      Object.assign(eventsQueue, { post });
      time.nowMs += 31_000;

      const response = await applyTasks(task(0));

      expect(response.batchItemFailures).toEqual([]);
      expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, code: 'FORBIDDEN' }]);
      expect(deadLetters.messages.map(({ attributes }) => attributes?.['code'])).toEqual(['FORBIDDEN']);
    });

    it('is recorded by one of two workers that find the failure of one that died', async () => {
      const { applyTasks, deadLetters, results, time } = failingBy('FORBIDDEN', 'USER_NOT_FOUND', 'USER_NOT_FOUND');
      const { write } = results;
      Object.assign(results, {
        write: async (...given: Parameters<typeof write>) => {
          await write(...given);
          throw new Error('S3 does not answer');
        },
      });
      await applyTasks(task(0));
      Object.assign(results, { write });
      time.nowMs += 31_000;

      await Promise.all([applyTasks(task(0)), applyTasks(task(0))]);

      expect(deadLetters.messages).toMatchObject([{ attributes: { code: 'FORBIDDEN' } }]);
    });

    it('takes the reason of a row that was redriven for itself', async () => {
      const { applyTasks, deadLetters } = failingBy('FORBIDDEN', 'USER_NOT_FOUND');

      await applyTasks(task(0));
      await applyTasks(task(0, { generation: 1 }));

      expect(deadLetters.messages).toMatchObject([
        { body: { generation: 1 }, attributes: { code: 'FORBIDDEN' } },
        { body: { generation: 2 }, attributes: { code: 'USER_NOT_FOUND' } },
      ]);
    });
  });

  it('hands a task back unspent when Atlassian asks to wait, and says until when', async () => {
    const limited = new RateLimited('wait', { notBeforeMs: NOW_MS + 7_000, sent: true });
    const { applyTasks, rows, eventsQueue } = start({ plan: () => change('a', throwing(limited)) });

    const response = await applyTasks(task(0));

    expect(response.batchItemFailures).toEqual([]);
    expect(rows.messages).toEqual([{ body: task(0), groupId: JOB.id, delaySeconds: 7 }]);
    expect(recordedIn(eventsQueue.events)).toMatchObject([
      { outcomes: [], returned: [0], until: new Date(NOW_MS + 7_000).toISOString() },
    ]);
  });

  it.each([
    ['Atlassian fails for now', new Refusal('ATLASSIAN_ERROR', 'sorry', { httpStatus: 500 }), 2],
    ['Atlassian fails and may have done it', new Refusal('ATLASSIAN_ERROR', 'sorry', { uncertain: true }), 60],
    ['no answer comes, after which Atlassian is given time to show what was done', new NoAnswer('reset'), 60],
  ])('tries again later when %s', async (_, error, delaySeconds) => {
    const { applyTasks, rows } = start({ plan: () => change('a', throwing(error)) });

    await applyTasks(task(0));

    expect(rows.messages).toEqual([{ body: task(0, { attempts: 1 }), groupId: JOB.id, delaySeconds }]);
  });

  it('gives a row up when its attempts are spent', async () => {
    const { applyTasks, rows, eventsQueue } = start({ plan: () => change('a', throwing(new NoAnswer('reset'))) });

    await applyTasks(task(0, { attempts: 4 }));

    expect(rows.messages).toEqual([]);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ status: 'failed', code: 'TIMED_OUT', attempts: 5 }]);
  });

  it('leaves the message on the queue when something unforeseen happens, and applies the others', async () => {
    const plan: Plan = ({ accountId = '' }) =>
      change(accountId, accountId === 'id-0' ? throwing(new TypeError('our mistake')) : changed);
    const { applyTasks, eventsQueue } = start({ plan });

    const response = await applyTasks(task(0), task(1));

    expect(response.batchItemFailures).toEqual([{ itemIdentifier: 'message-1' }]);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 1, status: 'changed' }]);
  });

  it("deletes no message when the job's events cannot be written", async () => {
    const { applyTasks, eventsQueue } = start({ plan: () => noop });
    Object.assign(eventsQueue, { post: () => Promise.reject(new Error('SQS is away')) });

    expect((await applyTasks(task(0))).batchItemFailures).toEqual([{ itemIdentifier: 'message-1' }]);
  });

  it('forgets a task whose row has an outcome', async () => {
    const rowStatuses = new Uint8Array(10).fill(rowStatusOf('changed'));
    const { applyTasks, eventsQueue } = start({ plan: () => change('a', changed), state: { rowStatuses } });

    expect((await applyTasks(task(0))).batchItemFailures).toEqual([]);
    expect(eventsQueue.events).toEqual([]);
  });

  it.each([
    ['finds its own write in what another delivery took for a refusal', 'noop', [{ row: 0, status: 'unchanged' }]],
    ['writes nothing for a row that another delivery saw fail', 'change', []],
  ] as const)('%s', async (_what, kind, outcomes) => {
    const rowStatuses = Uint8Array.of(attempted(rowStatusOf('failed', 'REQUEST_REFUSED')));
    const plan: Plan = () => (kind === 'change' ? change('a', throwing(new Error('written'))) : noop);
    const { applyTasks, eventsQueue, rows, deadLetters } = start({
      plan,
      state: { state: 'completed', rows: 1, rowStatuses },
    });

    const response = await applyTasks(task(0, { attempts: 1 }));

    expect(outcomesIn(eventsQueue.events)).toMatchObject(outcomes);
    expect(eventsQueue.events.some(({ type }) => type === 'attempting')).toBe(false);
    expect([rows.messages, deadLetters.messages, response.batchItemFailures]).toEqual([[], [], []]);
  });

  it('calls nobody for a failure in doubt once its job is cancelled', async () => {
    const rowStatuses = Uint8Array.of(attempted(rowStatusOf('failed', 'REQUEST_REFUSED')));
    const plan: Plan = () => throwing(new Error('looked up'))();
    const { applyTasks, eventsQueue, rows } = start({ plan, state: { state: 'cancelled', rows: 1, rowStatuses } });

    const response = await applyTasks(task(0, { attempts: 1 }));

    expect([eventsQueue.events, rows.messages, response.batchItemFailures]).toEqual([[], [], []]);
  });

  it('applies a failed row again that was redriven, though its job has ended', async () => {
    const rowStatuses = new Uint8Array(10).fill(rowStatusOf('failed', 'FORBIDDEN'));
    const { applyTasks, eventsQueue } = start({
      plan: () => change('a', changed),
      state: { state: 'completed', rowStatuses },
    });

    await applyTasks(task(0, { generation: 1 }));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'changed', generation: 1 }]);
  });

  it('keeps the dead letter of every redriven row when the credentials are refused: an ended job is resumed by nobody', async () => {
    const rowStatuses = new Uint8Array(10).fill(rowStatusOf('failed', 'FORBIDDEN'));
    const unusable = new TargetUnusable('UNAUTHORIZED', 'no');
    const { applyTasks, deadLetters, rows, eventsQueue } = start({
      plan: () => change('a', changed),
      planTogether: throwing(unusable),
      state: { state: 'completed', rowStatuses },
    });

    await applyTasks(task(0, { generation: 1 }), task(1, { generation: 1 }));

    expect(recordedIn(eventsQueue.events).flatMap(({ dropped }) => dropped)).toEqual([]);
    expect(deadLetters.messages).toHaveLength(2);
    expect(rows.messages).toEqual([]);
  });

  it('holds a redriven row back whose call is withheld', async () => {
    const rowStatuses = new Uint8Array(10).fill(rowStatusOf('failed', 'FORBIDDEN'));
    const { applyTasks, rows } = start({
      plan: () => change('a', throwing(new Withheld('stopped'))),
      state: { state: 'completed', rowStatuses },
    });

    await applyTasks(task(0, { generation: 1 }));

    expect(rows.messages).toMatchObject([{ body: task(0, { generation: 1 }), delaySeconds: 60 }]);
  });

  it.each(['paused', 'halted', 'cancelled'] as const)('drops the tasks of a %s job and says so', async (state) => {
    const { applyTasks, eventsQueue } = start({ plan: () => change('a', changed), state: { state } });

    expect((await applyTasks(task(0))).batchItemFailures).toEqual([]);
    expect(recordedIn(eventsQueue.events)).toMatchObject([{ outcomes: [], dropped: [0] }]);
  });

  describe('when Atlassian refuses a look-up that rows share', () => {
    const refusal = new Refusal('REQUEST_REFUSED', 'Request Header Fields Too Large', { httpStatus: 431 });
    const refusing = (isAtFault: (cells: Cells) => boolean) => (rows: readonly Cells[]) => {
      if (rows.some(isAtFault)) throw refusal;
    };
    const nine = Array.from({ length: 9 }, (_, row) => task(row));
    const plan: Plan = ({ accountId = '' }) => change(accountId, changed);

    it('fails only the row that is the reason', async () => {
      const { applyTasks, eventsQueue } = start({
        plan,
        planTogether: refusing(({ accountId }) => accountId === 'id-4'),
      });

      const response = await applyTasks(...nine);

      const failed = outcomesIn(eventsQueue.events).filter(({ status }) => status !== 'changed');
      expect(failed).toMatchObject([{ row: 4, status: 'failed', code: 'REQUEST_REFUSED', httpStatus: 431 }]);
      expect(outcomesIn(eventsQueue.events)).toHaveLength(9);
      expect(response.batchItemFailures).toEqual([]);
    });

    it('fails every row when each is refused alone', async () => {
      const { applyTasks, eventsQueue } = start({ plan, planTogether: refusing(() => true) });

      await applyTasks(...nine);

      expect(outcomesIn(eventsQueue.events).map(({ code }) => code)).toEqual(nine.map(() => 'REQUEST_REFUSED'));
    });

    it('keeps what was found of the others when there is no time left for the rest', async () => {
      let plans = 0;
      const planTogether = () => {
        plans += 1;
        if (plans < 3) throw refusal;
        if (plans > 3) throw new RateLimited('out of time', { notBeforeMs: NOW_MS, sent: false });
      };
      const { applyTasks, eventsQueue } = start({ plan, planTogether });

      await applyTasks(...nine.slice(0, 4));

      expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'changed' }]);
      expect(recordedIn(eventsQueue.events)).toMatchObject([{ returned: [1, 2, 3] }]);
    });
  });

  describe('when Atlassian refuses the credentials', () => {
    const unauthorized = new Refusal('UNAUTHORIZED', 'Client must be authenticated', { httpStatus: 401 });

    it('fails the row that met it, halts the job and drops the rest', async () => {
      const { applyTasks, eventsQueue, beforeCalls } = start({ plan: () => throwing(unauthorized)() });

      await applyTasks(task(0), task(1), task(2));

      expect(eventsQueue.events).toMatchObject([
        { type: 'halted', code: 'UNAUTHORIZED' },
        { type: 'recorded', outcomes: [{ row: 0, code: 'UNAUTHORIZED' }], dropped: [1, 2] },
      ]);
      await expect(beforeCalls[0]?.()).rejects.toMatchObject({ code: 'WITHHELD' });
    });

    it('plans again with the new credentials when the secret has changed', async () => {
      let plans = 0;
      const plan: Plan = () => ((plans += 1) === 1 ? throwing(unauthorized)() : noop);
      const { applyTasks, eventsQueue } = start({ plan, targets: [TARGET, { ...TARGET, apiToken: 'token-2' }] });

      await applyTasks(task(0));

      expect(eventsQueue.events).toMatchObject([
        { type: 'recorded', outcomes: [{ status: 'unchanged' }], calls: { sent: 6 } },
      ]);
    });

    it('hands the row back when the secret changed between planning and writing', async () => {
      const plan: Plan = () => change('a', throwing(unauthorized));
      const { applyTasks, rows } = start({ plan, targets: [TARGET, { ...TARGET, apiToken: 'token-2' }] });

      await applyTasks(task(0));

      expect(rows.messages).toMatchObject([{ body: task(0) }]);
    });
  });

  describe('when the secret cannot be used any more', () => {
    const unreadable = new TargetUnreadable(
      'The secret of target acme cannot be used: it is not JSON. Correct the secret.',
    );
    const halted = { type: 'halted', code: 'UNAUTHORIZED', message: expect.stringContaining('not JSON') as string };

    it('fails one row, halts the job and drops the rest', async () => {
      const { applyTasks, eventsQueue } = start({ plan: () => change('a', changed), targets: [unreadable] });

      const response = await applyTasks(task(0), task(1));

      expect(eventsQueue.events).toMatchObject([
        halted,
        { type: 'recorded', outcomes: [{ row: 0, code: 'UNAUTHORIZED' }], dropped: [1] },
      ]);
      expect(response.batchItemFailures).toEqual([]);
    });

    it('judges no row again that was written before a 401 had it read', async () => {
      const unauthorized = new Refusal('UNAUTHORIZED', 'Client must be authenticated', { httpStatus: 401 });
      const plan: Plan = ({ accountId = '' }) =>
        change(accountId, accountId === 'id-1' ? throwing(unauthorized) : changed);
      const { applyTasks, eventsQueue, deadLetters } = start({ plan, targets: [TARGET, unreadable] });

      const response = await applyTasks(task(0), task(1));

      expect(eventsQueue.events).toMatchObject([{ type: 'attempting' }, halted, { type: 'recorded' }]);
      expect(outcomesIn(eventsQueue.events)).toMatchObject([
        { row: 0, status: 'changed' },
        { row: 1, status: 'failed', code: 'UNAUTHORIZED' },
      ]);
      expect(deadLetters.messages).toMatchObject([{ body: { row: 1 } }]);
      expect(response.batchItemFailures).toEqual([]);
    });
  });

  describe('when the target has not the keys that the operation needs', () => {
    const keysMissing = new TargetUnusable('FORBIDDEN', 'The target acme has no organisation keys');

    it('fails one row, halts the job and drops the rest, so that it can be resumed', async () => {
      const { applyTasks, eventsQueue } = start({ plan: throwing(keysMissing) });

      await applyTasks(task(0), task(1));

      expect(eventsQueue.events).toMatchObject([
        { type: 'halted', code: 'FORBIDDEN', message: keysMissing.message },
        { type: 'recorded', outcomes: [{ row: 0, code: 'FORBIDDEN' }], dropped: [1] },
      ]);
    });

    it('plans again when the secret has been fixed', async () => {
      let plans = 0;
      const plan: Plan = () => ((plans += 1) === 1 ? throwing(keysMissing)() : noop);
      const { applyTasks, eventsQueue } = start({
        plan,
        targets: [TARGET, { ...TARGET, orgId: 'org', orgApiKey: 'key' }],
      });

      await applyTasks(task(0));

      expect(outcomesIn(eventsQueue.events)).toMatchObject([{ status: 'unchanged' }]);
    });
  });

  describe('when two rows turn out to be about the same account', () => {
    it('carries the first out and names it to the repeat', async () => {
      const { applyTasks, eventsQueue } = start({ plan: () => change('one', changed) });

      await applyTasks(task(0), task(1));

      expect(outcomesIn(eventsQueue.events)).toMatchObject([
        { row: 1, status: 'unprocessed', code: 'DUPLICATE', message: expect.stringContaining('line 2') as string },
        { row: 0, status: 'changed' },
      ]);
    });

    it('finds the row of an earlier batch when rows name accounts in different terms', async () => {
      const plan: Plan = ({ accountId, desired }) => change('one', changed, desired ?? accountId);
      const { applyTasks, eventsQueue } = start({ plan });
      const mixed = (row: number, desired: string) =>
        task(row, { mixed: true, cells: { accountId: `id-${row}`, desired } });

      await applyTasks(mixed(0, 'add'));
      await applyTasks(mixed(1, 'remove'));
      await applyTasks(mixed(2, 'add'));
      await applyTasks(mixed(0, 'add'));

      expect(outcomesIn(eventsQueue.events)).toMatchObject([
        { row: 0, status: 'changed' },
        { row: 1, status: 'failed', code: 'CONTRADICTION', message: expect.stringContaining('Line 2 ') as string },
        { row: 2, status: 'unprocessed', code: 'DUPLICATE', message: expect.stringContaining('line 2,') as string },
        { row: 0, status: 'changed' },
      ]);
    });

    it('applies one of them though they come in another order than in the manifest', async () => {
      const { applyTasks, eventsQueue } = start({ plan: () => change('one', changed) });

      await applyTasks(task(8, { mixed: true }), task(4, { mixed: true }));

      expect(outcomesIn(eventsQueue.events)).toMatchObject([
        { row: 4, status: 'unprocessed', code: 'DUPLICATE', message: expect.stringContaining('line 10,') as string },
        { row: 8, status: 'changed' },
      ]);
    });

    it('fails rows of a batch that want the same, and something else than an earlier batch', async () => {
      const plan: Plan = ({ desired }) => change('one', changed, desired);
      const { applyTasks, eventsQueue } = start({ plan });
      const mixed = (row: number, desired: string) => task(row, { mixed: true, cells: { desired } });

      await applyTasks(mixed(1, 'add'));
      await applyTasks(mixed(2, 'remove'), mixed(3, 'remove'));

      expect(outcomesIn(eventsQueue.events)).toMatchObject([
        { row: 1, status: 'changed' },
        { row: 2, status: 'failed', code: 'CONTRADICTION' },
        { row: 3, status: 'failed', code: 'CONTRADICTION' },
      ]);
    });

    it('fails both when they want different things', async () => {
      const plan: Plan = ({ accountId }) => change('one', changed, accountId);
      const { applyTasks, eventsQueue } = start({ plan });

      await applyTasks(task(0), task(1));

      expect(outcomesIn(eventsQueue.events)).toMatchObject([
        { row: 0, status: 'failed', code: 'CONTRADICTION', message: expect.stringContaining('Line 3') as string },
        { row: 1, status: 'failed', code: 'CONTRADICTION' },
      ]);
    });
  });

  describe('when a row takes an address that another row frees', () => {
    const inUse: Plan = () => ({ kind: 'refused', refusal: new Refusal('EMAIL_IN_USE', 'taken') });
    const waiting = task(1, { after: { row: 0, line: 2 } });

    // That its address is free already is not enough: the other row's outcome may yet be lost, and the row be planned again.
    it.each([
      ['the address is taken', inUse],
      ['the address is free', () => change('a', changed)],
    ])('waits for that row without spending an attempt though %s', async (_, plan) => {
      const { applyTasks, rows, eventsQueue } = start({ plan });

      await applyTasks(waiting);

      expect(rows.messages).toMatchObject([{ body: waiting }]);
      expect(recordedIn(eventsQueue.events)).toMatchObject([{ awaiting: [1], returned: [] }]);
    });

    it('fails when that row has its outcome and the address is still taken', async () => {
      const rowStatuses = new Uint8Array(10);
      rowStatuses[0] = rowStatusOf('failed', 'FORBIDDEN');
      const { applyTasks, eventsQueue } = start({ plan: inUse, state: { rowStatuses } });

      await applyTasks(waiting);

      expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 1, code: 'EMAIL_IN_USE' }]);
    });

    it('tries again once Atlassian must show that the address is free, when that row has freed it', async () => {
      const rowStatuses = new Uint8Array(10);
      rowStatuses[0] = rowStatusOf('changed');
      const { applyTasks, rows } = start({ plan: inUse, state: { rowStatuses } });

      await applyTasks(waiting);

      expect(rows.messages).toMatchObject([{ body: { ...waiting, attempts: 1 }, delaySeconds: 60 }]);
    });
  });

  it('tries a row whose batch died once alone, and then records that its worker died', async () => {
    const { worker, eventsQueue, deadLetters } = start({
      plan: () => change('a', throwing(new TypeError('our mistake'))),
    });
    const event = { Records: [sqsRecord(task(0), { queue: 'isolation' })] };

    const first = await worker(event, CONTEXT);
    const second = await worker(event, CONTEXT);

    expect(first.batchItemFailures).toHaveLength(1);
    expect(second.batchItemFailures).toHaveLength(0);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'failed', code: 'WORKER_DIED' }]);
    expect(deadLetters.messages).toMatchObject([{ attributes: { code: 'WORKER_DIED' } }]);
  });

  it('records a row that was tried alone no second time when its message comes again', async () => {
    const rowStatuses = Uint8Array.of(rowStatusOf('failed', 'WORKER_DIED'));
    const { worker, results, deadLetters, eventsQueue } = start({
      plan: () => change('a', changed),
      state: { rows: 1, rowStatuses },
    });
    await results.write(isolatedKey(JOB.id, 0, 0), '');

    const response = await worker({ Records: [sqsRecord(task(0), { queue: 'isolation' })] }, CONTEXT);

    expect([response.batchItemFailures, deadLetters.messages, eventsQueue.events]).toEqual([[], [], []]);
  });

  it.each([['no JSON'], [{ ...task(0), version: 2 }], [{ hello: 'world' }]])(
    'quarantines a message that is no task (%j)',
    async (body) => {
      const { applyTasks, results } = start({ plan: () => change('a', changed) });

      expect((await applyTasks(body)).batchItemFailures).toEqual([]);
      expect([...results.objects.keys()]).toContain('quarantine/tasks/message-1.json');
    },
  );
});
