import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { claimFolder } from '../../cli/local-stack.ts';
import { followJob } from '../../cli/jobs.ts';
import { assemble } from '../../local/assembly.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { s3Client } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { completeSettings } from '../../shared/settings.ts';
import { runToEnd, commandsOn } from './commands-on-a-stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-ended-jobs-'));
const rollcall = commandsOn(folder);
let stack: LocalStack;
let completed: string;
let rejected: string;

beforeAll(async () => {
  stack = await startStack({ folder, synthesized: await assemble(completeSettings()) });
  claimFolder(folder).announce(stack);
  [completed, rejected] = await Promise.all([
    restored('returners.csv', 'email\nsusan.suspended@example.com\n'),
    restored('headless.csv', 'who\nsusan.suspended@example.com\n'),
  ]);
}, 60_000);

afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

it.concurrent.each(['pause', 'resume', 'cancel', 'approve'])(
  'says that there is nothing to %s in a job that has ended',
  async (command) => {
    const { code, stderr } = await rollcall(command, completed);

    expect(stderr).toContain(`${completed} has ended (completed), so there is nothing to ${command}.`);
    expect(code).toBe(1);
  },
  30_000,
);

it.concurrent(
  'says that there is nothing to verify in a rejected job',
  async () => {
    const { code, stderr } = await rollcall('verify', rejected);

    expect(stderr).toContain(`${rejected} was rejected: no row was changed`);
    expect(code).toBe(1);
  },
  30_000,
);

it('takes back what a job changed, and first shows in a dry run what that would be (promise 9)', async () => {
  const dry = await rollcall('undo', completed, '--dry-run');
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(await summaryAfter(dry.stdout)).toMatchObject({ mode: 'dry-run', operation: 'undo', plan: { change: 1 } });

  const { code, stdout } = await rollcall('undo', completed.slice(-12));

  expect(code).toBe(0);
  expect(await summaryAfter(stdout)).toMatchObject({ mode: 'apply', state: 'completed', counts: { changed: 1 } });
  expect((await rollcall('verify', completed)).code).toBe(2);
}, 60_000);

it('undoes nothing of a job that changed nothing', async () => {
  const { code, stderr } = await rollcall('undo', rejected);

  expect(stderr).toContain(`${rejected} is rejected and changed nothing`);
  expect(code).toBe(1);
}, 30_000);

it.concurrent(
  'finds a job by the end of its id, as logs show it',
  async () => {
    const { code, stdout } = await rollcall('status', completed.slice(-12));

    expect(stdout).toContain(`${completed}: completed. 1 row: 1 changed.`);
    expect(code).toBe(0);
  },
  30_000,
);

it.concurrent(
  'lists the jobs there are, with their states and where their files are',
  async () => {
    const { stdout } = await rollcall('status');

    const place = `s3://${stack.resultsBucket}/cloud/restore`;
    expect(stdout).toMatch(new RegExp(`${completed} +│ completed +│ +1 │ ${place}/${completed}/ `));
    expect(stdout).toMatch(new RegExp(`${rejected} +│ rejected +│ +0 │ ${place}/${rejected}/ `));
  },
  30_000,
);

it.concurrent.each([
  ['nosuch/suspend/x.csv', 'The local stack has no target "nosuch"; one of cloud, data-center was expected.'],
  ['data-center/deactivate/x.csv', 'There is no operation "deactivate" for a target of type data-center'],
])(
  'presigns nothing for %s, which could only be rejected',
  async (key, said) => {
    const { code, stdout, stderr } = await rollcall('presign', key);

    expect(stderr).toContain(said);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  },
  30_000,
);

/** The summary of the job that `undo` says it has uploaded. */
async function summaryAfter(said: string): Promise<Summary> {
  const [, jobId = ''] = /Uploaded as (\S+)\./.exec(said) ?? [];
  const results = s3ObjectStore({ client: s3Client(clientEnvironment(stack)), bucket: stack.resultsBucket });
  return (await followJob({ results, prefixes: [`cloud/undo/${jobId}/`] })).summary;
}

async function restored(name: string, manifest: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, manifest);
  return runToEnd(stack, { target: 'cloud', operation: 'restore', path });
}
