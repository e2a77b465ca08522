import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';

import { createWorker } from '../../../functions/worker/worker.ts';
import { NoAnswer, RateLimited, Refusal } from '../../../shared/atlassian/errors.ts';
import { attempted, rowStatusOf } from '../../../shared/job/row-status.ts';
import type { JobEvent } from '../../../shared/job/events.ts';
import type { JobState } from '../../../shared/job/job.ts';
import { isolatedKey, stateKey } from '../../../shared/job/keys.ts';
import { serializeState, type State, newState } from '../../../shared/job/state.ts';
import { taskSchema, type ChangeTask, type Task } from '../../../shared/job/messages.ts';
import { TargetUnreadable } from '../../../shared/ports.ts';
import { findOperation } from '../../../shared/operations/index.ts';
import type { Cells } from '../../../shared/operations/operation.ts';
import type { CloudTarget } from '../../../shared/target.ts';
import { fakeCloud, type FakePerson } from '../../fakes/atlassian-cloud.ts';
import type { FakeCall, Intercept } from '../../fakes/atlassian-watch.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';
import { JOB, NOW_MS } from '../../shared/job/building.ts';
import { plan } from '../../shared/operations/apply-tasks.ts';
import { sqsEvent, sqsRecord } from '../sqs-event.ts';

const CONTEXT = { getRemainingTimeInMillis: () => 30_000 } as Context; // all that the worker reads of it

const ROWS = 10;

/** Ten people of whom each row of a job is about one; those at the places given are suspended. */
const people = ({ suspended = [] as readonly number[] } = {}): readonly FakePerson[] =>
  Array.from({ length: ROWS }, (_, row) => ({
    accountId: `id-${row}`,
    email: `p${row}@acme.example`,
    membershipStatus: suspended.includes(row) ? 'suspended' : 'active',
  }));

const NEW_EMAILS: readonly Cells[] = people().map(({ accountId }) => ({
  accountId,
  newEmail: `${accountId}@acme.example`,
}));

/** The tasks of rows as planning makes them of what it finds. */
async function tasksOf(operation: string, users: readonly FakePerson[], rows: readonly Cells[]): Promise<ChangeTask[]> {
  const planned = await plan(findOperation(operation)?.cloud, rows, fakeCloud({ users }).apis);
  return planned.map((one, row) => {
    if (one.kind !== 'change') throw new Error(`row ${row} is ${one.kind}`);
    const { subject, before, after } = one;
    return { ...taskFields(row, operation), kind: 'change', subject, before, after, plannedAt: JOB.startedAt };
  });
}

const taskFields = (row: number, operation: string) =>
  ({
    version: 2,
    jobId: JOB.id,
    target: JOB.target,
    operation,
    row,
    line: row + 2,
    generation: 0,
    attempts: 0,
  }) as const;

/** A dead letter that was moved back, of a row that its plan had refused. */
const rowTask = (row: number, cells: Cells = { accountId: `id-${row}` }): Task => ({
  ...taskFields(row, JOB.operation),
  kind: 'row',
  cells,
  generation: 1,
});

interface Options {
  readonly operation?: string;
  /** The people as they are when the worker comes; when the job was planned all were active, with their first addresses. */
  readonly now?: readonly FakePerson[];
  readonly intercept?: Intercept;
  readonly state?: Partial<State>;
  /** What the secret says at first, and what when it is read again. */
  readonly targets?: readonly (Partial<CloudTarget> | TargetUnreadable)[];
}

async function start(options: Options = {}) {
  const { operation = JOB.operation, now = people(), targets: [first = {}, later = first] = [] } = options;
  const rows = operation === 'email-change' ? NEW_EMAILS : people().map(({ accountId }) => ({ accountId }));
  const planned = await tasksOf(operation, people(), rows);
  const time = { nowMs: NOW_MS };
  const worldOf = { beforeCall: async () => {} };
  const cloud = fakeCloud({
    users: now,
    intercept: async (call, proceed) => {
      await worldOf.beforeCall();
      return options.intercept ? options.intercept(call, proceed) : proceed();
    },
  });
  const results = memoryObjectStore();
  const save = async (state: Partial<State>) => {
    const rowStatuses = new Uint8Array(ROWS);
    const whole = { ...newState({ ...JOB, operation }, NOW_MS), state: 'running' as JobState, rows: ROWS, rowStatuses };
    await results.write(stateKey(JOB.id), serializeState({ ...whole, ...state }));
  };
  await save(options.state ?? {});
  const [tasks, eventsQueue] = [memoryQueue(), memoryEventsQueue()];
  let current: CloudTarget | TargetUnreadable = targetOf(first);
  const worker = createWorker({
    results,
    tasks,
    eventsQueue,
    targets: {
      secretNameOf: (name) => `rollcall/${name}`,
      find: async (_, { fresh } = {}) => {
        if (fresh) current = targetOf(later);
        if (current instanceof TargetUnreadable) throw current;
        return current;
      },
    },
    atlassian: {
      open: (target, { beforeCall } = {}) => {
        if (beforeCall) worldOf.beforeCall = beforeCall;
        const sent = cloud.calls.length;
        if (target.type !== 'cloud') throw new Error('the fake is a Cloud site');
        const { organisation: _organisation, userManagement: _userManagement, ...keyless } = cloud.apis;
        const apis = { ...(target.orgId === undefined ? keyless : cloud.apis), target };
        return { type: 'cloud', apis, countCalls: () => ({ sent: cloud.calls.length - sent, rateLimited: 0 }) };
      },
    },
    operations: findOperation,
    clock: { now: () => new Date(time.nowMs) },
    chance: { uuid: () => crypto.randomUUID(), random: () => 0 },
    log: () => undefined,
    maxAttempts: 5,
    consistencySeconds: 60,
    callsUnderWay: 100,
    isolationQueueArn: 'arn:aws:sqs:eu-central-1:000000000000:isolation',
  });
  const task = (row: number, more: Partial<ChangeTask> = {}): ChangeTask => ({ ...planned[row]!, ...more });
  const applyTasks = async (...bodies: readonly unknown[]) => worker(sqsEvent(bodies, { queue: 'tasks' }), CONTEXT);
  return { worker, applyTasks, task, cloud, results, tasks, eventsQueue, save, time };
}

const TARGET: CloudTarget = fakeCloud().apis.target;

const targetOf = (given: Partial<CloudTarget> | TargetUnreadable): CloudTarget | TargetUnreadable =>
  given instanceof TargetUnreadable ? given : { ...TARGET, ...given };

const isWrite = (name: string): boolean => /\.(suspend|restore|setEmail)$/.test(name);

/** The calls that changed something, or could have. */
const writesIn = (calls: readonly FakeCall[]) => calls.filter(({ name }) => isWrite(name)).map(({ args }) => args[0]);
/** The calls that ask how subjects stand; others ask what is protected. */
const isRead = (name: string): boolean => name === 'organisation.findUsersById';
const readsIn = (calls: readonly FakeCall[]) => calls.filter(({ name }) => isRead(name));

const aboutSubjects = (calls: readonly FakeCall[]) =>
  calls.map(({ name }) => name).filter((name) => isRead(name) || isWrite(name));

const failingWrites =
  (error: Error, isMeant: (accountId: unknown) => boolean = () => true): Intercept =>
  async ({ name, args }, proceed) => {
    if (isWrite(name) && isMeant(args[0])) throw error;
    return proceed();
  };

const failingBy =
  (meant: string, error: Error): Intercept =>
  async ({ name }, proceed) => {
    if (name === meant) throw error;
    return proceed();
  };

const failingReads = (error: Error): Intercept => failingBy('organisation.findUsersById', error);

const recordedIn = (events: readonly JobEvent[]) => events.filter((event) => event.type === 'recorded');
const droppedIn = (events: readonly JobEvent[]) =>
  recordedIn(events)
    .flatMap(({ dropped }) => dropped)
    .toSorted((one, other) => one - other);
const outcomesIn = (events: readonly JobEvent[]) => recordedIn(events).flatMap(({ outcomes }) => outcomes);

const failed = (code: 'FORBIDDEN' | 'REQUEST_REFUSED' | 'WORKER_DIED') =>
  new Uint8Array(ROWS).fill(rowStatusOf('failed', code));

describe('worker', () => {
  it('says what it is about to write, then what came of it, and deletes the message', async () => {
    const { applyTasks, task, cloud, eventsQueue } = await start();

    const response = await applyTasks(task(0));

    expect(response.batchItemFailures).toEqual([]);
    expect(eventsQueue.events).toMatchObject([
      { type: 'attempting', rows: [{ row: 0, line: 2 }] },
      {
        type: 'recorded',
        outcomes: [{ row: 0, status: 'changed', httpStatus: 204, traceId: 'fake-trace', attempts: 1 }],
      },
    ]);
    expect(recordedIn(eventsQueue.events)[0]?.calls).toEqual({
      sent: cloud.calls.length,
      rateLimited: 0,
      retried: 0,
    });
    expect(cloud.state.users.get('id-0')?.membershipStatus).toBe('suspended');
  });

  it('promise 3: writes the subject and the state of the plan, whoever has the address now', async () => {
    const users = [{ accountId: 'ann', email: 'ann@acme.example' }];
    const [byEmail] = await tasksOf('suspend', users, [{ email: 'ann@acme.example' }]);
    const { applyTasks, cloud } = await start({
      now: [
        ...people(),
        { accountId: 'ann', email: 'ann.new@acme.example' },
        { accountId: 'new', email: 'ann@acme.example' },
      ],
    });

    await applyTasks(byEmail);

    expect(writesIn(cloud.calls)).toEqual(['ann']);
  });

  it.each([
    ['its first write', {}, {}, true],
    ['a write after one that may have begun', {}, { rowStatuses: new Uint8Array(ROWS).fill(attempted(0)) }, undefined],
  ])('says whether Atlassian answered "so already" to %s', async (_, more, state, untouched) => {
    const soAlready: Intercept = async ({ name }, proceed) => (isWrite(name) ? { status: 'unchanged' } : proceed());
    const { applyTasks, task, eventsQueue } = await start({ state, intercept: soAlready });

    await applyTasks(task(0, more));

    expect(outcomesIn(eventsQueue.events)[0]).toMatchObject({ status: 'unchanged' });
    expect(outcomesIn(eventsQueue.events)[0]?.untouched).toBe(untouched);
  });

  it('promise 2: writes a row once that comes twice in one batch, and deletes both messages', async () => {
    const { applyTasks, task, cloud, eventsQueue } = await start();

    const response = await applyTasks(task(0), task(0));

    expect(response.batchItemFailures).toEqual([]);
    expect(writesIn(cloud.calls)).toEqual(['id-0']);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'changed' }]);
  });

  it('keeps both messages of a row that came twice when nothing is recorded of it', async () => {
    const { applyTasks, task } = await start({ intercept: failingWrites(new TypeError('our own mistake')) });

    const response = await applyTasks(task(0), task(0));

    expect(response.batchItemFailures).toHaveLength(2);
  });

  it('records a refused row as failed, and leaves its dead letter to the report', async () => {
    const refusal = new Refusal('FORBIDDEN', 'no', { httpStatus: 403, traceId: 'trace-9' });
    const { applyTasks, task, tasks, eventsQueue } = await start({ intercept: failingWrites(refusal) });

    await applyTasks(task(0, { attempts: 2 }));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([
      { status: 'failed', code: 'FORBIDDEN', message: 'no', httpStatus: 403, traceId: 'trace-9', attempts: 3 },
    ]);
    expect(tasks.messages).toEqual([]);
  });

  it('promise 5: hands a task back unspent when Atlassian asks to wait, and says until when', async () => {
    const limited = new RateLimited('wait', { notBeforeMs: NOW_MS + 7_000, sent: true });
    const { applyTasks, task, tasks, eventsQueue } = await start({ intercept: failingWrites(limited) });

    const response = await applyTasks(task(0));

    expect(response.batchItemFailures).toEqual([]);
    expect(tasks.messages).toEqual([{ body: task(0), groupId: JOB.id, delaySeconds: 7 }]);
    expect(recordedIn(eventsQueue.events)).toMatchObject([
      { outcomes: [], returned: [0], until: new Date(NOW_MS + 7_000).toISOString() },
    ]);
  });

  it.each([
    ['Atlassian fails for now', new Refusal('ATLASSIAN_ERROR', 'sorry', { httpStatus: 500 }), 2, {}],
    [
      'Atlassian fails and may have done it',
      new Refusal('ATLASSIAN_ERROR', 'sorry', { uncertain: true }),
      60,
      { begun: true as const },
    ],
    [
      'no answer comes, after which Atlassian is given time to show what was done',
      new NoAnswer('reset'),
      60,
      { begun: true as const },
    ],
  ])('tries again later when %s', async (_, error, delaySeconds, noted) => {
    const { applyTasks, task, tasks } = await start({ intercept: failingWrites(error) });

    await applyTasks(task(0));

    expect(tasks.messages).toEqual([{ body: task(0, { attempts: 1, ...noted }), groupId: JOB.id, delaySeconds }]);
  });

  it('promise 8: settles an answer that nobody heard by reading', async () => {
    const unheard: Intercept = async ({ name }, proceed) => {
      const answer = await proceed();
      if (isWrite(name)) throw new NoAnswer('reset');
      return answer;
    };
    const { applyTasks, task, cloud, tasks, eventsQueue, save, time } = await start({ intercept: unheard });

    await applyTasks(task(0));
    await save({ rowStatuses: new Uint8Array(ROWS).fill(attempted(0)) });
    time.nowMs += 60_000;
    await applyTasks(tasks.messages[0]?.body);

    expect(writesIn(cloud.calls)).toEqual(['id-0']);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'unchanged', attempts: 2 }]);
    expect(outcomesIn(eventsQueue.events)[0]?.untouched).toBeUndefined();
  });

  it.each([
    ['its own last write was not answered', new NoAnswer('reset'), { attempts: 4 }, true],
    ['an earlier write was not', new Refusal('FORBIDDEN', 'no'), { attempts: 1, begun: true as const }, true],
    ['all was answered', new Refusal('FORBIDDEN', 'no'), {}, false],
  ])('says of a failed row that it may have been changed when %s', async (_, error, given, isSaid) => {
    const { applyTasks, task, eventsQueue } = await start({ intercept: failingWrites(error) });

    await applyTasks(task(0, given));

    const [outcome] = outcomesIn(eventsQueue.events);
    expect(outcome?.status).toBe('failed');
    expect(/A write of this row had begun.*may have been made/.test(outcome?.message ?? '')).toBe(isSaid);
  });

  it('says it too when the row fails of something else once its worker had died after a write', async () => {
    const refusing: Intercept = async ({ name }, proceed) => {
      if (!isWrite(name)) throw new Refusal('FORBIDDEN', 'no');
      return proceed();
    };
    const { applyTasks, task, eventsQueue, save } = await start({ intercept: refusing });
    await save({ rowStatuses: new Uint8Array(ROWS).fill(attempted(0)) });

    await applyTasks(task(0));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([
      {
        status: 'failed',
        code: 'FORBIDDEN',
        message: expect.stringMatching(/^no A write of this row had begun/) as unknown,
      },
    ]);
  });

  it('gives a row up when its attempts are spent', async () => {
    const { applyTasks, task, tasks, eventsQueue } = await start({ intercept: failingWrites(new NoAnswer('reset')) });

    await applyTasks(task(0, { attempts: 4 }));

    expect(tasks.messages).toEqual([]);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ status: 'failed', code: 'TIMED_OUT', attempts: 5 }]);
  });

  it('promise 7: leaves the message on the queue when something unforeseen happens, and applies the others', async () => {
    const mistake = failingWrites(new TypeError('our mistake'), (accountId) => accountId === 'id-0');
    const { applyTasks, task, eventsQueue } = await start({ intercept: mistake });

    const response = await applyTasks(task(0), task(1));

    expect(response.batchItemFailures).toEqual([{ itemIdentifier: 'message-1' }]);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 1, status: 'changed' }]);
  });

  it("promise 7: deletes no message when the job's events cannot be written", async () => {
    const { applyTasks, task, eventsQueue } = await start();
    Object.assign(eventsQueue, { post: () => Promise.reject(new Error('SQS is away')) });

    expect((await applyTasks(task(0))).batchItemFailures).toEqual([{ itemIdentifier: 'message-1' }]);
  });

  it('forgets a task whose row has an outcome', async () => {
    const rowStatuses = new Uint8Array(ROWS).fill(rowStatusOf('changed'));
    const { applyTasks, task, cloud, eventsQueue } = await start({ state: { rowStatuses } });

    expect((await applyTasks(task(0))).batchItemFailures).toEqual([]);
    expect([eventsQueue.events, cloud.calls]).toEqual([[], []]);
  });

  it.each(['paused', 'halted', 'cancelled', 'waiting'] as const)(
    'drops the tasks of a %s job and says so',
    async (state) => {
      const { applyTasks, task, cloud, eventsQueue } = await start({ state: { state } });

      expect((await applyTasks(task(0))).batchItemFailures).toEqual([]);
      expect(recordedIn(eventsQueue.events)).toMatchObject([{ outcomes: [], dropped: [0] }]);
      expect(cloud.calls).toEqual([]);
    },
  );

  it('promise 4: begins no write, nor says that it did, once its job has stopped while rows were read', async () => {
    const stop = { save: async () => {} };
    const { applyTasks, task, cloud, eventsQueue, save, time } = await start({
      intercept: async (_, proceed) => {
        const answer = await proceed();
        await stop.save();
        return answer;
      },
    });
    stop.save = async () => {
      await save({ state: 'paused' });
      time.nowMs += 1_000;
    };

    await applyTasks(task(0, { attempts: 1 }), task(1));

    expect(readsIn(cloud.calls)).toHaveLength(1);
    expect(writesIn(cloud.calls)).toEqual([]);
    expect(droppedIn(eventsQueue.events)).toEqual([0, 1]);
    expect(eventsQueue.events.some(({ type }) => type === 'attempting')).toBe(false);
  });
});

describe('which writes go unread', () => {
  const MINUTES_MS = 60_000;

  it.each([
    ['on the first delivery', {}, 0],
    ['ten minutes after planning', {}, 10 * MINUTES_MS],
  ])('goes unread %s', async (_, more, afterMs) => {
    const { applyTasks, task, cloud, time } = await start();
    time.nowMs += afterMs;

    await applyTasks(task(0, more));

    expect(aboutSubjects(cloud.calls)).toEqual(['organisation.suspend']);
  });

  it.each<[string, Partial<ChangeTask>, number, Partial<State>]>([
    ['the plan is more than ten minutes old', {}, 10 * MINUTES_MS + 1, {}],
    ['an attempt failed', { attempts: 1 }, 0, {}],
    ['the row was redriven', { generation: 1 }, 0, { state: 'completed', rowStatuses: failed('FORBIDDEN') }],
    ['a write of the row may have begun', {}, 0, { rowStatuses: new Uint8Array(ROWS).fill(attempted(0)) }],
    ['the row is to be read again', { readAgain: true }, 0, {}],
    ['the change takes back what another operation did', {}, 0, { job: { ...JOB, operation: 'undo' } }],
  ])('is read first when %s', async (_, more, afterMs, state) => {
    const { applyTasks, task, cloud, time } = await start({ state });
    time.nowMs += afterMs;

    await applyTasks(task(0, more));

    expect(aboutSubjects(cloud.calls)).toEqual(['organisation.findUsersById', 'organisation.suspend']);
  });

  it('is read first when the message was delivered before', async () => {
    const { worker, task, cloud } = await start();

    await worker({ Records: [sqsRecord(task(0), { queue: 'tasks', receiveCount: 2 })] }, CONTEXT);

    expect(readsIn(cloud.calls)).toHaveLength(1);
  });

  it('is read first when the operation says so, however fresh the plan', async () => {
    const { applyTasks, task, cloud } = await start({ operation: 'email-change' });

    await applyTasks(task(0));

    expect(aboutSubjects(cloud.calls)).toEqual(['organisation.findUsersById', 'userManagement.setEmail']);
  });

  it('is read together with the others of its batch', async () => {
    const { applyTasks, task, cloud } = await start();

    await applyTasks(...Array.from({ length: ROWS }, (_, row) => task(row, { attempts: 1 })));

    expect(readsIn(cloud.calls)).toHaveLength(1);
    expect(writesIn(cloud.calls)).toHaveLength(ROWS);
  });
});

describe('a row that is read first', () => {
  it('is unchanged when it is as desired, and nothing is written', async () => {
    const { applyTasks, task, cloud, eventsQueue } = await start({ now: people({ suspended: [0] }) });

    await applyTasks(task(0, { attempts: 1 }));

    expect(eventsQueue.events).toMatchObject([{ type: 'recorded', outcomes: [{ row: 0, status: 'unchanged' }] }]);
    expect(writesIn(cloud.calls)).toEqual([]);
  });

  it('promise 3: fails when somebody else changed its subject, saying what the plan found and what is there now', async () => {
    const now = people().map((person) => ({ ...person, email: `other-${person.email}` }));
    const { applyTasks, task, cloud, eventsQueue } = await start({ operation: 'email-change', now });

    await applyTasks(task(0));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'failed', code: 'CHANGED_SINCE_PLAN' }]);
    expect(outcomesIn(eventsQueue.events)[0]?.message).toBe(
      'Somebody changed this after it was planned: the plan found "email: p0@acme.example", now it is ' +
        '"email: other-p0@acme.example". Nothing was written; drop failed.csv in again if the row still applies.',
    );
    expect(writesIn(cloud.calls)).toEqual([]);
  });

  it('fails when its subject is not there any more', async () => {
    const { applyTasks, task, eventsQueue } = await start({ now: people().slice(1) });

    await applyTasks(task(0, { attempts: 1 }), task(1, { attempts: 1 }));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([
      { row: 0, status: 'failed', code: 'USER_NOT_FOUND' },
      { row: 1, status: 'changed' },
    ]);
  });

  it.each([
    ['no answer comes', new NoAnswer('reset'), { attempts: 2 }, 60],
    [
      'Atlassian asks to wait',
      new RateLimited('wait', { notBeforeMs: NOW_MS + 7_000, sent: true }),
      { attempts: 1 },
      7,
    ],
  ])('is tried again when %s', async (_, error, more, delaySeconds) => {
    const { applyTasks, task, cloud, tasks } = await start({ intercept: failingReads(error) });

    await applyTasks(task(0, { attempts: 1 }));

    expect(tasks.messages).toMatchObject([{ body: task(0, more), delaySeconds }]);
    expect(writesIn(cloud.calls)).toEqual([]);
  });
});

describe('a row whose change is protected', () => {
  it('fails, and nothing is said to have been attempted of it, while the others go on', async () => {
    const { applyTasks, task, cloud, eventsQueue } = await start({ targets: [{ protected: ['id-0'] }] });

    const response = await applyTasks(task(0), task(1));

    expect(writesIn(cloud.calls)).toEqual(['id-1']);
    expect(eventsQueue.events).toMatchObject([
      { type: 'attempting', rows: [{ row: 1 }] },
      {
        type: 'recorded',
        outcomes: [
          { row: 0, status: 'failed', code: 'PROTECTED' },
          { row: 1, status: 'changed' },
        ],
      },
    ]);
    expect(response.batchItemFailures).toEqual([]);
  });

  it('is not written when nobody tells for now what is protected', async () => {
    const away = failingBy('organisation.findAdmins', new NoAnswer('reset'));
    const { applyTasks, task, cloud, tasks } = await start({ intercept: away });

    await applyTasks(task(0));

    expect(writesIn(cloud.calls)).toEqual([]);
    expect(tasks.messages).toMatchObject([{ body: task(0, { attempts: 1 }), delaySeconds: 60 }]);
  });
});

describe('when Atlassian refuses a look-up that rows share', () => {
  const refusal = new Refusal('REQUEST_REFUSED', 'Request Header Fields Too Large', { httpStatus: 431 });
  const refusing =
    (isAtFault: (accountId: unknown) => boolean): Intercept =>
    async ({ name, args }, proceed) => {
      if (isRead(name) && Array.isArray(args[0]) && args[0].some(isAtFault)) throw refusal;
      return proceed();
    };
  const nine = Array.from({ length: 9 }, (_, row) => row);

  it('fails only the row that is the reason', async () => {
    const { applyTasks, task, eventsQueue } = await start({ intercept: refusing((accountId) => accountId === 'id-4') });

    const response = await applyTasks(...nine.map((row) => task(row, { attempts: 1 })));

    const others = outcomesIn(eventsQueue.events).filter(({ status }) => status !== 'changed');
    expect(others).toMatchObject([{ row: 4, status: 'failed', code: 'REQUEST_REFUSED', httpStatus: 431 }]);
    expect(outcomesIn(eventsQueue.events)).toHaveLength(9);
    expect(response.batchItemFailures).toEqual([]);
  });

  it('fails every row when each is refused alone', async () => {
    const { applyTasks, task, eventsQueue } = await start({ intercept: refusing(() => true) });

    await applyTasks(...nine.map((row) => task(row, { attempts: 1 })));

    expect(outcomesIn(eventsQueue.events).map(({ code }) => code)).toEqual(nine.map(() => 'REQUEST_REFUSED'));
  });

  it('keeps what was found of the others when there is no time left for the rest', async () => {
    let reads = 0;
    const { applyTasks, task, eventsQueue } = await start({
      intercept: async ({ name }, proceed) => {
        if (!isRead(name)) return proceed();
        reads += 1;
        if (reads < 3) throw refusal;
        if (reads > 3) throw new RateLimited('out of time', { notBeforeMs: NOW_MS, sent: false });
        return proceed();
      },
    });

    await applyTasks(...nine.slice(0, 4).map((row) => task(row, { attempts: 1 })));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'changed' }]);
    expect(recordedIn(eventsQueue.events)).toMatchObject([{ returned: [1, 2, 3] }]);
  });
});

describe('promise 8: a row that is found as desired soon after a write of ours', () => {
  const suspended = people({ suspended: [1, 2] });

  it('is handed back unspent, and unchanged once Atlassian must show what stands', async () => {
    const { applyTasks, task, tasks, eventsQueue, time } = await start({ now: suspended });

    await applyTasks(task(0));
    time.nowMs += 20_000;
    await applyTasks(task(1, { attempts: 1 }));
    const first = outcomesIn(eventsQueue.events);
    time.nowMs += 40_000;
    await applyTasks(tasks.messages[0]?.body);

    expect(first).toMatchObject([{ row: 0, status: 'changed' }]);
    expect(tasks.messages).toMatchObject([{ body: task(1, { attempts: 1, readAgain: true }), delaySeconds: 40 }]);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0 }, { row: 1, status: 'unchanged' }]);
  });

  it('waits once only, whatever is written meanwhile', async () => {
    const { applyTasks, task, tasks, eventsQueue, time } = await start({ now: suspended });

    await applyTasks(task(0));
    await applyTasks(task(1, { attempts: 1 }));
    time.nowMs += 60_000;
    await applyTasks(task(3));
    await applyTasks(tasks.messages[0]?.body);

    expect(tasks.messages).toHaveLength(1);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0 }, { row: 3 }, { row: 1, status: 'unchanged' }]);
  });

  it('is written when the state that is shown later is not the desired one', async () => {
    const { applyTasks, task, cloud, tasks, time } = await start({ now: suspended });

    await applyTasks(task(0));
    await applyTasks(task(1, { attempts: 1 }));
    time.nowMs += 60_000;
    await cloud.apis.organisation?.restore('id-1', new AbortController().signal);
    await applyTasks(tasks.messages[0]?.body);

    expect(writesIn(cloud.calls)).toEqual(['id-0', 'id-1', 'id-1']);
    expect(cloud.state.users.get('id-1')?.membershipStatus).toBe('suspended');
  });

  it.each([
    ['the consistency time is over', 60_000, {}, {}],
    ['its own write had begun', 0, {}, { rowStatuses: new Uint8Array(ROWS).fill(attempted(0)) }],
    ['the write was to another target', 0, { target: 'other' }, {}],
  ])('counts at once when %s', async (_, afterMs, more, state) => {
    const { applyTasks, task, tasks, eventsQueue, time } = await start({ now: suspended, state });

    await applyTasks(task(0));
    time.nowMs += afterMs;
    await applyTasks(task(1, { attempts: 1, ...more }));

    expect(tasks.messages).toEqual([]);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0 }, { row: 1, status: 'unchanged' }]);
  });

  it('does not fail for what may be an older state either', async () => {
    const now = people().map((person) => ({ ...person, email: `other-${person.email}` }));
    const { applyTasks, task, tasks, eventsQueue } = await start({ operation: 'email-change', now });
    const [suspension] = await tasksOf('suspend', now, [{ accountId: 'id-5' }]);

    await applyTasks(suspension);
    await applyTasks(task(0));

    expect(tasks.messages).toMatchObject([{ body: { row: 0, readAgain: true } }]);
    expect(outcomesIn(eventsQueue.events)).toHaveLength(1);
  });
});

describe('a row whose failure is recorded', () => {
  const inDoubt = {
    state: 'completed',
    rowStatuses: new Uint8Array(ROWS).fill(attempted(rowStatusOf('failed', 'REQUEST_REFUSED'))),
  } as const;

  it('is found changed by its own write, which another delivery took for a refusal', async () => {
    const { applyTasks, task, eventsQueue } = await start({ now: people({ suspended: [0] }), state: inDoubt });

    await applyTasks(task(0));

    expect(eventsQueue.events).toMatchObject([{ type: 'recorded', outcomes: [{ row: 0, status: 'unchanged' }] }]);
  });

  it('is not written by another delivery', async () => {
    const { applyTasks, task, cloud, tasks, eventsQueue } = await start({ state: inDoubt });

    const response = await applyTasks(task(0, { attempts: 1 }));

    expect(writesIn(cloud.calls)).toEqual([]);
    expect(outcomesIn(eventsQueue.events)).toEqual([]);
    expect([tasks.messages, response.batchItemFailures]).toEqual([[], []]);
  });

  it('calls nobody once its job is cancelled', async () => {
    const { applyTasks, task, cloud, tasks, eventsQueue } = await start({ state: { ...inDoubt, state: 'cancelled' } });

    const response = await applyTasks(task(0, { attempts: 1 }));

    expect([cloud.calls, eventsQueue.events, tasks.messages, response.batchItemFailures]).toEqual([[], [], [], []]);
  });
});

describe('a redriven row', () => {
  const ended = { state: 'completed', rowStatuses: failed('FORBIDDEN') } as const;

  it('is applied again, though its job has ended', async () => {
    const { applyTasks, task, eventsQueue } = await start({ state: ended });

    await applyTasks(task(0, { generation: 1 }));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'changed', generation: 1 }]);
  });

  it('is planned again where its plan had refused it, and applied', async () => {
    const { applyTasks, cloud, eventsQueue } = await start({ state: ended });

    await applyTasks(rowTask(0, { email: 'p0@acme.example' }));

    expect(writesIn(cloud.calls)).toEqual(['id-0']);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'changed', generation: 1 }]);
  });

  it('is unchanged when its new plan finds it as desired', async () => {
    const { applyTasks, eventsQueue } = await start({ state: ended, now: people({ suspended: [0] }) });

    await applyTasks(rowTask(0));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'unchanged', generation: 1 }]);
  });

  it.each([
    ['refuses it', 'suspend', { accountId: 'nobody' }, 'USER_NOT_FOUND'],
    [
      'finds that another has what it takes',
      'email-change',
      { accountId: 'id-0', newEmail: 'p1@acme.example' },
      'EMAIL_IN_USE',
    ],
  ])('fails when its new plan %s', async (_, operation, cells, code) => {
    const { applyTasks, cloud, eventsQueue } = await start({ operation, state: ended });

    await applyTasks({ ...rowTask(0, cells), operation });

    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'failed', code, generation: 1 }]);
    expect(writesIn(cloud.calls)).toEqual([]);
  });

  it('fails when the credentials are refused: an ended job is resumed by nobody', async () => {
    const unauthorized = new Refusal('UNAUTHORIZED', 'Client must be authenticated', { httpStatus: 401 });
    const { applyTasks, task, tasks, eventsQueue } = await start({
      state: ended,
      intercept: failingReads(unauthorized),
    });

    await applyTasks(task(0, { generation: 1 }), task(1, { generation: 1 }), rowTask(2));

    expect(droppedIn(eventsQueue.events)).toEqual([]);
    expect(outcomesIn(eventsQueue.events)).toMatchObject(
      [0, 1, 2].map((row) => ({ row, status: 'failed', code: 'UNAUTHORIZED', generation: 1 })),
    );
    expect(tasks.messages).toEqual([]);
  });

  it('is held back when its call is withheld', async () => {
    const stop = { save: async () => {} };
    const { applyTasks, task, tasks, save, time } = await start({
      state: ended,
      intercept: async (_, proceed) => {
        const answer = await proceed();
        await stop.save();
        return answer;
      },
    });
    stop.save = async () => {
      await save({ ...ended, state: 'cancelled' });
      time.nowMs += 1_000;
    };

    await applyTasks(task(0, { generation: 1 }));

    expect(tasks.messages).toMatchObject([{ body: task(0, { generation: 1 }), delaySeconds: 60 }]);
  });
});

describe('when no row of the target can be applied', () => {
  it.each(['UNAUTHORIZED', 'INSUFFICIENT_SCOPE', 'SITE_NOT_FOUND'] as const)(
    'halts the job by %s and drops its rows, the one that met it among them, so that resume takes them up',
    async (code) => {
      const { applyTasks, task, eventsQueue } = await start({ intercept: failingWrites(new Refusal(code, 'no')) });

      const response = await applyTasks(task(0), task(1), task(2));

      expect(eventsQueue.events).toMatchObject([
        { type: 'attempting' },
        { type: 'halted', code, message: 'no' },
        { type: 'recorded', outcomes: [] },
      ]);
      expect(droppedIn(eventsQueue.events)).toEqual([0, 1, 2]);
      expect(response.batchItemFailures).toEqual([]);
    },
  );

  const unauthorized = new Refusal('UNAUTHORIZED', 'Client must be authenticated', { httpStatus: 401 });

  it('promise 4: begins no further call, and says of no row that its write began', async () => {
    const { applyTasks, task, cloud, eventsQueue } = await start({ intercept: failingReads(unauthorized) });

    await applyTasks(task(0, { attempts: 1 }), task(1), task(2));

    expect(cloud.calls).toEqual([]);
    expect(eventsQueue.events).toMatchObject([{ type: 'halted' }, { type: 'recorded', dropped: [0, 1, 2] }]);
  });

  it('reads again with the new credentials when the secret has changed', async () => {
    let reads = 0;
    const { applyTasks, task, eventsQueue } = await start({
      now: people({ suspended: [0] }),
      targets: [{}, { apiToken: 'token-2' }],
      intercept: async (_, proceed) => {
        if ((reads += 1) === 1) throw unauthorized;
        return proceed();
      },
    });

    await applyTasks(task(0, { attempts: 1 }));

    expect(eventsQueue.events).toMatchObject([{ type: 'recorded', outcomes: [{ status: 'unchanged' }] }]);
  });

  it('hands the row back when the secret has changed since the batch began', async () => {
    const { applyTasks, task, tasks } = await start({
      intercept: failingWrites(unauthorized),
      targets: [{}, { apiToken: 'token-2' }],
    });

    await applyTasks(task(0));

    expect(tasks.messages).toMatchObject([{ body: task(0) }]);
  });

  const unreadable = new TargetUnreadable(
    'The secret of target acme cannot be used: it is not JSON. Correct the secret.',
  );
  const halted = { type: 'halted', code: 'UNAUTHORIZED', message: expect.stringContaining('not JSON') as string };

  it('halts the job and drops its rows when the secret cannot be used any more', async () => {
    const { applyTasks, task, eventsQueue } = await start({ targets: [unreadable] });

    const response = await applyTasks(task(0), task(1));

    expect(eventsQueue.events).toMatchObject([halted, { type: 'recorded', outcomes: [], dropped: [0, 1] }]);
    expect(response.batchItemFailures).toEqual([]);
  });

  it('judges no row again that was written before a 401 had the secret read', async () => {
    const { applyTasks, task, eventsQueue } = await start({
      intercept: failingWrites(unauthorized, (accountId) => accountId === 'id-1'),
      targets: [{}, unreadable],
    });

    const response = await applyTasks(task(0), task(1));

    expect(eventsQueue.events).toMatchObject([
      { type: 'attempting' },
      halted,
      { type: 'recorded', outcomes: [{ row: 0, status: 'changed' }], dropped: [1] },
    ]);
    expect(response.batchItemFailures).toEqual([]);
  });

  it('halts the job when the target has not the keys that the operation needs, and goes on once it has', async () => {
    const keyless = { orgId: undefined, orgApiKey: undefined } as unknown as Partial<CloudTarget>; // as a secret that lacks them is read
    const without = await start({ targets: [keyless] });
    const mended = await start({ targets: [keyless, {}], now: people({ suspended: [0] }) });

    await without.applyTasks(without.task(0, { attempts: 1 }), without.task(1, { attempts: 1 }));
    await mended.applyTasks(mended.task(0, { attempts: 1 }));

    expect(without.eventsQueue.events).toMatchObject([
      { type: 'halted', code: 'FORBIDDEN', message: expect.stringContaining('has no organisation keys') as string },
      { type: 'recorded', outcomes: [], dropped: [0, 1] },
    ]);
    expect(outcomesIn(mended.eventsQueue.events)).toMatchObject([{ status: 'unchanged' }]);
  });

  it('halts a job whose operation is gone', async () => {
    const { applyTasks, task, eventsQueue } = await start();

    await applyTasks(task(0, { operation: 'gone' }));

    expect(eventsQueue.events).toMatchObject([
      { type: 'halted', code: 'REQUEST_REFUSED' },
      { type: 'recorded', dropped: [0] },
    ]);
  });
});

describe('when a row takes an address that another row has freed', () => {
  const inUse = failingWrites(new Refusal('EMAIL_IN_USE', 'taken', { httpStatus: 400 }));

  it('tries again once Atlassian must show that the address is free', async () => {
    const { applyTasks, task, tasks } = await start({ operation: 'email-change', intercept: inUse });

    await applyTasks(task(1, { freed: true }));

    expect(tasks.messages).toMatchObject([{ body: task(1, { freed: true, attempts: 1 }), delaySeconds: 60 }]);
  });

  it.each([
    ['no row has freed it', {}],
    ['its attempts are spent', { freed: true, attempts: 4 }],
  ] as const)('fails when %s', async (_, more) => {
    const { applyTasks, task, eventsQueue } = await start({ operation: 'email-change', intercept: inUse });

    await applyTasks(task(1, more));

    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 1, status: 'failed', code: 'EMAIL_IN_USE' }]);
  });
});

describe('a row whose batch died', () => {
  it('is tried once alone, and then recorded as one whose worker died', async () => {
    const { worker, task, eventsQueue } = await start({ intercept: failingWrites(new TypeError('our mistake')) });
    const event = { Records: [sqsRecord(task(0), { queue: 'isolation', receiveCount: 6 })] };

    const first = await worker(event, CONTEXT);
    const second = await worker(event, CONTEXT);

    expect(first.batchItemFailures).toHaveLength(1);
    expect(second.batchItemFailures).toHaveLength(0);
    expect(outcomesIn(eventsQueue.events)).toMatchObject([{ row: 0, status: 'failed', code: 'WORKER_DIED' }]);
  });

  it('is recorded no second time when its message comes again', async () => {
    const { worker, task, cloud, results, eventsQueue } = await start({
      state: { rowStatuses: failed('WORKER_DIED') },
    });
    await results.write(isolatedKey(JOB.id, 0, 0), '');

    const response = await worker({ Records: [sqsRecord(task(0), { queue: 'isolation' })] }, CONTEXT);

    expect([response.batchItemFailures, cloud.calls, eventsQueue.events]).toEqual([[], [], []]);
  });
});

it.each([['no JSON'], [{ ...rowTask(0), version: 1 }], [{ ...rowTask(0), kind: 'other' }], [{ hello: 'world' }]])(
  'quarantines a message that is no task (%j)',
  async (body) => {
    const { applyTasks, results } = await start();

    expect((await applyTasks(body)).batchItemFailures).toEqual([]);
    expect([...results.objects.keys()]).toContain('quarantine/tasks/message-1.json');
  },
);

it('keeps a task as it was sent through every hand-back', async () => {
  const limited = new RateLimited('wait', { notBeforeMs: NOW_MS + 7_000, sent: true });
  const { applyTasks, task, tasks } = await start({ intercept: failingWrites(limited) });
  const sent = task(0, { freed: true });

  await applyTasks(sent);

  expect(tasks.messages.map(({ body }) => taskSchema.parse(body))).toEqual([taskSchema.parse(sent)]);
});
