import { expect, it } from 'vitest';

import {
  checkCells,
  createCellReader,
  createShapeChecker,
  isBlank,
  trimIdentifier,
} from '../../../shared/manifest/cells.ts';
import type { Row } from '../../../shared/manifest/rows.ts';
import { LIMITS } from './read.ts';

const row = (...cells: readonly string[]): Row => ({ row: 0, line: 2, cells });

it.each([
  ['plain', 'plain'],
  ['  spaced\t', 'spaced'],
  ['\u00A0\u202F\u3000wide\u2007', 'wide'],
  ['\uFEFF\u200B\u200D\u2060zero\u00AD\u200E\u202C', 'zero'],
  ['in\u00A0side', 'in\u00A0side'],
  ['é', 'é'],
  ['', ''],
])('trims %j to %j', (cell, trimmed) => {
  expect(trimIdentifier(cell)).toBe(trimmed);
  expect(isBlank(cell)).toBe(trimmed === '');
});

it('names our cells, trims them and leaves out empty ones', () => {
  const cellsOf = createCellReader({ columns: ['email', null, 'group'], escaped: false });

  expect(cellsOf(row(' ann@acme.example\u00A0', 'carried', '\u200B'))).toEqual({ email: 'ann@acme.example' });
  expect(cellsOf(row("'=x", '', "'+y"))).toEqual({ email: "'=x", group: "'+y" });
});

it.each([
  ["'=a", '=a'],
  ["''=a", "'=a"],
  ["'-", '-'],
  ["'@", '@'],
  ["'+1", '+1'],
  ["'\tx", 'x'], // the tab that the apostrophe guarded is trimmed
  ["'a", "'a"],
  ["''", "''"],
  ['=a', '=a'],
])('reads %j of a file that Rollcall wrote as %j', (cell, meant) => {
  const cellsOf = createCellReader({ columns: ['group'], escaped: true });

  expect(cellsOf(row(cell))).toEqual({ group: meant });
});

const SOURCE = { limits: LIMITS, isGuessed: false, escaped: false };

it.each([
  { cells: ['a', 'b'], says: undefined },
  { cells: ['a', 'b', ''], says: undefined },
  { cells: ['a', 'b', '', ' ', ''], says: undefined },
  { cells: ['a'], says: 'has 1 cell where the header has 2' },
  { cells: ['a', 'b', '', '', 'e'], says: 'has 5 cells where the header has 3' },
])('finds $cells under a header of two columns and a comma to be $says', ({ cells, says }) => {
  const problem = createShapeChecker(['email', 'group', ''], 2)(row(...cells));

  expect(problem).toEqual(says === undefined ? undefined : expect.stringContaining(says));
});

it.each([
  { cell: 'x'.repeat(LIMITS.cellCharacters + 1), says: /Cell 1 has more than the 10000 characters.*shorten/ },
  { cell: 'a\0b', says: /email: .* not text; type the cell again/ },
  { cell: 'a\uD800b', says: /email: .* not text/ },
  { cell: 'a\uFFFDb', says: /email: .* not text/ },
])('finds a cell that no API can take', ({ cell, says }) => {
  expect(checkCells(row(cell), { email: cell }, SOURCE)).toEqual([expect.stringMatching(says)]);
});

it('takes line breaks, tabs and every script in a cell', () => {
  const cell = 'two\r\nlines\tand 日本語 😀';

  expect(checkCells(row(cell), { message: cell }, SOURCE)).toEqual([]);
});

it.each(['#N/A', '#REF!', '#NAME?', '#name?', '#VALUE!', '#DIV/0!', '#NV', '#BEZUG!', '#¡VALOR!', '#ИМЯ?', '#####'])(
  'finds %s, which a spreadsheet shows in place of a value',
  (cell) => {
    expect(checkCells(row(cell), { groupName: cell }, SOURCE)).toEqual([
      expect.stringMatching(/^groupName: ".+" is what a spreadsheet shows.*correct its formula/),
    ]);
  },
);

it.each(['#general', '#1 team', '#', 'N/A team', '#REF! people', 'C#'])('takes %s for what it says', (cell) => {
  expect(checkCells(row(cell), { groupName: cell }, SOURCE)).toEqual([]);
});

it('takes letters that were read in an encoding nobody named in no cell of ours', () => {
  const guessed = { ...SOURCE, isGuessed: true };

  expect(checkCells(row('caf\u00E9', 'x'), { groupName: 'x' }, guessed)).toEqual([]);
  expect(checkCells(row('caf\u00E9', 'x'), { groupName: 'caf\u00E9' }, guessed)).toEqual([
    expect.stringMatching(/^groupName: .*characters beyond A to Z.*save it as "CSV UTF-8"/),
  ]);
});

it('takes an apostrophe that kept a formula from running only in a file of ours', () => {
  expect(checkCells(row("'=x"), { groupName: "'=x" }, SOURCE)).toEqual([
    expect.stringMatching(/^groupName: it begins with an apostrophe in front of "="/),
  ]);
  expect(checkCells(row("'=x"), { groupName: "'=x" }, { ...SOURCE, escaped: true })).toEqual([]);
});
