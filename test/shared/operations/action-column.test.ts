import { expect, it } from 'vitest';

import { membership } from '../../../shared/operations/membership.ts';

/** What a membership file with one more column comes to, whose cells are these. */
function watch(name: string, cells: readonly string[], columns: readonly (string | null)[] = OURS) {
  const watching = membership.cloud?.watch?.([...columns, null], [{ name, index: columns.length }]);
  cells.forEach((cell, index) => watching?.add(index + 2, [...columns.map(() => 'x'), cell]));
  return watching?.settle();
}

const OURS = ['email', 'groupName'];

it.each([[['add', 'remove', 'add']], [['REMOVE', 'Add']], [['remove', '', ' ']], [['\u00A0remove\u200B']]])(
  'reads a column operation of %j as the action',
  (cells) => {
    expect(watch('Operation', cells)).toEqual({ columns: [...OURS, 'action'] });
  },
);

it.each([
  ['operation', ['EMEA', 'Plant 7']],
  ['operation', ['', '']],
  ['operation', ['membership', 'membership']],
  ['First name', ['Grant', 'Joy', 'Ann']],
  ['Status', ['Active', 'Leave', 'Active']],
  ['Notes', ['', '-', 'none']],
  ['Team', ['Additives', 'Remover works', 'Add-ons', 'Deletions desk']],
  ['Notes', ['Left us a while ago to see the world, but will be back']],
])('only carries a column %s of %j along', (name, cells) => {
  expect(watch(name, cells)).toEqual({ columns: [...OURS, null] });
});

it.each([
  ['change', ['add', 'remove'], 2],
  ['change', ['', 'Remove'], 3],
  ['change', ['keep', 'removed'], 3],
  ['type', ['Joiner', 'Mover', 'Leaver'], 2],
  ['type', ['join', '-', 'leave'], 2],
  ['type', ['LEAVE'], 2],
  ['what', ['grant', 'revoke'], 3],
  ['to do', ['please ask', 'Delete from group.'], 3],
  ['operation', ['add', 'EMEA'], 2],
  ['operation', ['EMEA', 'remove'], 3],
  ['operation', ['add', 'removed'], 2],
  ['operation', ['add', 'keep'], 2],
  ['operation', ['join', 'leave'], 2],
])('refuses a file with a column %s of %j, and names it', (name, cells, line) => {
  const message = expect.stringMatching(
    new RegExp(`^the column "${name}" reads like what to do .*rename it to action .* put a column action beside it`),
  );

  expect(watch(name, cells)).toEqual({ problems: [{ line, message }] });
});

it('tells of every such column at once', () => {
  const watching = membership.dataCenter?.watch?.(
    ['username', null, null],
    [
      { name: 'change', index: 1 },
      { name: 'what', index: 2 },
    ],
  );
  watching?.add(2, ['ann', 'remove', 'revoke']);

  expect(watching?.settle()).toHaveProperty('problems.length', 2);
});

it('refuses two columns that would both be the action', () => {
  const watching = membership.cloud?.watch?.(
    [null, null],
    [
      { name: 'operation', index: 0 },
      { name: 'Operation', index: 1 },
    ],
  );
  watching?.add(2, ['add', 'remove']);

  expect(watching?.settle()).toHaveProperty('problems.length', 2);
});

it('finds a column without a name, too', () => {
  const message = expect.stringMatching(/^column 3, which has no name, reads like what to do/);

  expect(watch('', ['remove'])).toEqual({ problems: [{ line: 2, message }] });
});

it('asks nothing of a file that has the column action', () => {
  expect(watch('change', ['remove'], [...OURS, 'action'])).toBeUndefined();
});
