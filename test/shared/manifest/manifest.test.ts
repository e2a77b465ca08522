import { describe, expect, it } from 'vitest';

import { FILE_ENCODINGS } from './encodings.ts';
import { LIMITS, read } from './read.ts';

const DELIMITERS = [
  { name: 'commas', delimiter: ',' },
  { name: 'semicolons', delimiter: ';' },
  { name: 'tabs', delimiter: '\t' },
  { name: 'pipes', delimiter: '|' },
];
const LINE_ENDS = [
  { name: 'LF', lineEnd: '\n' },
  { name: 'CRLF', lineEnd: '\r\n' },
  { name: 'CR', lineEnd: '\r' },
];

const CASES = FILE_ENCODINGS.flatMap((file) =>
  DELIMITERS.flatMap((cells) =>
    LINE_ENDS.map((lines) => ({ ...file, ...cells, ...lines, what: `${file.name}, ${cells.name}, ${lines.name}` })),
  ),
);

describe.each(CASES)('a manifest in $what', ({ encoding, encode, delimiter, lineEnd }) => {
  const lines = [
    ['email', 'Group name', 'Büro'],
    ['zoë@acme.example', `"a ""big"" ${delimiter} group"`, '"€ 5"'],
    [''],
    ['', '', ''],
    ['bob@acme.example', `"two${lineEnd}lines"`, 'Köln'],
    ['cid@acme.example', 'staff', ''],
  ];
  const bytes = encode(lines.map((cells) => cells.join(delimiter)).join(lineEnd));

  it('is read as it is meant', async () => {
    const manifest = await read(bytes);

    expect(manifest).toMatchObject({ encoding, delimiter, header: { cells: lines[0], line: 1 } });
    expect(manifest.rows.map(({ row, line, cells }) => ({ row, line, cells }))).toEqual([
      { row: 0, line: 2, cells: ['zoë@acme.example', `a "big" ${delimiter} group`, '€ 5'] },
      { row: 1, line: 5, cells: ['bob@acme.example', `two${lineEnd}lines`, 'Köln'] },
      { row: 2, line: 7, cells: ['cid@acme.example', 'staff', ''] },
    ]);
  });

  it('is read the same however its bytes arrive', async () => {
    const [whole, cut] = [await read(bytes), await read(bytes, 3)];

    expect(cut.rows).toEqual(whole.rows);
  });
});

it.each([
  { head: 'sep=;\r\n', delimiter: ';' },
  { head: '\uFEFFSEP=|\n', delimiter: '|' },
  { head: '"sep=\t"\n', delimiter: '\t' },
  { head: 'sep=,,,\n', delimiter: ',' },
  { head: 'sep=^\n', delimiter: '^' },
])('honours the line $head', async ({ head, delimiter }) => {
  const manifest = await read(Buffer.from(`${head}email${delimiter}group\nann@acme.example${delimiter}a,b;c\n`));

  expect(manifest).toMatchObject({ delimiter, header: { line: 2 } });
  expect(manifest.rows).toMatchObject([
    { line: 3, cells: delimiter === ',' ? ['ann@acme.example', 'a', 'b;c'] : expect.anything() },
  ]);
});

it.each([
  { header: 'email', delimiter: ',' },
  { header: 'email,group;nickname', delimiter: ',' },
  { header: 'Name, first;email;Group name', delimiter: ';' },
  { header: '"a;b;c;d",email,group', delimiter: ',' },
  { header: ' , ,\nemail|group', delimiter: '|' },
  { header: 'neither;of;ours,here', delimiter: ';' },
])('finds the delimiter of $header', async ({ header, delimiter }) => {
  expect((await read(Buffer.from(`${header}\n`))).delimiter).toBe(delimiter);
});

it('counts lines through blank lines, lines of delimiters and every line end at once', async () => {
  const { rows } = await read(
    Buffer.from('\n\r\nemail,group\r\r\n,,\n \u00A0,\u200B\na@x.example,"1\r2\r\n3\n4"\r\rb@x.example,g'),
  );

  expect(rows.map(({ row, line }) => [row, line])).toEqual([
    [0, 7],
    [1, 12],
  ]);
});

it.each([
  {
    what: 'line ends of every kind',
    text: 'a,b\r\nc,d\re,f\n',
    rows: [
      [2, 'a', 'b'],
      [3, 'c', 'd'],
      [4, 'e', 'f'],
    ],
  },
  {
    what: 'line ends inside quotes',
    text: '"a\r\nb\rc\nd",e\nf,g\n',
    rows: [
      [2, 'a\r\nb\rc\nd', 'e'],
      [6, 'f', 'g'],
    ],
  },
  {
    what: 'doubled quotes',
    text: '"a ""b""","""c"""\n"",""""\n',
    rows: [
      [2, 'a "b"', '"c"'],
      [3, '', '"'],
    ],
  },
  {
    what: 'quotes in the midst of cells',
    text: 'a"b,c"\nd, "e"\n',
    rows: [
      [2, 'a"b', 'c"'],
      [3, 'd', ' "e"'],
    ],
  },
  {
    what: 'rows of any length',
    text: 'a\nb,c,d,\n,,e\nf,g',
    rows: [
      [2, 'a'],
      [3, 'b', 'c', 'd', ''],
      [4, '', '', 'e'],
      [5, 'f', 'g'],
    ],
  },
  {
    what: 'blank lines',
    text: '\n\r\n\r\ra,b\n\n"",\n , \nc,d\n\n',
    rows: [
      [6, 'a', 'b'],
      [10, 'c', 'd'],
    ],
  },
])('reads $what', async ({ text, rows }) => {
  const found = await read(Buffer.from(`email,group\n${text}`), 2);

  expect(found.rows.map(({ line, cells }) => [line, ...cells])).toEqual(rows);
});

it('keeps a cell that goes on after its closing quote as it is written, and says so of the row', async () => {
  const { rows } = await read(Buffer.from('email,group\n"ann"@acme.example,staff\n"bob" ,staff\n'));

  expect(rows.map(({ cells, flaw }) => [cells, flaw])).toEqual([
    [['"ann"@acme.example', 'staff'], expect.stringMatching(/Cell 1 goes on after its closing quote/)],
    [['bob', 'staff'], undefined],
  ]);
});

it('takes quotes inside an unquoted cell as they are', async () => {
  const { rows } = await read(Buffer.from('email,group\nann,the "A" team\n'));

  expect(rows[0]).toMatchObject({ cells: ['ann', 'the "A" team'], flaw: undefined });
});

it('decodes what Windows-1252 has beyond Latin-1', async () => {
  const { rows, encoding } = await read(Buffer.from([...Buffer.from('email,group\na,'), 0x80, 0x84, 0x9f, 0xe9]));

  expect(encoding).toBe('windows-1252');
  expect(rows[0]?.cells[1]).toBe('€„Ÿé');
});

it('reads a row that is as long as the limit allows, in time that grows with its length only', async () => {
  const cell = 'x'.repeat(LIMITS.rowBytes - 10);

  const { rows } = await read(Buffer.from(`email,group\n"${cell}\n",b\n`), 100);

  expect(rows[0]?.cells[0]).toHaveLength(cell.length + 1);
});
