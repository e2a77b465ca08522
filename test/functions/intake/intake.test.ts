import { describe, expect, it } from 'vitest';

import { createIntake, type IntakePorts } from '../../../functions/intake/intake.ts';
import { jobIdOf, stateKey } from '../../../shared/job/keys.ts';
import { validateRequestSchema } from '../../../shared/job/messages.ts';
import type { SightedTarget } from '../../../shared/target.ts';
import { QueueRefused, type Targets, TargetUnreadable } from '../../../shared/ports.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';
import { cloudTarget } from '../../shared/atlassian/targets.ts';
import { sqsEvent } from '../sqs-event.ts';

const NOW = '2026-11-21T10:00:00.000Z';
const UPLOADED = '2026-11-21T09:59:58.000Z';
const JOB = 'leavers-0123456789ab';
const HASH = 'a1'.repeat(32);
const INTAKE = 'arn:aws:lambda:eu-central-1:000000000000:function:Rollcall-Intake';

/** An intake over fakes, driven as AWS drives it. */
function start(ports: Partial<IntakePorts> = {}) {
  const inbox = memoryObjectStore();
  const results = memoryObjectStore();
  const validate = memoryQueue();
  const eventsQueue = memoryEventsQueue();
  const logged: string[] = [];
  let ids = 0;
  const intake = createIntake({
    inbox,
    results,
    targets,
    validate,
    eventsQueue,
    clock: { now: () => new Date(NOW) },
    chance: { uuid: () => `id-${(ids += 1)}`, random: () => 0.5 },
    log: (event) => logged.push(event),
    ...ports,
  });
  return {
    inbox,
    results,
    logged,
    events: eventsQueue.events,
    requests: validate.messages,
    /** Hands it messages of the intake queue; which of them failed. */
    deliver: (...bodies: readonly unknown[]) =>
      intake(sqsEvent(bodies, { queue: 'intake' }), { invokedFunctionArn: INTAKE }),
    invoke: (payload: unknown, alias = ':stop') => intake(payload, { invokedFunctionArn: `${INTAKE}${alias}` }),
  };
}

interface Put {
  readonly versionId?: string;
  readonly size?: number;
  readonly event?: string;
}

/** What S3 sends when an object is put, keys encoded as S3 encodes them. */
function notification(key: string, { versionId = 'v1', size = 0, event = 'ObjectCreated:Put' }: Put = {}) {
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        eventName: event,
        eventTime: UPLOADED,
        userIdentity: { principalId: 'AWS:AIDAANN' },
        s3: {
          bucket: { name: 'inbox' },
          object: { key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'), size, versionId },
        },
      },
    ],
  };
}

const FOUND: SightedTarget = { type: 'cloud', name: 'acme', orgId: 'org-1', defaultProducts: ['jira-software'] };
const FAULT = 'The secret of target torn cannot be used: apiToken: missing.';
const targets: Targets = {
  secretNameOf: (name) => `rollcall/${name}`,
  find: async (name) => {
    if (name === 'torn') throw new TargetUnreadable(FAULT);
    return ['acme', 'jobs'].includes(name)
      ? cloudTarget({ name, orgId: 'org-1', defaultProducts: ['jira-software'] })
      : undefined;
  },
};

const DONE = { batchItemFailures: [] };

describe('an upload', () => {
  it.each(['acme/suspend/leavers.csv', 'nobody/nothing/x.txt', 'acme/x/Zugänge + Abgänge 100%.csv', 'top.csv'])(
    'of %s is to be validated, whatever its folders mean',
    async (key) => {
      const { deliver, requests, events } = start();

      const answer = await deliver(notification(key, { size: 17 }));

      expect(answer).toEqual(DONE);
      expect(requests.map(({ body }) => validateRequestSchema.parse(body))).toEqual([
        {
          version: 2,
          kind: 'validate',
          bucket: 'inbox',
          key,
          versionId: 'v1',
          bytes: 17,
          at: UPLOADED,
          principal: 'AWS:AIDAANN',
          ...(key.startsWith('acme/') && { target: FOUND }),
        },
      ]);
      expect(events).toEqual([]);
    },
  );

  it.each([
    ['acme/suspend/a.csv', 'acme'],
    ['no group of SQS/suspend/a.csv', undefined],
    [`${'a'.repeat(129)}/suspend/a.csv`, undefined],
  ])('of %s waits its turn with the files of the group %s', async (key, groupId) => {
    const { deliver, requests } = start();

    await deliver(notification(key));

    expect(requests[0]?.groupId).toBe(groupId);
  });

  it.each([
    ['acme/suspend/a.csv', FOUND],
    ['torn/suspend/a.csv', { type: 'unreadable', message: FAULT }],
    ['nobody/suspend/a.csv', undefined],
    ['jobs/suspend/a.csv', undefined],
    ['acme.csv', undefined],
  ])('%s is told with what checking it needs of its target: %j', async (key, target) => {
    const { deliver, requests } = start();

    await deliver(notification(key));

    expect(validateRequestSchema.parse(requests[0]?.body).target).toEqual(target);
    expect(JSON.stringify(requests)).not.toMatch(/jira-secret|org-secret/);
  });

  it('comes again while nobody can tell its target', async () => {
    const unavailable: Targets = { ...targets, find: () => Promise.reject(new Error('Secrets Manager is away')) };
    const { deliver, requests } = start({ targets: unavailable });

    const answer = await deliver(notification('acme/suspend/a.csv'));

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: expect.any(String) }] });
    expect(requests).toEqual([]);
  });

  it('that S3 tells without time and person is taken in now', async () => {
    const { deliver, requests } = start();
    const records = notification('acme/suspend/a.csv').Records;

    await deliver({ Records: records.map(({ s3, eventName }) => ({ s3, eventName })) });

    expect(requests[0]?.body).toMatchObject({ at: NOW });
    expect(requests[0]?.body).not.toHaveProperty('principal');
  });
});

describe('a control object', () => {
  it.each(['pause', 'resume', 'cancel'] as const)('asks its job to %s, as of when S3 took it in', async (command) => {
    const { deliver, events, requests } = start();

    const answer = await deliver(notification(`control/${JOB}/${command}`, { versionId: 'v7' }));

    expect(answer).toEqual(DONE);
    expect(events).toEqual([
      {
        version: 1,
        id: 'id-1',
        jobId: JOB,
        at: UPLOADED,
        type: 'commanded',
        command,
        versionId: 'v7',
        principal: 'AWS:AIDAANN',
      },
    ]);
    expect(requests).toEqual([]);
  });

  const approvalIn = async (body: string | undefined) => {
    const { deliver, events, inbox } = start();
    if (body !== undefined) await inbox.write(`control/${JOB}/approve`, body);
    await deliver(notification(`control/${JOB}/approve`));
    expect(events).toMatchObject([{ type: 'commanded', command: 'approve', versionId: 'v1' }]);
    return events[0] && 'approval' in events[0] ? events[0].approval : undefined;
  };

  it.each([
    [HASH, { accepts: [] }],
    [`\n${HASH}\r\n`, { accepts: [] }],
    [`${HASH} TOO_MANY_PEOPLE\tREPEATED_FILE`, { accepts: ['TOO_MANY_PEOPLE', 'REPEATED_FILE'] }],
    [`${HASH} STEP=3 MANY_REFUSED`, { accepts: ['MANY_REFUSED'], step: 3 }],
    [`${HASH} everything TOO_MANY STEP=all STEP=0`, { accepts: [] }],
  ])('approves by %j what it names, and nothing else', async (body, named) => {
    expect(await approvalIn(body)).toEqual({ hash: HASH, ...named });
  });

  it.each([
    ['is empty', ''],
    ['names no plan', 'TOO_MANY_PEOPLE'],
    ['names the plan last', `TOO_MANY_PEOPLE ${HASH}`],
    ['is larger than an approval', `${HASH} ${'x'.repeat(1_024)}`],
    ['is gone', undefined],
  ])('that %s approves nothing, and its job is told of it', async (_, body) => {
    expect(await approvalIn(body)).toBeUndefined();
  });
});

describe('a control object that says nothing', () => {
  it.each([
    [
      'a misspelt command',
      `${JOB}/puase`,
      `There is no command "puase", so nothing was done`,
      `Did you mean control/${JOB}/pause?`,
    ],
    ['a command in capitals', `${JOB}/Cancel`, 'There is no command "Cancel"', `Did you mean control/${JOB}/cancel?`],
    [
      'a command that there is not',
      `${JOB}/explode`,
      'There is no command "explode"',
      'control/<job>/<pause|resume|cancel|approve>',
    ],
    [
      'a command with more behind it',
      `${JOB}/pause/now`,
      'There is no command "pause/now"',
      `Did you mean control/${JOB}/pause?`,
    ],
    ['no command', JOB, 'There is no command ""', 'control/<job>/<pause|resume|cancel|approve>'],
    ['what is no id of a job', 'é +%/pause', '"é +%" is no id of a job', 'rollcall status'],
  ])('because of %s is answered where whoever put it there looks, and is no alarm', async (_, path, said, hint) => {
    const { deliver, results, events, requests, logged } = start();

    const answer = await deliver(notification(`control/${path}`));

    expect(answer).toEqual(DONE);
    expect([events, requests]).toEqual([[], []]);
    const [[key, notice] = [], ...others] = [...results.objects];
    expect(others).toEqual([]);
    expect(key).toMatch(/^rejected\/control\//);
    expect(Buffer.from(notice ?? []).toString()).toContain(said);
    expect(Buffer.from(notice ?? []).toString()).toContain(hint);
    expect(logged).toEqual(['command.refused']);
  });

  it('is answered under its own name', async () => {
    const { deliver, results } = start();

    await deliver(notification(`control/${JOB}/puase`));

    expect([...results.objects.keys()]).toEqual([`rejected/control/${JOB}/puase.txt`]);
  });
});

describe('who invokes intake', () => {
  const stored = () => memoryObjectStore({ [stateKey(JOB)]: '{}' });

  it.each(['pause', 'cancel'] as const)('stops a job at once: %s', async (command) => {
    const { invoke, events } = start({ results: stored() });

    const answer = await invoke({ command, job: JOB });

    expect(answer).toEqual({ accepted: true });
    expect(events).toEqual([{ version: 1, id: 'id-1', jobId: JOB, at: NOW, type: 'commanded', command }]);
  });

  it('may do so without naming the alias', async () => {
    const { invoke, events } = start({ results: stored() });

    expect(await invoke({ command: 'pause', job: JOB }, '')).toEqual({ accepted: true });
    expect(events).toHaveLength(1);
  });

  it.each(['0123456789ab', 'leavers', JOB])(
    'is told that there is no job %s, and it is stopped should it come',
    async (job) => {
      const { invoke, events } = start();

      const answer = await invoke({ command: 'pause', job });

      expect(answer).toEqual({ accepted: false, message: expect.stringContaining(`There is no job ${job} yet`) });
      expect(events).toMatchObject([{ jobId: job, command: 'pause' }]);
    },
  );

  it('is not told that there is no job when nobody can look (promise 7)', async () => {
    const { invoke, events } = start({
      results: { ...memoryObjectStore(), read: () => Promise.reject(new Error('503')) },
    });

    expect(await invoke({ command: 'cancel', job: JOB })).toEqual({ accepted: true });
    expect(events).toHaveLength(1);
  });

  it.each([
    ['to resume', { command: 'resume', job: JOB }],
    ['to approve', { command: 'approve', job: JOB, approval: { hash: HASH, accepts: [] } }],
    ['to pause something else', { command: 'pause', job: 'No Job' }],
    ['to pause in somebody else’s name', { command: 'pause', job: JOB, principal: 'AWS:AIDABOB' }],
    ['to do nothing', {}],
    ['nothing', null],
    ['to take what it says for messages of S3', sqsEvent([notification(`control/${JOB}/resume`)])],
  ])('cannot ask it %s', async (_, payload) => {
    const { invoke, events, requests, results } = start();

    const answer = await invoke(payload);

    expect(answer).toEqual({ accepted: false, message: expect.stringMatching(/control\/<job>\/<command>/) });
    expect([events, requests, [...results.objects]]).toEqual([[], [], []]);
  });
});

describe('the intake queue', () => {
  it.each([
    ['the event that S3 sends to try a queue', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'inbox' }],
    ['a folder', notification('acme/suspend/')],
    ['a folder of commands', notification(`control/${JOB}/`)],
    ['a deletion', notification('acme/suspend/a.csv', { event: 'ObjectRemoved:Delete' })],
  ])('may bring %s, about which nothing is to be done', async (_, body) => {
    const { deliver, events, requests, results } = start();

    expect(await deliver(body)).toEqual(DONE);
    expect([events, requests, [...results.objects]]).toEqual([[], [], []]);
  });

  it.each([
    ['no JSON', 'hello', /not JSON/],
    ['no notification', { kind: 'validate', version: 1 }, /no notification of S3/],
    [
      'a key that S3 did not encode',
      JSON.stringify(notification('acme/suspend/x.csv')).replace('x.csv', '%zz.csv'),
      /not encoded/,
    ],
  ])('may bring %s, which is quarantined with the reason and not tried again', async (_, body, reason) => {
    const { deliver, results, events, requests, logged } = start();

    const answer = await deliver(body);

    const kept: unknown = JSON.parse(results.textOf('quarantine/intake/message-1.json'));
    expect(answer).toEqual(DONE);
    expect([events, requests]).toEqual([[], []]);
    expect(kept).toEqual({
      reason: expect.stringMatching(reason),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    expect(logged).toEqual(['message.quarantined']);
  });

  it('may bring several objects in one message', async () => {
    const { deliver, events, requests } = start();
    const records = [`control/${JOB}/pause`, 'acme/suspend/a.csv', 'control/other-0123456789ab/cancel'].flatMap(
      (key) => notification(key).Records,
    );

    await deliver({ Records: records });

    expect(events.map(({ jobId }) => jobId)).toEqual([JOB, 'other-0123456789ab']);
    expect(requests).toHaveLength(1);
  });

  it('brings a stop through while uploads beside it fail (promise 4)', async () => {
    const refusing = { send: () => Promise.reject(new QueueRefused('not now')) };
    const { deliver, events } = start({ validate: refusing });

    const answer = await deliver(notification('acme/suspend/a.csv'), notification(`control/${JOB}/cancel`));

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(events).toMatchObject([{ command: 'cancel' }]);
  });

  it('keeps a message whose result is not recorded (promise 7)', async () => {
    const full = { ...memoryObjectStore(), write: () => Promise.reject(new Error('503')) };
    const { deliver, logged } = start({ results: full });

    const answer = await deliver('no JSON');

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(logged).toEqual(['intake.failed']);
  });
});

it('names a file in its log by the id of its job alone (promise 10)', async () => {
  const fields: unknown[] = [];
  const { deliver } = start({ log: (_, of) => void fields.push(of) });

  await deliver(notification('acme/suspend/ann-smith.csv'));

  expect(fields).toEqual([{ job: jobIdOf({ bucket: 'inbox', key: 'acme/suspend/ann-smith.csv', versionId: 'v1' }) }]);
});
