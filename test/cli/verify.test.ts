import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { followJob } from '../../cli/follow-job.ts';
import { claimFolder } from '../../cli/running-stack.ts';
import { uploadManifest } from '../../cli/upload-manifest.ts';
import { assemble } from '../../infra/local/assembly.ts';
import type { State } from '../../infra/local/rehearsal/model.ts';
import { clientEnvironment } from '../../infra/local/services.ts';
import { startStack, type LocalStack } from '../../infra/local/stack.ts';
import { pipelineStage } from '../../infra/stage.ts';
import { s3Client } from '../../shared/adapters/clients.ts';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-verify-test-'));
let stack: LocalStack;
let hires: string;
let managers: string;

beforeAll(async () => {
  stack = await startStack({ folder, synthesized: await assemble(pipelineStage()) });
  claimFolder(folder).announce(stack);
  [hires = '', managers = ''] = await Promise.all([
    carriedOut('cloud/creation/new-hires.csv'),
    carriedOut('data-center/membership/release-managers.csv'),
  ]);
}, 60_000);

afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

it.concurrent(
  'finds that what a job has changed holds, access to Confluence too',
  async () => {
    expect(await rollcall('verify', hires)).toEqual({ code: 0, stdout: '5 of 5 changed rows hold.\n', stderr: '' });
  },
  30_000,
);

it.concurrent(
  'lists exactly the row that was undone since, and exits with 2',
  async () => {
    // The row of line 5.
    await changeState(({ dataCenter, ...state }) => ({
      ...state,
      dataCenter: {
        ...dataCenter,
        groups: dataCenter.groups.map((group) => ({
          ...group,
          members: group.members.filter(
            (member) => !(group.name === 'Release Managers' && member === 'grace.kim@example.com'),
          ),
        })),
      },
    }));

    expect(await rollcall('verify', managers)).toEqual({
      code: 2,
      stdout:
        'line 5: it is not, or not any more, as the row wants it; drop the row in again to carry it out\n' +
        '2 of 3 changed rows hold.\n',
      stderr: '',
    });
  },
  30_000,
);

it.concurrent(
  'says of a job that is not there how its id is found, and exits with 1',
  async () => {
    const { code, stdout, stderr } = await rollcall('verify', 'nothing-000000000000');

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('There is no job nothing-000000000000.');
  },
  30_000,
);

/** The id of the job that an example became, once it has ended. */
async function carriedOut(example: string): Promise<string> {
  const [target = '', operation = ''] = example.split('/');
  const client = s3Client(clientEnvironment(stack));
  const path = join(ROOT, 'examples', example);
  const { jobId, prefixes } = await uploadManifest({ client, bucket: stack.inboxBucket, target, operation, path });
  await followJob({ results: s3ObjectStore({ client, bucket: stack.resultsBucket }), prefixes });
  return jobId;
}

async function changeState(change: (state: State) => State): Promise<void> {
  const url = `${stack.atlassian}/_rehearsal/state`;
  const state = (await (await fetch(url)).json()) as State; // what the rehearsal server documents
  const headers = { 'content-type': 'application/json' };
  await expect(fetch(url, { method: 'PUT', headers, body: JSON.stringify(change(state)) })).resolves.toMatchObject({
    ok: true,
  });
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const rollcall = (...words: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const command = [join(ROOT, 'cli/rollcall.ts'), ...words, '--folder', folder];
    const child = execFile(process.execPath, command, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
