import { Readable } from 'node:stream';
import { expect, it } from 'vitest';

import { changedRows, inBatches } from '../../cli/verify.ts';
import { findOperation } from '../../shared/operations/index.ts';

const suspend = findOperation('suspend')?.cloud ?? raise();
const membership = findOperation('membership')?.cloud ?? raise();

it('reads the changed rows of a report as the operation reads its manifest', async () => {
  const report = [
    '\uFEFFE-Mail;Last day;rollcall_line;rollcall_status;rollcall_code',
    "'=a@example.com;1;2;changed;",
    'b@example.com;1;3;unchanged;',
    'c@example.com;1;4;failed;USER_NOT_FOUND',
    'd@example.com;1;6;changed;',
  ].join('\r\n');

  const rows = await Readable.from(changedRows(opening(report), suspend)).toArray();

  expect(rows).toEqual([
    { line: 2, cells: { email: '=a@example.com' } },
    { line: 6, cells: { email: 'd@example.com' } },
  ]);
});

it.each([
  [
    'the action where its cells are actions alone',
    'add',
    [{ email: 'a@example.com', groupName: 'g', action: 'remove' }],
  ],
  ['none where another row says something else', 'Night shift', [{ email: 'a@example.com', groupName: 'g' }]],
])('reads a column `operation` as validation does: %s', async (_, other, cells) => {
  const report = [
    '\uFEFFemail,group name,operation,rollcall_line,rollcall_status',
    `a@example.com,g,${other === 'add' ? 'remove' : 'Day shift'},2,changed`,
    `b@example.com,g,${other},3,unchanged`,
  ].join('\r\n');

  const rows = await Readable.from(changedRows(opening(report), membership)).toArray();

  expect(rows).toEqual([{ line: 2, cells: cells[0] }]);
});

it('takes items a few at a time, the last ones too', async () => {
  expect(await Readable.from(inBatches(Readable.from([1, 2, 3]), 2)).toArray()).toEqual([[1, 2], [3]]);
});

const opening = (text: string) => () => Promise.resolve(Readable.from([Buffer.from(text)]));

function raise(): never {
  throw new Error('there are both operations on Cloud');
}
