import { expect, it } from 'vitest';

import { createAccessControl, isAllowed, type AwsCall } from '../../../local/aws/access-control.ts';
import type { Statement } from '../../../local/aws/template/description.ts';

const call = (action: string, resource: string): AwsCall => ({ service: 's3', action, resource, accessKeyId: 'LOCAL' });

const statement = (actions: string[], resources: string[], effect: Statement['effect'] = 'Allow'): Statement => ({
  effect,
  actions,
  resources,
});

it.each([
  ['the very action and resource', ['s3:GetObject'], ['arn:aws:s3:::results/jobs/*'], true],
  ['an action in another case', ['S3:getobject'], ['arn:aws:s3:::results/jobs/*'], true],
  ['a pattern of actions', ['s3:Get*'], ['*'], true],
  ['one character left open', ['s3:GetObjec?'], ['*'], true],
  ['another action', ['s3:PutObject'], ['*'], false],
  ['another folder', ['s3:GetObject'], ['arn:aws:s3:::results/open/*'], false],
  ['the bucket without its objects', ['s3:GetObject'], ['arn:aws:s3:::results'], false],
  ['a dot that must be a dot', ['s3:GetObject'], ['arn:aws:s3:::results/jobs/a/state-json'], false],
])('compares plainly: a statement with %s', (_what, actions, resources, allowed) => {
  expect(
    isAllowed([statement(actions, resources)], call('s3:GetObject', 'arn:aws:s3:::results/jobs/a/state.json')),
  ).toBe(allowed);
});

it('denies what one statement allows and another denies', () => {
  const statements = [statement(['s3:*'], ['*']), statement(['s3:DeleteObject'], ['*'], 'Deny')];

  expect(isAllowed(statements, call('s3:DeleteObject', 'arn:aws:s3:::results/a'))).toBe(false);
});

it('counts calls by caller, action and top folder, and refuses and keeps what a role does not allow', () => {
  const role = { name: 'role', arn: 'arn', statements: [statement(['s3:PutObject'], ['*'])] };
  const access = createAccessControl();
  const { accessKeyId } = access.issueKey({ name: 'reporter', role });

  access.authorize({ ...call('s3:PutObject', 'arn:aws:s3:::results/jobs/a'), accessKeyId, bytes: 10 });
  access.authorize({ ...call('s3:PutObject', 'arn:aws:s3:::results/jobs/b'), accessKeyId, bytes: 5 });
  const forbidden = () => access.authorize({ ...call('s3:GetObject', 'arn:aws:s3:::results/jobs/a'), accessKeyId });

  expect(forbidden).toThrow(expect.objectContaining({ status: 403, code: 'AccessDenied' }));
  expect(access.requests()[0]).toEqual({
    caller: 'reporter',
    action: 's3:PutObject',
    resource: 'arn:aws:s3:::results/jobs/*',
    requests: 2,
    bytes: 15,
  });
  expect(access.violations()).toEqual([
    { caller: 'reporter', action: 's3:GetObject', resource: 'arn:aws:s3:::results/jobs/*' },
  ]);
});

it('gives each caller a key of its own, and takes no call of a key that nobody has', () => {
  const access = createAccessControl();

  const [one, other] = [access.issueKey({ name: 'you' }), access.issueKey({ name: 'worker' })];

  expect(access.secretOf(one.accessKeyId)).toBe(one.secretAccessKey);
  expect(access.secretOf(other.accessKeyId)).not.toBe(one.secretAccessKey);
  expect(access.secretOf('NOBODY')).toBeUndefined();
  expect(() => access.authorize({ ...call('s3:GetObject', '*'), accessKeyId: 'NOBODY' })).toThrow('NOBODY');
});
