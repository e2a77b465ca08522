import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { claimFolder } from '../../cli/local-stack.ts';
import { assemble } from '../../local/assembly.ts';
import type { State } from '../../local/atlassian/engine/state.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { completeSettings } from '../../shared/settings.ts';
import { runToEnd, commandsOn } from './commands-on-a-stack.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-verify-test-'));
const rollcall = commandsOn(folder);
let stack: LocalStack;
let hires: string;
let managers: string;

beforeAll(async () => {
  stack = await startStack({ folder, synthesized: await assemble(completeSettings()) });
  claimFolder(folder).announce(stack);
  [hires = '', managers = ''] = await Promise.all([
    runExample('cloud/creation/new-hires.csv'),
    runExample('data-center/membership/release-managers.csv'),
  ]);
}, 60_000);

afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

it.concurrent(
  'finds that what a job has changed holds, access to Confluence too',
  async () => {
    expect(await rollcall('verify', hires)).toEqual({
      code: 0,
      stdout: '5 of 5 changed rows are still as the file asked.\n',
      stderr: '',
    });
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
        'line 5: it is not as the row asks, or not any more; upload the row again to apply it\n' +
        '2 of 3 changed rows are still as the file asked.\n',
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

async function runExample(example: string): Promise<string> {
  const [target = '', operation = ''] = example.split('/');
  return runToEnd(stack, { target, operation, path: join(ROOT, 'examples', example) });
}

async function changeState(change: (state: State) => State): Promise<void> {
  const url = `${stack.atlassian}/_simulator/state`;
  const state = (await (await fetch(url)).json()) as State; // what the simulator documents
  const headers = { 'content-type': 'application/json' };
  await expect(fetch(url, { method: 'PUT', headers, body: JSON.stringify(change(state)) })).resolves.toMatchObject({
    ok: true,
  });
}
