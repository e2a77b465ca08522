import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { isAllowed } from '../../local/aws/access-control.ts';
import { COMMANDS } from '../../shared/job/job.ts';
import { STOP_ALIAS } from '../../shared/settings.ts';

const guide = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
const statementSchema = z
  .strictObject({
    Sid: z.string().regex(/^[A-Za-z0-9]+$/),
    Effect: z.enum(['Allow', 'Deny']),
    Action: texts,
    Resource: texts,
  })
  .transform(({ Effect: effect, Action: actions, Resource: resources }) => ({ effect, actions, resources }));
const policySchema = z.strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(statementSchema).min(1) });

const [, section = ''] = guide.split('\n## Who may do what\n');

const policies = Object.fromEntries(
  [...(section.split('\n## ')[0] ?? '').matchAll(/^### (\w+)$.*?^```json$(.*?)^```$/gms)].map(
    ([, who = '', json = '']) => [who, policySchema.parse(JSON.parse(json)).Statement],
  ),
);

const INBOX = 'arn:aws:s3:::rollcall-inbox-123456789012-eu-central-1';
const RESULTS = 'arn:aws:s3:::rollcall-results-123456789012-eu-central-1';
const INTAKE = 'arn:aws:lambda:eu-central-1:123456789012:function:Rollcall-Intake1A2B3C4D-Xy12Zw34Uv56';
const EVENTS = 'arn:aws:sqs:eu-central-1:123456789012:Rollcall-Events.fifo';
const JOB = 'leavers-0123456789ab';

const may = (who: string, action: string, resource: string): boolean =>
  isAllowed(policies[who] ?? [], { action, resource });

it('has a policy for each who has to do with jobs', () => {
  expect(Object.keys(policies)).toEqual(['Sender', 'Uploader', 'Operator', 'Approver', 'Reader']);
});

describe.each(Object.keys(policies))('the policy of the %s', (who) => {
  it('names every action in full, and never everything', () => {
    const statements = policies[who] ?? [];

    expect(statements.flatMap(({ actions }) => actions).filter((action) => /[*?]/.test(action))).toEqual([]);
    expect(statements.flatMap(({ resources }) => resources)).not.toContain('*');
  });

  it('sends no events (promise 4)', () => {
    expect(may(who, 'sqs:SendMessage', EVENTS)).toBe(false);
  });

  it('invokes no function but the alias that stops', () => {
    expect(may(who, 'lambda:InvokeFunction', INTAKE)).toBe(false);
  });

  it.each(COMMANDS)('lets them %s only if that is their part', (command) => {
    const parts = { Operator: ['pause', 'cancel'], Approver: ['approve', 'resume'] }[who] ?? [];

    expect(may(who, 's3:PutObject', `${INBOX}/control/${JOB}/${command}`)).toBe(parts.includes(command));
  });

  it('writes no results', () => {
    expect(may(who, 's3:PutObject', `${RESULTS}/acme/suspend/${JOB}/summary.json`)).toBe(false);
    expect(may(who, 's3:PutObject', `${RESULTS}/jobs/${JOB}/state.json`)).toBe(false);
  });
});

it.each([
  ['Sender', 'acme/suspend/from-hr/leavers.csv', true],
  ['Sender', 'acme/suspend/from-payroll/leavers.csv', false],
  ['Sender', 'acme/suspend/leavers.csv', false],
  ['Sender', 'acme/deactivate/from-hr/leavers.csv', false],
  ['Uploader', 'acme/suspend/leavers.csv', true],
  ['Uploader', 'acme/suspend/from-hr/leavers.csv', false],
  ['Uploader', 'acme/suspend/2026/from-hr/leavers.csv', false],
  ['Uploader', 'other/suspend/leavers.csv', false],
  ['Operator', 'acme/suspend/leavers.csv', false],
  ['Approver', 'acme/suspend/leavers.csv', false],
  ['Reader', 'acme/suspend/leavers.csv', false],
])('the %s uploads %s: %s', (who, key, allowed) => {
  expect(may(who, 's3:PutObject', `${INBOX}/${key}`)).toBe(allowed);
});

it('lets the operator alone invoke the alias that stops', () => {
  const allowed = Object.keys(policies).filter((who) => may(who, 'lambda:InvokeFunction', `${INTAKE}:${STOP_ALIAS}`));

  expect(allowed).toEqual(['Operator']);
});

it.each([
  ['acme/suspend/leavers-0123456789ab/plan.csv', true],
  ['jobs/leavers-0123456789ab/state.json', true],
  ['jobs/leavers-0123456789ab/chunks/1.jsonl', false],
  ['rows/leavers-0123456789ab/0.ndjson.gz', false],
  ['other/suspend/leavers-0123456789ab/plan.csv', false],
])('the reader reads %s of the results: %s', (key, allowed) => {
  expect(may('Reader', 's3:GetObject', `${RESULTS}/${key}`)).toBe(allowed);
});
