import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PEOPLE, DATA_CENTER_PEOPLE } from '../../local/atlassian/seeds/default-people.ts';
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

interface Directory {
  readonly cloud: { readonly groups: readonly { readonly members: readonly string[] }[] };
  readonly dataCenter: { readonly groups: readonly { readonly members: readonly string[] }[] };
}

/** Everything that the simulator knows; who is in a group has no order. */
async function readDirectory(): Promise<Directory> {
  const answer = await fetch(`${simulator.url}/_simulator/state`);
  const directory = (await answer.json()) as Directory; // the simulator's own
  const sorted = <Of extends { readonly members: readonly string[] }>(groups: readonly Of[]): readonly Of[] =>
    groups.map((group) => ({ ...group, members: group.members.toSorted() }));
  const { cloud, dataCenter } = directory;
  return {
    cloud: { ...cloud, groups: sorted(cloud.groups) },
    dataCenter: { ...dataCenter, groups: sorted(dataCenter.groups) },
  };
}

/** Applies a file, whatever approval it needs, and gives the job. */
async function apply(key: string, text: string): Promise<string> {
  const job = pipeline.upload(key, text);
  const { state } = await pipeline.settle(job);
  if (state === 'waiting') await pipeline.approve(job);
  expect((await pipeline.settle(job)).state).toBe('completed');
  return job;
}

const undo = async (job: string, target: string, change = (text: string): string => text): Promise<string> =>
  apply(`${target}/undo/${job}.csv`, change(await pipeline.fileOf(job, 'undo.csv')));

const csv = (header: string, lines: readonly string[]): string => [header, ...lines, ''].join('\n');

const somebody = fc.constantFrom(...PEOPLE.map(({ accountId }) => accountId));
const someUsername = fc.constantFrom(...DATA_CENTER_PEOPLE.map(({ username }) => username));
const action = fc.constantFrom('add', 'remove');
const emails = PEOPLE.map(({ email }) => email);
/** An address of a verified domain, somebody else's among them: rows free addresses for one another. */
const someEmail = fc.oneof(
  fc.constantFrom(...emails),
  fc.nat(50).map((n) => `new${n}@example.com`),
);
const cloudGroup = fc.constantFrom('engineering', 'Support Team', 'R&D', 'C++ Guild', 'idp-everyone');
const dataCenterGroup = fc.constantFrom('Release Managers', 'jira-software-users', 'ldap-staff');

interface Kind {
  readonly target: 'cloud' | 'data-center';
  readonly operation: string;
  readonly header: string;
  readonly line: fc.Arbitrary<readonly string[]>;
}

const KINDS: readonly Kind[] = [
  {
    target: 'cloud',
    operation: 'membership',
    header: 'accountId,groupName,action',
    line: fc.tuple(somebody, cloudGroup, action),
  },
  { target: 'cloud', operation: 'email-change', header: 'accountId,newEmail', line: fc.tuple(somebody, someEmail) },
  ...['suspend', 'restore', 'deactivate', 'reactivate'].map((operation): Kind => ({
    target: 'cloud',
    operation,
    header: 'accountId',
    line: fc.tuple(somebody),
  })),
  {
    target: 'data-center',
    operation: 'membership',
    header: 'username,groupName,action',
    line: fc.tuple(someUsername, dataCenterGroup, action),
  },
  { target: 'data-center', operation: 'suspend', header: 'username', line: fc.tuple(someUsername) },
  { target: 'data-center', operation: 'restore', header: 'username', line: fc.tuple(someUsername) },
  {
    target: 'data-center',
    operation: 'email-change',
    header: 'username,newEmail',
    line: fc.tuple(someUsername, someEmail),
  },
];

describe('promise 9: undo(apply(x)) = x', () => {
  it.each(KINDS)('of $operation on $target', async ({ target, operation, header, line }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 25 }), async (lines) => {
        const before = await readDirectory();
        const text = csv(
          header,
          lines.map((cells) => cells.join(',')),
        );

        const job = await apply(`${target}/${operation}/some.csv`, text);
        const { changed } = (await pipeline.summaryOf(job)).counts;
        if (changed > 0) expect((await pipeline.summaryOf(await undo(job, target))).counts.changed).toBe(changed);

        expect(await readDirectory()).toEqual(before);
      }),
      { numRuns: 12 },
    );
  });
});

describe('an undo.csv', () => {
  const LEAVERS = csv(
    'accountId',
    PEOPLE.slice(-12, -8).map(({ accountId }) => accountId),
  );

  it('whose row was altered: that row is invalid, and the others are undone', async () => {
    const job = await apply('cloud/suspend/leavers.csv', LEAVERS);
    const [somebodyElse = ''] = PEOPLE.slice(-13).map(({ accountId }) => accountId);

    const undone = await undo(job, 'cloud', (text) => text.replace(PEOPLE.at(-9)?.accountId ?? '', somebodyElse));

    expect(await pipeline.summaryOf(undone)).toMatchObject({
      counts: { rows: 4, changed: 3, invalid: 1 },
      codes: { INVALID_ROW: 1 },
    });
    expect(await pipeline.fileOf(undone, 'failed.csv')).toContain('so the row was altered');
  });

  it('of which rows were left out undoes the others', async () => {
    const job = await apply('cloud/suspend/leavers.csv', LEAVERS);

    const undone = await undo(job, 'cloud', (text) => text.split('\r\n').toSpliced(1, 2).join('\r\n'));

    expect((await pipeline.summaryOf(undone)).counts).toMatchObject({ rows: 2, changed: 2 });
  });

  it('that is dropped twice finds everything as it was', async () => {
    const job = await apply('cloud/suspend/leavers.csv', LEAVERS);
    await undo(job, 'cloud');

    expect((await pipeline.summaryOf(await undo(job, 'cloud'))).counts).toMatchObject({ rows: 4, unchanged: 4 });
  });

  it('of an undo does again what the job did', async () => {
    const job = await apply('cloud/suspend/leavers.csv', LEAVERS);
    const after = await readDirectory();
    const undone = await undo(job, 'cloud');

    await undo(undone, 'cloud');

    expect(await readDirectory()).toEqual(after);
  });

  it('leaves alone what somebody has changed since', async () => {
    const emailOf = (n: number): string => PEOPLE.at(-n)?.email ?? '';
    const job = await apply('cloud/email-change/names.csv', csv('email,newEmail', [`${emailOf(1)},x1@example.com`]));
    await apply('cloud/email-change/other.csv', csv('email,newEmail', ['x1@example.com,x2@example.com']));

    const undone = await undo(job, 'cloud');

    expect(await pipeline.summaryOf(undone)).toMatchObject({ counts: { failed: 1 }, codes: { CHANGED_SINCE_PLAN: 1 } });
  });

  it('of a creation says that it cannot be undone', async () => {
    const job = await apply('cloud/creation/new.csv', csv('email,products', ['new@example.com,confluence']));

    const undone = await undo(job, 'cloud');

    expect(await pipeline.summaryOf(undone)).toMatchObject({ counts: { failed: 1 }, codes: { REQUEST_REFUSED: 1 } });
  });
});

describe('an undo is refused outright', () => {
  const refusalOf = async (key: string, text: string): Promise<string> => {
    const job = pipeline.upload(key, text);
    expect((await pipeline.settle(job)).state).toBe('rejected');
    return JSON.stringify((await pipeline.summaryOf(job)).problems);
  };
  const undoFile = (job: string): string => csv('job,row,who,from,to', [`${job},0,a,b,c`]);

  it('of a job that there is not, or of another target', async () => {
    expect(await refusalOf('cloud/undo/x.csv', undoFile('none-0123456789ab'))).toContain('there is no job');
    const job = await apply('cloud/suspend/one.csv', csv('accountId', [PEOPLE.at(-1)?.accountId ?? '']));
    expect(await refusalOf('data-center/undo/x.csv', undoFile(job))).toContain('there is no job');
  });

  it('of two jobs in one file', async () => {
    const text = csv('job,row,who,from,to', ['one-0123456789ab,0,a,b,c', 'two-0123456789ab,0,a,b,c']);

    expect(await refusalOf('cloud/undo/x.csv', text)).toContain('one job a file');
  });

  it('of a job that changed nothing', async () => {
    const dry = pipeline.upload('cloud/suspend/x.dry-run.csv', csv('accountId', [PEOPLE.at(-1)?.accountId ?? '']));
    await pipeline.settle(dry);

    expect(await refusalOf('cloud/undo/x.csv', undoFile(dry))).toContain('changed nothing');
  });

  it('that a sender sends', async () => {
    expect(await refusalOf('cloud/undo/from-hr/x.csv', undoFile('one-0123456789ab'))).toContain('A sender may not');
  });

  it('in the folder of another operation, and results.csv in any', async () => {
    const job = await apply('cloud/suspend/one.csv', csv('accountId', [PEOPLE.at(-1)?.accountId ?? '']));

    expect(await refusalOf('cloud/restore/r.csv', await pipeline.fileOf(job, 'results.csv'))).toContain('undo.csv');
  });
});
