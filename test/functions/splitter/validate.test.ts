import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { rowChunkKey } from '../../../shared/job/keys.ts';
import { rowStatusOf, PENDING, unpackRowStatuses } from '../../../shared/job/row-status.ts';
import { notification, start } from './start.ts';

const MEMBERSHIP = 'acme/membership/joiners.csv';

it('validations a manifest before anything else happens to it', async () => {
  const { upload, validationOf, happened } = start();

  const jobId = await upload(
    MEMBERSHIP,
    'email;Group name;Office\r\nann@acme.example;staff;Bern\r\n\r\nbob@acme.example;staff;Ulm',
  );

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
    mixed: false,
    ordered: false,
  });
});

it('says of each row all that is wrong with it, and goes on', async () => {
  const { upload, validationOf, outcomesOf } = start();

  const jobId = await upload(
    MEMBERSHIP,
    'email,group,action\nann@acme.example,staff,add\nnobody,staff,ad\nbob@acme.example,staff\ncid@acme.example,staff,add,more\ndan@acme.example,staff,,\n',
  );

  const outcomes = outcomesOf(jobId);
  expect(outcomes.map(({ row, line, status, code }) => ({ row, line, status, code }))).toEqual([
    { row: 1, line: 3, status: 'invalid', code: 'INVALID_ROW' },
    { row: 2, line: 4, status: 'invalid', code: 'INVALID_ROW' },
    { row: 3, line: 5, status: 'invalid', code: 'INVALID_ROW' },
  ]);
  expect(outcomes[0]?.message).toMatch(/email: "nobody".*action: "ad"/);
  expect(outcomes[1]?.message).toContain('2 cells where the header has 3');
  expect(outcomes[2]?.message).toContain('4 cells where the header has 3');
  const { rowStatuses } = validationOf(jobId);
  const invalid = rowStatusOf('invalid', 'INVALID_ROW');
  expect([...unpackRowStatuses(rowStatuses, 5)]).toEqual([PENDING, invalid, invalid, invalid, PENDING]);
});

it('leaves out repeats and refuses contradictions, each with the line of the other row', async () => {
  const { upload, validationOf, outcomesOf } = start();

  const jobId = await upload(
    MEMBERSHIP,
    [
      'email,group,action',
      'ann@acme.example,staff,add',
      'bob@acme.example,staff,add',
      'not an address,staff,add',
      'Ann@acme.example,staff,',
      'bob@acme.example,staff,remove',
      'ann@acme.example,"admins",add',
      'bob@acme.example,staff,add',
    ].join('\n'),
  );

  const said = outcomesOf(jobId).map(({ line, code, message }) => [line, code, message?.match(/line \d+/i)?.[0]]);
  expect(said).toEqual([
    [3, 'CONTRADICTION', 'Line 6'],
    [4, 'INVALID_ROW', undefined],
    [5, 'DUPLICATE', 'line 2'],
    [6, 'CONTRADICTION', 'Line 3'],
    [8, 'CONTRADICTION', 'Line 6'],
  ]);
  expect(validationOf(jobId).outcomeChunks).toEqual([
    { name: expect.stringMatching(/^validation-.*-invalid-0000$/) as string, firstRow: 2, lastRow: 2 },
    { name: expect.stringMatching(/^validation-.*-conflicts-0000$/) as string, firstRow: 1, lastRow: 6 },
  ]);
});

it('finds two accounts that are to have the same address', async () => {
  const { upload, outcomesOf } = start();

  const jobId = await upload(
    'acme/email-change/new.csv',
    'userid,new_email\na1,x@acme.example\na2,y@acme.example\na3,X@acme.example\na1,x@acme.example\n',
  );

  const said = outcomesOf(jobId).map(({ line, code, message }) => [line, code, message?.match(/line \d+/i)?.[0]]);
  expect(said).toEqual([
    [2, 'CONTRADICTION', 'Line 4'],
    [4, 'CONTRADICTION', 'Line 2'],
    [5, 'DUPLICATE', 'line 2'],
  ]);
});

it('finds a contradiction with a row that contradicts yet another, whatever the order of claims', async () => {
  const { upload, outcomesOf } = start();

  const jobId = await upload(
    'acme/email-change/new.csv',
    'userid,new_email\na1,x@acme.example\na1,y@acme.example\na2,y@acme.example\na3,z@acme.example\n',
  );

  expect(outcomesOf(jobId).map(({ line, code }) => [line, code])).toEqual([
    [2, 'CONTRADICTION'],
    [3, 'CONTRADICTION'],
    [4, 'CONTRADICTION'],
  ]);
});

it('writes down which row waits for which address to be freed', async () => {
  const { upload, validationOf, outcomesOf, results } = start();

  const jobId = await upload(
    'acme/email-change/chain.csv',
    'old_email,new_email\na@acme.example,b@acme.example\nB@acme.example,c@acme.example\nd@acme.example,D@acme.example\nc@acme.example,e@acme.example\n',
  );

  expect(outcomesOf(jobId)).toEqual([]);
  expect(validationOf(jobId).ordered).toBe(true);
  expect(results.textOf(`jobs/${jobId}/order/0.json`)).toBe('[[0,1,3],[1,3,5]]');
});

it('refuses rows that wait for each other in a circle, and nobody else', async () => {
  const { upload, outcomesOf, results } = start();

  const jobId = await upload(
    'acme/email-change/swap.csv',
    'old_email,new_email\na@acme.example,b@acme.example\nb@acme.example,a@acme.example\nc@acme.example,d@acme.example\nd@acme.example,e@acme.example\nf@acme.example,c@acme.example\n',
  );

  const circle = outcomesOf(jobId);
  expect(circle.map(({ line, status, code }) => [line, status, code])).toEqual([
    [2, 'invalid', 'CONTRADICTION'],
    [3, 'invalid', 'CONTRADICTION'],
  ]);
  expect(circle[0]?.message).toMatch(/^Lines 2 and 3 /);
  expect(results.textOf(`jobs/${jobId}/order/0.json`)).toBe('[[2,3,5],[4,2,4]]');
});

it('reads a file as Windows-1252 from its start when a late byte cannot be UTF-8', async () => {
  const { upload, validationOf, outcomesOf } = start();
  const rows = Array.from({ length: 5_000 }, (_, index) => `user${index}@acme.example,staff\n`).join('');
  const manifest = Buffer.concat([
    Buffer.from(`email,group\n${rows}wrong,staff\n`),
    Buffer.from('zo\u00EB@acme.example,caf\u00E9\n', 'latin1'),
  ]);

  const jobId = await upload(MEMBERSHIP, manifest);

  expect(validationOf(jobId)).toMatchObject({ encoding: 'windows-1252', rows: 5_002 });
  expect(outcomesOf(jobId).map(({ line }) => line)).toEqual([5_002]);
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

it('validations a header without rows', async () => {
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
  const event = notification('acme/suspend/new.csv', { versionId: 'v1', size: manifest.length });

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
  const { upload, validationOf, putState, enqueue, tasks } = start();
  const jobId = await upload(
    MEMBERSHIP,
    "email,group,rollcall_line,rollcall_code\r\nann@acme.example,'=staff,2,HALTED\r\nbob@acme.example,''+x,3,\r\n",
  );
  await putState(jobId);

  await enqueue(jobId, { to: 2 });

  expect(validationOf(jobId)).toMatchObject({ escaped: true, carriedColumns: [] });
  expect(tasks().map(({ cells }) => cells['groupName'])).toEqual(['=staff', "'+x"]);
});
