import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { type MemoryPipeline, startMemoryPipeline } from '../fakes/memory-pipeline.ts';

// Files and Atlassians as people meet them, from the upload to the report.

let simulator: Simulator;
let pipeline: MemoryPipeline;

beforeEach(async () => {
  simulator = await startSimulator();
  pipeline = startMemoryPipeline({ targets: targets() });
});
afterEach(async () => {
  await pipeline.close();
  await simulator.close();
});

const targets = () => {
  const { orgId: _orgId, orgApiKey: _orgApiKey, directoryId: _directoryId, ...keyless } = simulator.targets.cloud;
  return { ...simulator.targets, keyless };
};

/** A file whose job is planned, approved where it must be, and applied. */
async function drop(key: string, file: string | Buffer) {
  const job = pipeline.upload(key, file);
  if ((await pipeline.settle(job)).state === 'waiting') await pipeline.approve(job);
  const { state } = await pipeline.settle(job);
  const summary = await pipeline.summaryOf(job);
  const rows: readonly Record<string, string>[] = parse(await pipeline.fileOf(job, 'results.csv'), {
    bom: true,
    columns: true,
    relax_column_count: true,
  });
  return { state, summary, rows, problems: summary.problems ?? [] };
}

const statusesOf = (rows: readonly Record<string, string>[]): readonly (string | undefined)[] =>
  rows.map((row) => row['rollcall_status']);

const tell = async (patch: object): Promise<void> => {
  const response = await fetch(`${simulator.url}/_simulator/behaviour`, {
    method: 'PATCH',
    body: JSON.stringify(patch),
  });
  expect(response.status).toBe(200);
};

/** Leaves no seat of a product free. */
async function takeSeats(product: string): Promise<void> {
  const address = `${simulator.url}/_simulator/state`;
  const state = (await (await fetch(address)).json()) as { cloud: { licences: Record<string, number> } }; // its own record
  state.cloud.licences[product] = 0;
  expect((await fetch(address, { method: 'PUT', body: JSON.stringify(state) })).status).toBeLessThan(300);
}

describe('a file from the field', () => {
  it('that Excel saved without its last, empty cells is whole', async () => {
    const { rows } = await drop(
      'cloud/membership/guild.csv',
      'email,group,action,Note\r\nben.okafor@example.com,C++ Guild,add,by phone\r\ncarla.rossi@example.com,C++ Guild,add\r\numa.reddy@example.com,C++ Guild\r\n',
    );

    expect(statusesOf(rows)).toEqual(['changed', 'changed', 'changed']);
  });

  it("of Windows PowerShell's Export-Csv is read below its type line", async () => {
    const { rows } = await drop(
      'cloud/membership/users.csv',
      '\uFEFF#TYPE Selected.Microsoft.ActiveDirectory.Management.ADUser\r\n"email","group","SamAccountName"\r\n"hugo.martin@example.com","engineering","hmartin"\r\n',
    );

    expect(statusesOf(rows)).toEqual(['changed']);
  });

  it('of two encodings writes no name that it does not hold', async () => {
    const { state, problems } = await drop(
      'data-center/creation/new.csv',
      Buffer.concat([
        Buffer.from('username,email,displayName\njgross,j@dc.example.com,J\u00FCrgen Gro\u00DF\n'),
        Buffer.from('rdub,r@dc.example.com,Ren\u00E9 Dub\u00E9\n', 'latin1'),
      ]),
    );

    expect(state).toBe('rejected');
    expect(problems).toMatchObject([{ line: 3 }]);
  });

  it('of an encoding that nobody named writes no letter that was guessed', async () => {
    const { rows, summary } = await drop(
      'data-center/creation/new.csv',
      Buffer.from(
        'username,email,displayName,Office\nrdub,r@dc.example.com,Ren\u00E9,Z\u00FCrich\nbob,b@dc.example.com,Bob,Z\u00FCrich\n',
        'latin1',
      ),
    );

    expect(statusesOf(rows)).toEqual(['invalid', 'changed']);
    expect(summary.manifest.encoding).toBe('windows-1252');
    expect(rows[1]?.['Office']).toBe('Z\u00FCrich');
  });

  it.each(['cloud', 'keyless'])('with one product a row for one person gives them all, at %s', async (target) => {
    const file =
      'email,products\nnina.new@example.com,jira-software\nnina.new@example.com,jira-core\nnina.new@example.com,jira-software\n';

    const { rows } = await drop(`${target}/creation/new.csv`, file);
    const again = await drop(`${target}/creation/again.csv`, `${file}\n`);

    if (target === 'cloud') {
      expect(statusesOf(rows)).toEqual(['changed', 'changed', 'unprocessed']);
      expect(statusesOf(again.rows)).toEqual(['unchanged', 'unchanged', 'unprocessed']);
    } else {
      // Without organisation keys nothing but Jira's own answer speaks of the second product, and it gave nothing.
      expect(rows.map((row) => [row['rollcall_status'], row['rollcall_code']])).toEqual([
        ['changed', ''],
        ['failed', 'ATLASSIAN_ERROR'],
        ['unprocessed', 'DUPLICATE'],
      ]);
      expect(rows[1]?.['rollcall_message']).toMatch(/no access to jira-core.*orgId and orgApiKey/);
    }
  });

  it('goes on with a person whose first product was refused', async () => {
    const { rows } = await drop(
      'cloud/creation/new.csv',
      'email,products\nnina.new@example.com,jira-product-discovery\nnina.new@example.com,jira-core\n',
    );

    expect(rows.map((row) => row['rollcall_code'])).toEqual(['LICENCE_LIMIT', '']);
    expect(statusesOf(rows)).toEqual(['failed', 'changed']);
  });

  it('with a domain that is nobody of ours creates nobody', async () => {
    const { rows } = await drop('cloud/creation/new.csv', 'email,products\nann@exmaple.com,jira-core\n');

    expect(rows).toMatchObject([{ rollcall_status: 'failed', rollcall_code: 'DOMAIN_NOT_ALLOWED' }]);
  });

  it('with all groups of a person in a cell is told what a row is', async () => {
    const { rows } = await drop(
      'cloud/membership/export.csv',
      'email,Group\nquinn.baker@example.com,"engineering, Support Team"\n',
    );

    expect(rows[0]?.['rollcall_message']).toMatch(/A row names one group: .*write a row for each/);
  });

  it('says in a changed row which group its name was taken for', async () => {
    const { rows } = await drop('cloud/membership/new.csv', 'email,group\nquinn.baker@example.com,Engineering\n');

    expect(rows).toMatchObject([
      { rollcall_status: 'changed', rollcall_message: expect.stringMatching(/^Taken for the group/) as unknown },
    ]);
  });
});

describe('a seat refusal of an invitation', () => {
  it.each(['documented', 'flat'])('is LICENCE_LIMIT in one call, %s', async (inviteShape) => {
    await tell({ switches: { inviteShape } });
    await takeSeats('confluence');

    const { rows } = await drop('cloud/creation/new.csv', 'email,products\nnina.new@example.com,confluence\n');

    expect(rows).toMatchObject([
      { rollcall_code: 'LICENCE_LIMIT', rollcall_http_status: '206', rollcall_attempts: '1' },
    ]);
  });
});

describe("a target's address", () => {
  it.each([
    ['a wrong context path', { type: 'data-center', path: '/other' }, /context path/],
    ['a wrong cloudId', { type: 'cloud', cloudId: '00000000-0000-4000-8000-000000000000' }, /cloudId "00000000-/],
  ])('halts the job at once: %s', async (_, { type, ...how }, says) => {
    const own = simulator.targets;
    const target =
      type === 'cloud'
        ? { ...own.cloud, ...how, orgId: undefined, orgApiKey: undefined, directoryId: undefined }
        : { ...own['data-center'], baseUrl: `${simulator.url}${'path' in how ? String(how.path) : ''}` };
    const other = startMemoryPipeline({ targets: { wrong: target } });
    const job = other.upload(
      'wrong/membership/x.csv',
      type === 'cloud' ? 'email,group\nann@example.com,engineering\n' : 'username,group\nann,developers\n',
    );

    expect((await other.settle(job)).state).toBe('halted');
    const { halt } = await other.summaryOf(job);
    expect(halt).toMatchObject({ code: 'SITE_NOT_FOUND', message: expect.stringMatching(says) as unknown });
    await other.close();
  });
});

describe('an outage', () => {
  it('that shows pages with 404 makes no row fail: they are tried again', async () => {
    await tell({ faults: { page: 0.5 }, dice: 3 });
    const lines = ['ben.okafor', 'carla.rossi', 'hugo.martin', 'uma.reddy'].map(
      (name) => `${name}@example.com,engineering`,
    );
    // The first answer of all must be Atlassian's own.
    await tell({ faults: { page: 0 } });
    await drop('cloud/membership/first.csv', 'email,group\nquinn.baker@example.com,engineering\n');
    await tell({ faults: { page: 0.3 } });

    const { rows } = await drop('cloud/membership/rest.csv', `email,group\n${lines.join('\n')}\n`);

    expect(rows.map((row) => row['rollcall_code'])).toEqual(['', '', '', '']);
  });
});

describe("Data Center's read-only mode", () => {
  it('makes rows wait and not fail', async () => {
    await tell({ switches: { dataCenterReadOnlyMode: 'on' } });
    const job = pipeline.upload('data-center/membership/x.csv', 'username,group\nben,Release Managers\n');
    let looks = 0;
    await pipeline.settle(job, ({ state }) => state === 'running' && (looks += 1) > 20);
    await tell({ switches: { dataCenterReadOnlyMode: 'off' } });

    await pipeline.settle(job);

    expect((await pipeline.summaryOf(job)).counts).toMatchObject({ failed: 0, unprocessed: 0 });
  });
});
