import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { followJob } from '../../cli/follow-job.ts';
import { claimFolder } from '../../cli/running-stack.ts';
import { uploadManifest } from '../../cli/upload-manifest.ts';
import { assemble } from '../../infra/local/assembly.ts';
import { clientEnvironment } from '../../infra/local/services.ts';
import { startStack, type LocalStack } from '../../infra/local/stack.ts';
import { pipelineStage } from '../../infra/stage.ts';
import { s3Client } from '../../shared/adapters/clients.ts';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';

const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-ended-jobs-'));
let stack: LocalStack;
let completed: string;
let rejected: string;

beforeAll(async () => {
  stack = await startStack({ folder, synthesized: await assemble(pipelineStage()) });
  claimFolder(folder).announce(stack);
  [completed, rejected] = await Promise.all([
    carriedOut('returners.csv', 'email\nsusan.suspended@example.com\n'),
    carriedOut('headless.csv', 'who\nsusan.suspended@example.com\n'),
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

    expect(stderr).toContain(`${completed} has ended, it is completed: there is nothing to ${command}.`);
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
    expect(stdout).toMatch(new RegExp(`${completed} +│ completed +│ 1 +│ ${place}/${completed}/ `));
    expect(stdout).toMatch(new RegExp(`${rejected} +│ rejected +│ 0 +│ ${place}/${rejected}/ `));
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

/** The id of the job that a manifest became, once it has ended. */
async function carriedOut(name: string, manifest: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, manifest);
  const client = s3Client(clientEnvironment(stack));
  const upload = { client, bucket: stack.inboxBucket, target: 'cloud', operation: 'restore', path };
  const { jobId, prefixes } = await uploadManifest(upload);
  await followJob({ results: s3ObjectStore({ client, bucket: stack.resultsBucket }), prefixes });
  return jobId;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const rollcall = (...words: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const command = [COMMAND, ...words, '--folder', folder];
    const child = execFile(process.execPath, command, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
