import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { claimFolder } from '../../cli/local-stack.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { s3Client } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { stateKey } from '../../shared/job/keys.ts';
import type { GateSummary, State } from '../../shared/job/state.ts';
import { newState, serializeState } from '../../shared/job/state.ts';
import { JOB } from '../shared/job/building.ts';
import { commandsOn } from './commands-on-a-stack.ts';

const HASH = 'a1'.repeat(32);
const TOO_MANY = { code: 'TOO_MANY_PEOPLE', message: '3000 of 3100 people would lose access.' } as const;
const APPROVAL = { code: 'APPROVAL_REQUIRED', message: '3000 changes are more than 50.' } as const;

/** Takes a stop as intake does: it keeps what it was asked in the results bucket. */
const INTAKE = `
  import { PutObjectCommand, S3Client } from ${JSON.stringify(import.meta.resolve('@aws-sdk/client-s3'))};
  const s3 = new S3Client({});
  export const handler = async (event) => {
    if (event.job.startsWith('torn-')) throw new Error('not today');
    if (event.job.startsWith('nobody')) return { accepted: false, message: 'There is no job ' + event.job + ' yet.' };
    await s3.send(new PutObjectCommand({ Bucket: process.env.RESULTS, Key: 'asked/' + event.job, Body: JSON.stringify(event) }));
    return { accepted: true };
  };`;

const folder = mkdtempSync(join(tmpdir(), 'rollcall-control-'));
const rollcall = commandsOn(folder);
let stack: LocalStack;

beforeAll(async () => {
  const bundle = join(folder, 'bundle');
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'index.mjs'), INTAKE);
  const synthesized = { stackName: 'Test', template: TEMPLATE, folderOf: () => bundle };
  stack = await startStack({ folder, synthesized, simulator: false });
  claimFolder(folder).announce(stack);
  // For commands to a deployed stack, which are given the names of its parts.
  for (const [name, value] of Object.entries(clientEnvironment(stack))) vi.stubEnv(name, value);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

const bucket = (name: string) => s3ObjectStore({ client: s3Client(clientEnvironment(stack)), bucket: name });

const textOf = async (name: string, key: string): Promise<string | undefined> => (await bucket(name).read(key))?.text();

let jobs = 0;

/** A job that stands so; its id. */
async function place(change: Partial<State>, stem = 'leavers'): Promise<string> {
  const id = `${stem}-${String((jobs += 1)).padStart(12, '0')}`;
  const state = { ...newState({ ...JOB, id }, 0), ...change };
  await bucket('results').write(stateKey(id), serializeState(state));
  return id;
}

const gate = (more: Partial<GateSummary> = {}): GateSummary => ({
  hash: HASH,
  sha256: HASH,
  atMs: 0,
  mode: 'apply',
  takes: 3_000,
  counts: { change: 3_000, unchanged: 12, failed: 3, invalid: 0, unprocessed: 0 },
  codes: { USER_NOT_FOUND: 3 },
  reasons: [],
  dependencies: [],
  twoPersons: false,
  policy: {},
  ...more,
});

const waiting = (waitReasons: State['waitReasons'], more: Partial<GateSummary> = {}): Partial<State> => ({
  state: 'waiting',
  waitReasons,
  plan: { attempt: 1, chunks: [HASH], sinceMs: 0, validated: '', gate: gate({ reasons: [...waitReasons], ...more }) },
});

it.concurrent.each(['pause', 'cancel'])(
  '%s asks intake itself, and puts no object into the inbox (promise 4)',
  async (command) => {
    const job = await place({ state: 'running' });

    const { code, stdout } = await rollcall(command, job.slice(-12));

    expect(stdout).toContain(`Sent ${command} to ${job}.`);
    expect(code).toBe(0);
    expect(JSON.parse((await textOf('results', `asked/${job}`)) ?? '')).toEqual({ command, job });
    expect(await textOf('inbox', `control/${job}/${command}`)).toBeUndefined();
  },
  30_000,
);

it.concurrent(
  'pause goes through the inbox where intake does not answer, and says so',
  async () => {
    const job = await place({ state: 'running' }, 'torn');

    const { code, stdout, stderr } = await rollcall('pause', job);

    expect(stderr).toMatch(/was not run: .*not today.*\nSending pause through the inbox bucket instead/);
    expect(stdout).toContain(`Sent pause to ${job}.`);
    expect(code).toBe(0);
    expect(await textOf('inbox', `control/${job}/pause`)).toBe('');
  },
  30_000,
);

it.concurrent(
  'resume goes through the inbox',
  async () => {
    const job = await place({ state: 'paused' });

    const { code } = await rollcall('resume', job);

    expect(code).toBe(0);
    expect(await textOf('inbox', `control/${job}/resume`)).toBe('');
    expect(await textOf('results', `asked/${job}`)).toBeUndefined();
  },
  30_000,
);

it.concurrent.each([
  ['the plan that waits', waiting([APPROVAL]), [], HASH],
  [
    'what is accepted by name',
    waiting([APPROVAL, TOO_MANY]),
    ['--accept', 'TOO_MANY_PEOPLE', '--accept', 'REPEATED_FILE'],
    `${HASH} TOO_MANY_PEOPLE REPEATED_FILE`,
  ],
  ['the first step', waiting([APPROVAL], { steps: 100 }), [], `${HASH} STEP=1`],
  [
    'the step after those that were approved',
    {
      ...waiting([{ code: 'STEP', message: '100 of 3000 are applied.' }], { steps: 100 }),
      approval: { hash: HASH, accepts: [], steps: 2 },
    },
    [],
    `${HASH} STEP=3`,
  ],
  ['a plan that is named', waiting([APPROVAL]), ['--hash', 'b2'.repeat(32)], 'b2'.repeat(32)],
] as const)(
  'approve shows the plan and approves %s (promise 3)',
  async (_, state, words, body) => {
    const job = await place(state);

    const { code, stdout, stderr } = await rollcall('approve', job, ...words);

    expect(stderr).toBe('');
    expect(stdout).toMatch(/Plan: 3000 to change, 12 unchanged, 3 failed/);
    expect(stdout).toContain(`Sent approve to ${job}.`);
    expect(code).toBe(0);
    expect(await textOf('inbox', `control/${job}/approve`)).toBe(body);
  },
  30_000,
);

it.concurrent.each([
  ['waits for more than is accepted', waiting([APPROVAL, TOO_MANY]), [], '--accept TOO_MANY_PEOPLE'],
  ['runs', { state: 'running' }, [], 'is running and does not wait for approval'],
  ['is accepted for a reason that there is not', waiting([APPROVAL]), ['--accept', 'ALL'], 'There is no reason "ALL"'],
] as const)(
  'approve sends nothing for a job that %s',
  async (_, state, words, said) => {
    const job = await place(state);

    const { code, stderr } = await rollcall('approve', job, ...words);

    expect(stderr).toContain(said);
    expect(code).toBe(1);
    expect(await textOf('inbox', `control/${job}/approve`)).toBeUndefined();
  },
  30_000,
);

describe.each(['pause', 'cancel', 'resume', 'approve'] as const)('%s', (command) => {
  it.concurrent.each([
    ['that there is not', 'leavers-ffffffffffff'],
    ['by too little of its id', 'lea'],
    ['by a beginning that there is not', 'leaver-'],
    ['by nothing', ''],
  ])(
    'of a job %s says so in a sentence, and sends nothing',
    async (_, named) => {
      await place({ state: 'running' });

      const { code, stdout, stderr } = await rollcall(command, named);

      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(`There is no job ${named}. Give the job's full id`);
    },
    30_000,
  );

  it.concurrent(
    'of a job by what several begin with names some of them, and sends nothing',
    async () => {
      const stem = `many-${command}`;
      const [one, other] = [await place({ state: 'running' }, stem), await place({ state: 'running' }, stem)];

      const { code, stdout, stderr } = await rollcall(command, stem);

      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain(`2 jobs begin or end with ${stem}: ${[one, other].toSorted().join(', ')}.`);
    },
    30_000,
  );
});

it.concurrent.each([
  ['its beginning', (id: string) => id.slice(0, 9)],
  ['its end', (id: string) => id.slice(-10)],
])(
  'pause takes a job by %s where that is no other job’s',
  async (_, part) => {
    const id = `only${jobs}-${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`;
    await bucket('results').write(stateKey(id), serializeState({ ...newState({ ...JOB, id }, 0), state: 'running' }));

    const { code, stdout } = await rollcall('pause', part(id));

    expect(stdout).toContain(`Sent pause to ${id}.`);
    expect(code).toBe(0);
  },
  30_000,
);

describe('on a deployed stack whose results bucket is not known', () => {
  it.concurrent(
    'a stop is believed of intake alone, which looks whether there is such a job',
    async () => {
      const asked = (job: string) => rollcall('pause', job, '--intake', stack.intakeFunctionName);
      const known = await place({ state: 'running' });

      const [found, missing] = [await asked(known), await asked('nobody')];

      expect(found).toMatchObject({ code: 0, stdout: expect.stringContaining(`Sent pause to ${known}.`) });
      expect(missing).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('There is no job nobody yet.'),
      });
    },
    30_000,
  );

  it.concurrent.each([['pause'], ['cancel'], ['resume'], ['approve', '--hash', HASH]])(
    '%s is not sent to the inbox blindly',
    async (...words) => {
      const [command = '', ...more] = words;

      const { code, stdout, stderr } = await rollcall(command, 'leavers', ...more, '--inbox', 'inbox');

      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('--results');
      expect(await textOf('inbox', `control/leavers/${command}`)).toBeUndefined();
    },
    30_000,
  );
});

const arn = (logicalId: string, under = '') => ({
  'Fn::Join': ['', [{ 'Fn::GetAtt': [logicalId, 'Arn'] }, under]],
});

const TEMPLATE = {
  Resources: {
    Inbox: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'inbox' } },
    Results: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'results' } },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        Policies: [
          {
            PolicyDocument: {
              Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: arn('Results', '/*') }],
            },
          },
        ],
      },
    },
    Intake: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Handler: 'index.handler',
        Role: arn('Role'),
        Code: { S3Key: 'code.zip' },
        Environment: { Variables: { RESULTS: { Ref: 'Results' } } },
        Timeout: 10,
        MemorySize: 256,
      },
    },
    Stop: { Type: 'AWS::Lambda::Alias', Properties: { Name: 'stop', FunctionName: { Ref: 'Intake' } } },
  },
  Outputs: {
    InboxBucketName: { Value: { Ref: 'Inbox' } },
    ResultsBucketName: { Value: { Ref: 'Results' } },
    IntakeFunctionName: { Value: { 'Fn::Join': [':', [{ Ref: 'Intake' }, 'stop']] } },
  },
};
