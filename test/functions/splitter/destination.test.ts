import { expect, it } from 'vitest';

import { requestOf, start } from './start.ts';

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

it.each([
  { key: 'acme/membership/from-hr/joiners.csv', sender: 'hr' },
  { key: 'acme/membership/from-hr/2026/joiners.csv', sender: 'hr' },
  { key: 'acme/membership/2026/from-hr/joiners.csv', sender: undefined },
  { key: 'acme/membership/from-hr.csv', sender: undefined },
])('finds the sender of $key', async ({ key, sender }) => {
  const { upload, events } = start();

  await upload(key, MANIFEST);

  expect(events[0]).toMatchObject({ job: { sender, uploadedBy: 'AWS:ann' } });
});

it('gives undo to nobody who sends files', async () => {
  const { upload, problems } = start();

  await upload('acme/undo/from-hr/undo.csv', 'job,row,who,from,to\n');

  expect(problems()).toEqual([{ message: expect.stringContaining('A sender may not take back') }]);
});

it.each([
  { what: 'what is no JSON', body: 'hello' },
  { what: 'what is neither of its requests', body: { kind: 'report', version: 1 } },
  { what: 'an enqueue request of another version', body: { kind: 'enqueue', version: 2, jobId: 'j' } },
])('quarantines $what, with the reason, and does not try it again', async ({ body }) => {
  const { deliver, results, events, logged } = start();

  const failed = await deliver([body]);

  const kept: unknown = JSON.parse(results.textOf('quarantine/rollcall-validate/message-0.json'));
  expect(failed).toEqual([]);
  expect(events).toEqual([]);
  expect(kept).toEqual({
    reason: 'This is no request of a version that the splitter knows.',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  expect(logged).toEqual(['message.quarantined']);
});

it('does the rest of a batch when one message of it fails', async () => {
  const { deliver, happened, inbox } = start();
  inbox.upload('acme/membership/a.csv', MANIFEST, {});
  const enqueue = { version: 1, kind: 'enqueue', jobId: 'unknown', enqueueId: 'f', from: 0, to: 1 };

  const failed = await deliver([enqueue, requestOf('acme/membership/a.csv', MANIFEST.length)]);

  expect(failed).toEqual(['message-0']);
  expect(happened()).toEqual(['validating', 'validated']);
});

it.each([
  [{ 'rollcall-dry-run': 'true' }, { dryRun: true }],
  [
    { 'rollcall-approval': 'required', 'rollcall-steps': '10' },
    { approval: 'required', steps: 10 },
  ],
  [{ 'rollcall-not-before': '2026-12-01T07:00:00+01:00' }, { notBefore: '2026-12-01T06:00:00.000Z' }],
  [{ 'rollcall-reason': 'Ticket 7', other: 'x' }, { reason: 'Ticket 7' }],
  [{}, {}],
])('takes what comes with a file: %o', async (metadata, options) => {
  const { upload, events } = start();

  await upload('acme/membership/joiners.csv', MANIFEST, metadata);

  expect(events[0]).toMatchObject({ type: 'validating', job: { options } });
});

it('makes a dry run of a file that is named so', async () => {
  const { upload, events } = start();

  await upload('acme/membership/joiners.DRY-RUN.csv', MANIFEST);

  expect(events[0]).toMatchObject({ job: { options: { dryRun: true } } });
});

it.each([
  [{ 'rollcall-dryrun': 'true' }, /the option rollcall-dryrun, which there is not; the options are rollcall-dry-run, /],
  [{ 'rollcall-dry-run': 'no' }, /rollcall-dry-run: "no"; expected is true/],
  [{ 'rollcall-approval': 'none' }, /expected is required/],
  [{ 'rollcall-steps': '0' }, /expected is a whole number from 1 on/],
  [{ 'rollcall-not-before': 'tomorrow' }, /expected is a time such as/],
])('refuses the job for an option that it does not know: %o', async (metadata, says) => {
  const { upload, problems, happened } = start();

  await upload('acme/membership/joiners.csv', MANIFEST, metadata);

  expect(happened()).toEqual(['rejected']);
  expect(problems()).toEqual([{ message: expect.stringMatching(says) }]);
});
