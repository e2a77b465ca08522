import { expect, it } from 'vitest';

import { notification, start } from './start.ts';

const MANIFEST = 'email,group\nann@acme.example,staff\n';

it.each([
  'acme/membership/joiners.csv',
  'acme/membership/JOINERS.CSV',
  'acme/membership/a/b/c/d/e/f/g/h/i/j/Zugänge + Abgänge 100%.csv',
  'acme/membership/.csv',
])('takes %s for a manifest', async (key) => {
  const { upload, events } = start();

  await upload(key, MANIFEST);

  expect(events[0]).toMatchObject({
    type: 'validating',
    job: {
      target: 'acme',
      operation: 'membership',
      manifest: { bucket: 'inbox', key, versionId: 'v1', bytes: MANIFEST.length },
      startedAt: '2026-11-21T09:59:59.000Z',
    },
  });
  expect(events[1]?.type).toBe('validated');
});

it.each([
  { key: 'joiners.csv', says: [/no folder.*<target>\/<operation>.*The operations are creation, .*membership/] },
  { key: 'acme/joiners.csv', says: [/no folder of a target and an operation/] },
  { key: 'nobody/membership/joiners.csv', says: [/no target "nobody"/] },
  { key: 'acme/memberships/joiners.csv', says: [/no operation "memberships"\. The operations are creation,/] },
  { key: 'nobody/nothing/joiners.csv', says: [/no target "nobody"/, /no operation "nothing"/] },
  { key: 'jobs/membership/joiners.csv', says: [/no target "jobs"/] },
  { key: '/membership/joiners.csv', says: [/no target ""/] },
])('refuses $key, which names no known target and operation', async ({ key, says }) => {
  const { upload, events, problems } = start();

  await upload(key, MANIFEST);

  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ type: 'rejected', job: { target: '', operation: '', manifest: { key } } });
  expect(problems()).toEqual(says.map((message) => ({ message: expect.stringMatching(message) })));
});

it.each([
  {
    key: 'jira/deactivate/leavers.csv',
    says: /The target jira is a Jira Data Center, where there is no deactivate. The operations are /,
  },
  { key: 'acme/membership/joiners.xlsx', says: /does not end in \.csv/ },
  { key: 'torn/membership/joiners.csv', says: /secret of target torn cannot be used: apiToken/ },
])('refuses $key under its own folder', async ({ key, says }) => {
  const { upload, events, problems } = start();
  const [target, operation] = key.split('/');

  await upload(key, MANIFEST);

  expect(events).toMatchObject([{ type: 'rejected', job: { target, operation } }]);
  expect(problems()).toEqual([{ message: expect.stringMatching(says) }]);
});

it.each(['pause', 'resume', 'cancel', 'approve'])('takes control/<jobId>/%s for a command', async (command) => {
  const { deliver, events } = start();

  await deliver([notification(`control/joiners-0123456789ab/${command}`)]);

  expect(events).toMatchObject([{ type: 'commanded', jobId: 'joiners-0123456789ab', command }]);
});

it.each([
  {
    what: 'the event that S3 sends to try a queue',
    body: { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'inbox' },
  },
  { what: 'a folder', body: notification('acme/membership/') },
  {
    what: 'a deletion',
    body: JSON.parse(
      JSON.stringify(notification('acme/membership/a.csv')).replace('ObjectCreated:Put', 'ObjectRemoved:Delete'),
    ),
  },
])('does nothing about $what', async ({ body }) => {
  const { deliver, events, results } = start();

  const failed = await deliver([body]);

  expect(failed).toEqual([]);
  expect(events).toEqual([]);
  expect(results.objects.size).toBe(0);
});

it.each([
  { what: 'what is no JSON', body: 'hello', reason: /not JSON/ },
  {
    what: 'what is neither event nor request',
    body: { kind: 'report', version: 1 },
    reason: /neither a notification of S3 nor an enqueue/,
  },
  {
    what: 'a enqueue request of another version',
    body: { kind: 'enqueue', version: 2, jobId: 'j' },
    reason: /version/,
  },
  { what: 'a command that there is not', body: notification('control/job/explode'), reason: /no such command.*pause/ },
  {
    what: 'a command for what is no job id, and no name of a mailbox',
    body: notification('control/é +%/pause'),
    reason: /no such command/,
  },
  {
    what: 'a key that S3 did not encode',
    body: JSON.stringify(notification('acme/membership/x.csv')).replace('x.csv', '%zz.csv'),
    reason: /not encoded/,
  },
])('quarantines $what, with the reason, and does not try it again', async ({ body, reason }) => {
  const { deliver, results, events, logged } = start();

  const failed = await deliver([body]);

  const kept: unknown = JSON.parse(results.textOf('quarantine/rollcall-intake/message-0.json'));
  expect(failed).toEqual([]);
  expect(events).toEqual([]);
  expect(kept).toEqual({
    reason: expect.stringMatching(reason),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  expect(logged).toEqual(['message.quarantined']);
});

it('does the rest of a batch when one message of it fails', async () => {
  const { deliver, happened } = start();
  const enqueue = {
    version: 1,
    kind: 'enqueue',
    jobId: 'unknown',
    enqueueId: 'f',
    from: 0,
    to: 1,
  };

  const failed = await deliver([enqueue, notification('control/job/pause')]);

  expect(failed).toEqual(['message-0']);
  expect(happened()).toEqual(['commanded']);
});

it('takes in every record of a notification', async () => {
  const { deliver, events } = start();
  const both = [notification('control/a/pause'), notification('control/b/cancel')] as { Records: unknown[] }[]; // as notification makes them

  await deliver([{ Records: both.flatMap(({ Records }) => Records) }]);

  expect(events.map(({ jobId }) => jobId)).toEqual(['a', 'b']);
});
