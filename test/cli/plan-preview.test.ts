import { Readable } from 'node:stream';
import { expect, it } from 'vitest';

import { previewChanges } from '../../cli/plan-preview.ts';

const OWN =
  'rollcall_line,rollcall_operation,rollcall_plan,rollcall_code,rollcall_message,rollcall_before,rollcall_after';

const preview = (operation: string, columns: string, rows: readonly string[]) =>
  previewChanges(Readable.from([Buffer.from(`\uFEFF${[`${columns},${OWN}`, ...rows, ''].join('\r\n')}`)]), operation);

it('says for each change whom the row names, and what differs', async () => {
  const changes = await preview('membership', 'Department,E-mail address,Group name,action', [
    "Research,'=ann@example.com,R&D,add,2,membership,change,,,member: no,member: yes",
    'Research,ben@example.com,R&D,add,3,membership,unchanged,,,member: yes,member: yes',
    'Service,,R&D,add,4,membership,invalid,INVALID_ROW,no email,,',
  ]);

  expect(changes).toEqual([{ line: 2, who: '=ann@example.com, R&D', before: 'member: no', after: 'member: yes' }]);
});

it.each([
  ['email-change', 'old_email,new_email', 'a@example.com,b@example.com', 'a@example.com'],
  ['suspend', 'User id,email', ',a@example.com', 'a@example.com'],
  ['suspend', 'User id,email', '5b10,', '5b10'],
  ['membership', 'username,groupname', 'anna,Release Managers', 'anna, Release Managers'],
  ['undo', 'job,row,who,from,to', 'j-1,0,account id: 5b10,access: suspended,access: active', 'account id: 5b10'],
])('names whom a row of %s is about by %s', async (operation, columns, cells, who) => {
  const changes = await preview(operation, columns, [`${cells},2,${operation},change,,,access: x,access: y`]);

  expect(changes.map((change) => change.who)).toEqual([who]);
});

it('gives the first five', async () => {
  const rows = Array.from({ length: 7 }, (_, n) => `p${n}@example.com,${n + 2},suspend,change,,,access: x,access: y`);

  expect((await preview('suspend', 'email', rows)).map(({ line }) => line)).toEqual([2, 3, 4, 5, 6]);
});
