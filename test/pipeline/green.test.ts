import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PEOPLE } from '../../local/atlassian/seeds/default-people.ts';
import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { type MemoryPipeline, startMemoryPipeline } from '../fakes/memory-pipeline.ts';

let simulator: Simulator;
let pipeline: MemoryPipeline;

beforeEach(async () => {
  simulator = await startSimulator();
  pipeline = startMemoryPipeline({ targets: { ...simulator.targets } });
});
afterEach(async () => {
  await pipeline.close();
  await simulator.close();
});

interface Reported {
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

/** What becomes of each row of a file, whatever approval it needs. */
async function apply(operation: string, lines: readonly string[]): Promise<readonly Reported[]> {
  const job = pipeline.upload(`cloud/${operation}/file.csv`, [...lines, ''].join('\n'));
  if ((await pipeline.settle(job)).state === 'waiting') await pipeline.approve(job);
  expect((await pipeline.settle(job)).state).toBe('completed');
  const rows: readonly Record<string, string>[] = parse(await pipeline.fileOf(job, 'results.csv'), {
    bom: true,
    columns: true,
  });
  return rows.map((row) => ({
    status: row['rollcall_status'] ?? '',
    code: row['rollcall_code'] ?? '',
    message: row['rollcall_message'] ?? '',
  }));
}

const personOf = (name: string) => {
  const person = PEOPLE.find((one) => one.name === name);
  if (!person) throw new Error(`nobody is called ${name}`);
  return person;
};
const idOf = (name: string): string => personOf(name).accountId;
const emailOf = (name: string): string => personOf(name).email;

describe('promise 8: green is true', () => {
  it('an address that nobody has any more, and a new one that somebody has, is no change that was made', async () => {
    const [row] = await apply('email-change', ['email,newEmail', `left@example.com,${emailOf('Anna Schmidt')}`]);

    expect(row).toMatchObject({ status: 'failed', code: 'USER_NOT_FOUND' });
  });

  it('a row whose person has been given its address by an earlier file of the same people is unchanged by account id', async () => {
    const lines = ['accountId,newEmail', `${idOf('Anna Schmidt')},anna.new@example.com`];
    await apply('email-change', lines);

    expect(await apply('email-change', lines)).toMatchObject([{ status: 'unchanged' }]);
  });

  it.each([
    ['creation', 'Susan Suspended', 'USER_SUSPENDED', /restore/],
    ['creation', 'Dan Deactivated', 'USER_DEACTIVATED', /reactivate/],
    ['restore', 'Dan Deactivated', 'USER_DEACTIVATED', /reactivate/],
    ['reactivate', 'Susan Suspended', 'USER_SUSPENDED', /restore/],
  ])('%s of %s fails %s, and names the operation that helps', async (operation, name, code, says) => {
    const [row] = await apply(
      operation,
      operation === 'creation' ? ['email,products', `${emailOf(name)},confluence`] : ['email', emailOf(name)],
    );

    expect(row).toMatchObject({ status: 'failed', code, message: expect.stringMatching(says) });
  });

  it('suspending somebody who has no access is unchanged', async () => {
    expect(await apply('suspend', ['email', emailOf('Nora Newcomer')])).toMatchObject([{ status: 'unchanged' }]);
  });

  it.each(['Susan Suspended', 'Dan Deactivated'])('a membership of %s says so in its message', async (name) => {
    const [row] = await apply('membership', ['accountId,group', `${idOf(name)},engineering`]);

    expect(row?.message).toMatch(/suspended|deactivated/);
  });
});

describe('rows about one person, however they are spelt', () => {
  const rows = [`${idOf('Anna Schmidt')},,engineering,remove`, `,${emailOf('Anna Schmidt')},engineering,add`];
  const header = 'accountId,email,group,action';

  it.each([
    ['in one order', rows],
    ['in the other', rows.toReversed()],
  ])('contradict one another: %s', async (_, lines) => {
    expect(await apply('membership', [header, ...lines])).toMatchObject([
      { status: 'invalid', code: 'CONTRADICTION' },
      { status: 'invalid', code: 'CONTRADICTION' },
    ]);
  });

  it('are one row and its repeat where they ask for the same', async () => {
    const lines = [`${idOf('Ben Okafor')},,R&D,add`, `,${emailOf('Ben Okafor')},R&D,add`];

    expect(await apply('membership', [header, ...lines])).toMatchObject([
      { status: 'changed' },
      { status: 'unprocessed', code: 'DUPLICATE' },
    ]);
  });
});

describe('a chain of addresses', () => {
  const [anna, ben, carla] = ['Anna Schmidt', 'Ben Okafor', 'Carla Rossi'].map(emailOf);

  it.each([
    ['by address', ['email,newEmail', `${anna},${ben}`, `${ben},${carla}`, `${carla},carla.new@example.com`]],
    [
      'by account id',
      [
        'accountId,newEmail',
        `${idOf('Anna Schmidt')},${ben}`,
        `${idOf('Ben Okafor')},${carla}`,
        `${idOf('Carla Rossi')},carla.new@example.com`,
      ],
    ],
  ])('is applied in the order that it asks for: %s', async (_, lines) => {
    expect((await apply('email-change', lines)).map(({ status }) => status)).toEqual(['changed', 'changed', 'changed']);
  });

  it('in a circle is invalid, and named as such', async () => {
    const circle = await apply('email-change', ['email,newEmail', `${anna},${ben}`, `${ben},${anna}`]);

    expect(circle).toMatchObject([
      { status: 'invalid', code: 'CONTRADICTION', message: expect.stringContaining('in a circle') },
      { status: 'invalid', code: 'CONTRADICTION', message: expect.stringContaining('in a circle') },
    ]);
  });
});

describe('what is protected', () => {
  it('is the owner of the token, admins, and admin groups: other changes of them pass', async () => {
    expect(
      await apply('suspend', ['accountId', idOf('Ada Admin'), idOf('Emil Sorensen'), idOf('Hugo Martin')]),
    ).toMatchObject([
      { status: 'failed', code: 'PROTECTED' },
      { status: 'failed', code: 'PROTECTED' },
      { status: 'changed' },
    ]);
    expect(
      await apply('membership', [
        'accountId,group,action',
        `${idOf('Hugo Martin')},org-admins,add`,
        `${idOf('Emil Sorensen')},org-admins,remove`,
        `${idOf('Emil Sorensen')},engineering,add`,
      ]),
    ).toMatchObject([
      { status: 'failed', code: 'PROTECTED' },
      { status: 'failed', code: 'PROTECTED' },
      { status: 'changed' },
    ]);
  });
});
