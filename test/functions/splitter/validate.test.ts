import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { rowChunkKey } from '../../../shared/job/keys.ts';
import { rowStatusOf, PENDING, unpackRowStatuses } from '../../../shared/job/row-status.ts';
import { createCellReader } from '../../../shared/manifest/cells.ts';
import { requestOf, start } from './start.ts';

const MEMBERSHIP = 'acme/membership/joiners.csv';

it('reads a whole manifest before anything else happens to it', async () => {
  const { upload, validationOf, happened } = start();

  const FILE = 'email;Group name;Office\r\nann@acme.example;staff;Bern\r\n\r\nbob@acme.example;staff;Ulm';

  const jobId = await upload(MEMBERSHIP, FILE);

  expect(happened()).toEqual(['validating', 'validated']);
  expect(validationOf(jobId)).toMatchObject({
    rows: 2,
    encoding: 'utf-8',
    delimiter: ';',
    columns: ['email', 'groupName', null],
    carriedColumns: ['Office'],
    escaped: false,
    header: ['email', 'Group name', 'Office'],
    outcomeChunks: [],
    sha256: createHash('sha256').update(FILE).digest('hex'),
  });
  expect(validationOf(jobId).foreign).toBeUndefined();
});

it('says of each row all that is wrong with it, and goes on', async () => {
  const { upload, validationOf, outcomesOf } = start();

  const jobId = await upload(
    MEMBERSHIP,
    'email,group,action\nann@acme.example,staff,add\nnobody,staff,ad\nbob@acme.example\ncid@acme.example,staff,add,more\ndan@acme.example,staff,,\n',
  );

  const outcomes = outcomesOf(jobId);
  expect(outcomes.map(({ row, line, status, code }) => ({ row, line, status, code }))).toEqual([
    { row: 1, line: 3, status: 'invalid', code: 'INVALID_ROW' },
    { row: 2, line: 4, status: 'invalid', code: 'INVALID_ROW' },
    { row: 3, line: 5, status: 'invalid', code: 'INVALID_ROW' },
  ]);
  expect(outcomes[0]?.message).toMatch(/email: "nobody".*action: "ad"/);
  expect(outcomes[1]?.message).toContain('1 cell where the header has 3');
  expect(outcomes[2]?.message).toContain('4 cells where the header has 3');
  const { rowStatuses } = validationOf(jobId);
  const invalid = rowStatusOf('invalid', 'INVALID_ROW');
  expect([...unpackRowStatuses(rowStatuses, 5)]).toEqual([PENDING, invalid, invalid, invalid, PENDING]);
});

it('says which carried columns only another operation has', async () => {
  const { upload, validationOf } = start();

  const jobId = await upload('acme/suspend/people.csv', 'email,products,Office\nann@acme.example,jira-software,Bern\n');

  expect(validationOf(jobId).foreign).toEqual({ operation: 'creation', columns: ['products'] });
});

it('reads a column operation as the action where its cells are actions, wherever that shows', async () => {
  const { upload, validationOf } = start();
  const rows = Array.from({ length: 3_000 }, (_, n) => `user${n}@acme.example,staff,${n % 2 === 0 ? '' : 'Remove'}\n`);

  const jobId = await upload(MEMBERSHIP, `email,group,operation\n${rows.join('')}`);

  expect(validationOf(jobId)).toMatchObject({ columns: ['email', 'groupName', 'action'], carriedColumns: [] });
});

it.each(['operation,what', 'Task,Type'])(
  'refuses a file whose carried column reads like the action: %s',
  async (names) => {
    const { upload, problems, happened } = start();

    await upload(MEMBERSHIP, `email,group,${names}\nann@acme.example,staff,join,x\nbob@acme.example,staff,remove,y\n`);

    expect(happened().at(-1)).toBe('rejected');
    expect(problems()).toEqual([
      { line: expect.any(Number), message: expect.stringMatching(/reads like what to do with each person/) },
    ]);
  },
);

it('reads a file as Windows-1252 from its start when a late byte cannot be UTF-8', async () => {
  const { upload, validationOf, outcomesOf } = start();
  const rows = Array.from({ length: 5_000 }, (_, index) => `user${index}@acme.example,staff\n`).join('');
  const manifest = Buffer.concat([
    Buffer.from(`email,group\n${rows}wrong,staff\n`),
    Buffer.from('zo\u00EB@acme.example,caf\u00E9\n', 'latin1'),
  ]);

  const jobId = await upload(MEMBERSHIP, manifest);

  expect(validationOf(jobId)).toMatchObject({ encoding: 'windows-1252', rows: 5_002 });
  expect(outcomesOf(jobId).map(({ line }) => line)).toEqual([5_002, 5_003]);
});

it('writes every row, sound or not, with its line and its cells as they are written, into row chunks', async () => {
  const { upload, validationOf, rowsOf } = start();

  const jobId = await upload(
    MEMBERSHIP,
    'email,group,rollcall_line\r\n\r\nann@x.example," \'=a\r\nb ",7\r\nwrong,,,extra',
  );

  expect(rowsOf(jobId)).toEqual([
    { row: 0, line: 3, cells: ['ann@x.example', " '=a\r\nb ", '7'] },
    { row: 1, line: 5, cells: ['wrong', '', '', 'extra'] },
  ]);
  expect(validationOf(jobId)).toMatchObject({ header: ['email', 'group', 'rollcall_line'], escaped: true });
});

it('begins a row chunk every two and a half thousand rows', async () => {
  const { upload, validationOf, rowsOf } = start();
  const rows = Array.from({ length: 6_000 }, (_, index) => `u${index}@acme.example,staff\r\n`);

  const jobId = await upload(MEMBERSHIP, `\uFEFFemail,group\r\n${rows.join('')}`);

  expect(validationOf(jobId).rowChunks.map(({ firstRow }) => firstRow)).toEqual([0, 2_500, 5_000]);
  expect(rowsOf(jobId).map(({ row, line }) => line - row)).toEqual(rows.map(() => 2));
});

it('packs at most a mebibyte of rows into a chunk, unless a row alone is larger', async () => {
  const { upload, results, validationOf } = start({ limits: { cellCharacters: 2 ** 20, rowBytes: 2 ** 21 } });
  const rows = ['é'.repeat(300_000), 'x'.repeat(300_000), '"'.repeat(1_200_000), 'y', 'z'];

  const jobId = await upload(MEMBERSHIP, `email,group,note\n${rows.map((note) => `u@x.example,g,${note}\n`).join('')}`);

  const { rowChunks } = validationOf(jobId);
  expect(rowChunks.map(({ firstRow }) => firstRow)).toEqual([0, 2, 3]);
  const unpacked = rowChunks.map((_, index) => gunzipSync(results.objects.get(rowChunkKey(jobId, index))!).length);
  expect(unpacked.map((bytes) => bytes > 2 ** 20)).toEqual([false, true, false]);
});

it('takes a header without rows', async () => {
  const { upload, validationOf, happened } = start();

  const jobId = await upload(MEMBERSHIP, 'email,group\r\n');

  expect(happened()).toEqual(['validating', 'validated']);
  expect(validationOf(jobId)).toMatchObject({ rows: 0, rowChunks: [] });
});

it('makes the same job of an event that comes twice, and only sends an event that says again', async () => {
  const { upload, happened, results } = start();
  const first = await upload(MEMBERSHIP, 'email,group\nwrong,staff\n');
  const stored = new Map(results.objects);

  const second = await upload(MEMBERSHIP, 'email,group\nwrong,staff\n');

  expect(second).toBe(first);
  expect(happened()).toEqual(['validating', 'validated', 'validated']);
  expect(results.objects).toEqual(stored);
});

it('leaves what one validation wrote alone when a second is under way at the same time', async () => {
  const { deliver, inbox, results, events, validationOf } = start();
  const manifest = 'email\nnot an address\n';
  await inbox.write('acme/suspend/new.csv', manifest);
  const event = requestOf('acme/suspend/new.csv', manifest.length);

  await Promise.all([deliver([event]), deliver([event])]);

  const jobId = events[0]?.jobId ?? '';
  const written = [...results.objects.keys()].filter((key) => key.includes('/chunks/'));
  expect(written).toHaveLength(2);
  expect(written).toContain(`jobs/${jobId}/chunks/${validationOf(jobId).outcomeChunks[0]?.name}.jsonl`);
});

it('goes on with many thousand invalid rows in chunks of bounded size', async () => {
  const { upload, validationOf, outcomesOf } = start();

  const jobId = await upload(MEMBERSHIP, `email,group\n${'wrong,staff\n'.repeat(12_000)}`);

  expect(validationOf(jobId).outcomeChunks.map(({ firstRow, lastRow }) => [firstRow, lastRow])).toEqual([
    [0, 4_999],
    [5_000, 9_999],
    [10_000, 11_999],
  ]);
  expect(outcomesOf(jobId)).toHaveLength(12_000);
});

it('takes the escaping apostrophe off the cells of a file that Rollcall wrote', async () => {
  const { upload, validationOf, rowsOf } = start();

  const jobId = await upload(
    MEMBERSHIP,
    "email,group,rollcall_line,rollcall_code\r\nann@acme.example,'=staff,2,HALTED\r\nbob@acme.example,''+x,3,\r\n",
  );

  expect(validationOf(jobId)).toMatchObject({ escaped: true, carriedColumns: [] });
  const cellsOf = createCellReader(validationOf(jobId));
  expect(rowsOf(jobId).map((row) => cellsOf(row)['groupName'])).toEqual(['=staff', "'+x"]);
});
