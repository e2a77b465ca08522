import { gzipSync } from 'node:zlib';

import { refusal, report, type Ending, type Entry } from './entry.ts';

const TEXT = 'email,group\nann@acme.example,staff\n';
const REMEDY = /save it as "CSV UTF-8"$/;

const bytes = (name: string, content: () => Buffer, ending: Ending): Entry => ({ name, bytes: content, ending });
const of = (...numbers: readonly number[]): Buffer => Buffer.from(numbers);
const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le');
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const BINARY: readonly (readonly [string, () => Buffer])[] = [
  ['a workbook', () => Buffer.concat([of(0x50, 0x4b, 3, 4), Buffer.from('[Content_Types].xml xl/workbook.xml')])],
  ['an empty zip file', () => Buffer.concat([of(0x50, 0x4b, 5, 6), Buffer.alloc(18)])],
  ['an old workbook', () => Buffer.concat([of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1), Buffer.alloc(512)])],
  ['a gzip file', () => gzipSync(TEXT)],
  ['a PDF', () => Buffer.from('%PDF-1.7\nemail,group\n')],
  ['a picture', () => of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
  ['a program', () => Buffer.concat([of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0), Buffer.alloc(64)])],
  ['a database', () => Buffer.from('SQLite format 3\0')],
  ['zeros', () => Buffer.alloc(100_000)],
  ['a zero in the header', () => Buffer.from('email\0,group\n')],
  ['a zero in a cell', () => Buffer.from('email,group\nann@acme.example,st\0aff\n')],
  ['UTF-16 LE without a byte order mark', () => Buffer.from(TEXT, 'utf16le')],
  ['UTF-16 BE without a byte order mark', () => Buffer.from(TEXT, 'utf16le').swap16()],
  [
    'UTF-32 LE',
    () => Buffer.concat([of(0xff, 0xfe, 0, 0), Buffer.from([...TEXT].flatMap((c) => [c.charCodeAt(0), 0, 0, 0]))]),
  ],
  [
    'UTF-32 BE',
    () => Buffer.concat([of(0, 0, 0xfe, 0xff), Buffer.from([...TEXT].flatMap((c) => [0, 0, 0, c.charCodeAt(0)]))]),
  ],
];

const LATE_ZERO = `${TEXT}${Array.from({ length: 5_000 }, (_, index) => `u${index}@acme.example,staff\n`).join('')}`;

/** Files that are no CSV, and bytes that are damaged. */
export const FOREIGN_FILES: readonly Entry[] = [
  ...BINARY.map(([name, content]) => bytes(name, content, refusal(undefined, REMEDY))),
  bytes(
    'a tar archive',
    () => Buffer.concat([Buffer.from('people.csv'), Buffer.alloc(502)]),
    refusal(undefined, REMEDY),
  ),
  bytes(
    'a byte that is no UTF-8',
    () => latin1('email,group\nann@acme.example,caf\u00E9\n'),
    report(1, { encoding: 'windows-1252', invalid: 1 }),
  ),
  bytes(
    'such a byte in a column that is carried along',
    () => latin1('email,group,B\u00FCro\nann@acme.example,staff,Z\u00FCrich\n'),
    report(1, { encoding: 'windows-1252', carried: ['B\u00FCro'] }),
  ),
  bytes(
    'such a byte after letters in UTF-8',
    () => Buffer.concat([Buffer.from(`${TEXT}bob@acme.example,J\u00FCrgen\n`), latin1('x@acme.example,caf\u00E9\n')]),
    refusal(4, /not UTF-8 although the rest of the file is.*; save that part/),
  ),
  bytes(
    'such a byte before letters in UTF-8',
    () =>
      Buffer.concat([
        Buffer.from(TEXT),
        latin1('x@acme.example,caf\u00E9\n'),
        Buffer.from('bob@acme.example,J\u00FCrgen\n'),
      ]),
    refusal(3, /not UTF-8 although the rest of the file is.*; save that part/),
  ),
  bytes(
    'UTF-8 that is cut short after other letters',
    () => Buffer.concat([Buffer.from(`${TEXT}bob@acme.example,J\u00FCrgen\nx@acme.example,caf`), of(0xc3)]),
    refusal(4, /breaks off in the middle of a letter.*; its upload|breaks off.*upload it again/),
  ),
  bytes(
    'such a byte after a byte order mark',
    () => Buffer.concat([Buffer.from(`\uFEFF${TEXT}`), latin1('x@acme.example,caf\u00E9\n')]),
    refusal(3, /not UTF-8 although the rest of the file is.*; save that part/),
  ),
  bytes(
    'bytes that no encoding has',
    () => Buffer.concat([Buffer.from(TEXT), of(0xff, 0xfe, 0xfd, 0x2c, 0x78, 0x0a)]),
    report(2, { encoding: 'windows-1252', invalid: 1 }),
  ),
  bytes(
    'UTF-8 that is cut short',
    () => Buffer.concat([Buffer.from(`${TEXT}bob@acme.example,caf`), of(0xc3)]),
    report(2, { encoding: 'windows-1252', invalid: 1 }),
  ),
  bytes(
    'an overlong encoding of a slash',
    () => Buffer.concat([Buffer.from(`${TEXT}bob@acme.example,a`), of(0xc0, 0xaf)]),
    report(2, { encoding: 'windows-1252', invalid: 1 }),
  ),
  bytes(
    'a surrogate in UTF-8',
    () => Buffer.concat([Buffer.from(`${TEXT}bob@acme.example,a`), of(0xed, 0xa0, 0x80)]),
    report(2, { encoding: 'windows-1252', invalid: 1 }),
  ),
  bytes(
    'a code point beyond Unicode',
    () => Buffer.concat([Buffer.from(`${TEXT}bob@acme.example,a`), of(0xf4, 0x90, 0x80, 0x80)]),
    report(2, { encoding: 'windows-1252', invalid: 1 }),
  ),
  bytes(
    'a lone high surrogate in a name',
    () => utf16('email,group\nann@acme.example,a\uD800\n'),
    report(1, { encoding: 'utf-16le', invalid: 1 }),
  ),
  bytes(
    'a lone low surrogate in an address',
    () => utf16('email,group\n\uDC00@acme.example,staff\n'),
    report(1, { encoding: 'utf-16le', invalid: 1 }),
  ),
  bytes(
    'surrogates the wrong way round',
    () => utf16('email,group\nann@acme.example,\uDC00\uD800\n'),
    report(1, { invalid: 1 }),
  ),
  bytes(
    'a lone surrogate that is carried along',
    () => utf16('email,group,Note\nann@acme.example,staff,\uD83D\n'),
    report(1, { carried: ['Note'] }),
  ),
  bytes(
    "a lone surrogate in a column's name",
    () => utf16('email,group,N\uD83D\nann@acme.example,staff,x\n'),
    report(1),
  ),
  bytes(
    'half a character at the end of UTF-16',
    () => utf16('email,group\nann@acme.example,staff').subarray(0, -1),
    report(1, { invalid: 1 }),
  ),
  bytes(
    'a surrogate pair in every cell',
    () => utf16('email,group\n😀@acme.example,😀\n'),
    report(1, { cells: [{ email: '😀@acme.example', groupName: '😀' }] }),
  ),
  bytes('a zero character in UTF-16', () => utf16(`${TEXT}bob@acme.example,st\0aff\n`), report(2, { invalid: 1 })),
  bytes(
    'a zero byte behind a byte order mark',
    () => Buffer.from(`\uFEFF${TEXT}bob@acme.example,st\0aff\n`),
    report(2, { invalid: 1 }),
  ),
  bytes(
    'a zero byte after the part that is looked at',
    () => Buffer.from(`${LATE_ZERO}z@acme.example,st\0aff\n`),
    report(5_002, { invalid: 1 }),
  ),
  bytes('a second byte order mark', () => Buffer.from(`\uFEFF\uFEFF${TEXT}`), report(1)),
  bytes('two files one after the other', () => Buffer.from(`\uFEFF${TEXT}\uFEFF${TEXT}`), report(3, { invalid: 1 })),
  bytes('the end-of-file character of DOS', () => Buffer.from(`${TEXT}\u001A`), report(1)),
  bytes(
    'UTF-7',
    () => Buffer.from('email,group\nann@acme.example,+AD0-1\n'),
    report(1, { cells: [{ email: 'ann@acme.example', groupName: '+AD0-1' }] }),
  ),
  bytes(
    'Shift-JIS',
    () => Buffer.concat([Buffer.from('email,group\nann@acme.example,'), of(0x93, 0xfa, 0x96, 0x7b)]),
    report(1, { encoding: 'windows-1252', invalid: 1 }),
  ),
  bytes(
    'EBCDIC',
    () => of(0x85, 0x94, 0x81, 0x89, 0x93, 0x6b, 0x87, 0x99, 0x96, 0xa4, 0x97, 0x25),
    refusal(1, /a column is missing/),
  ),
  bytes(
    'every byte there is but zero',
    () => Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)),
    refusal(1, /a column is missing/),
  ),
];
