import { FILE_ENCODINGS } from '../shared/manifest/encodings.ts';
import { report, type Entry } from './entry.ts';

// Only characters that Windows-1252 has, so that one table can be written in every encoding.
const HEADER = ['email', 'Group name', 'Büro'];
const ROWS = [
  ['zoë+1@acme.example', 'staff & Söhne', 'Bern – 5 €'],
  ['bob@acme.example', 'a,b;c|d\te~f', 'he said "no", twice'],
  ["o'neil@acme.example", '=staff', 'two\nlines'],
] as const;

const DELIMITERS = [
  { delimiter: ',', start: '' },
  { delimiter: ';', start: '' },
  { delimiter: '\t', start: '' },
  { delimiter: '|', start: '' },
  { delimiter: ';', start: 'sep=;' },
  { delimiter: '~', start: 'sep=~' },
] as const;

const LINE_ENDS = [
  { name: 'CRLF', end: '\r\n' },
  { name: 'LF', end: '\n' },
  { name: 'CR', end: '\r' },
] as const;

const QUOTINGS = [
  { name: 'quoted where it must be', must: (cell: string) => /[",;|~\t\r\n]/.test(cell) },
  { name: 'quoted throughout', must: () => true },
] as const;

/** The same table in every encoding, delimiter, line end and quoting; every second one without an end to its last line. */
export const SPELLINGS: readonly Entry[] = FILE_ENCODINGS.flatMap((file) =>
  DELIMITERS.flatMap(({ delimiter, start }) =>
    LINE_ENDS.flatMap(({ name: lineEnd, end }) =>
      QUOTINGS.map(({ name: quoting, must }, index) => ({
        name: `${file.name}, ${start === '' ? JSON.stringify(delimiter) : start}, ${lineEnd}, ${quoting}`,
        bytes: () => {
          const line = (cells: readonly string[]): string =>
            cells.map((cell) => (must(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter);
          const lines = [...(start === '' ? [] : [start]), line(HEADER), ...ROWS.map(line)];
          return file.encode(lines.join(end) + (index === 0 ? end : ''));
        },
        ending: report(3, {
          encoding: file.encoding,
          delimiter,
          carried: ['Büro'],
          ...(file.encoding === 'windows-1252' && { invalid: 1 }), // nobody said how its letters are written
          cells: ROWS.filter(([email]) => file.encoding !== 'windows-1252' || /^[ -~]+$/.test(email)).map(
            ([email, groupName]) => ({ email, groupName }),
          ),
        }),
      })),
    ),
  ),
);
