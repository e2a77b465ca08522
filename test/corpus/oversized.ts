import { completeSettings } from '../../shared/settings.ts';
import { refusal, report, type Entry } from './entry.ts';

/** The limits of a stage that says nothing about them. */
export const LIMITS = completeSettings().limits;

const HEAD = 'email,group,Note\n';
const ANN = 'ann@acme.example,staff,x\n';
const entry = (name: string, text: () => string, ending: Entry['ending']): Entry => ({
  name,
  bytes: () => Buffer.from(text()),
  ending,
});
const { rowBytes, cellCharacters, columns } = LIMITS;
const LONG_ROW = new RegExp(`more than the ${rowBytes} bytes that are allowed; shorten its cells`);

/** Manifests that are too large in one way or another, and those that are just small enough. */
export const OVERSIZED: readonly Entry[] = [
  entry(
    'a cell of the most characters',
    () => `${HEAD}ann@acme.example,staff,${'x'.repeat(cellCharacters)}\n`,
    report(1),
  ),
  entry(
    'a formula of the most characters',
    () => `${HEAD}ann@acme.example,staff,${'='.repeat(cellCharacters)}\n`,
    report(1),
  ),
  entry(
    'a cell of one character more',
    () => `${HEAD}ann@acme.example,staff,${'x'.repeat(cellCharacters + 1)}\n${ANN}`,
    report(2, { invalid: 1 }),
  ),
  entry('a name of the most characters', () => `${HEAD}ann@acme.example,${'x'.repeat(cellCharacters)},\n`, report(1)),
  entry(
    'an address that is too long',
    () => `${HEAD}${'a'.repeat(300)}@acme.example,staff,\n`,
    report(1, { invalid: 1 }),
  ),
  entry(
    'a cell of a megabyte',
    () => `${HEAD}${ANN}ann@acme.example,staff,${'x'.repeat(2 ** 20)}\n`,
    refusal(3, LONG_ROW),
  ),
  entry(
    'a quoted cell of a megabyte',
    () => `${HEAD}${ANN}ann@acme.example,staff,"${'x\n'.repeat(2 ** 19)}"\n`,
    refusal(3, LONG_ROW),
  ),
  entry('a row of the most bytes', () => `${HEAD}${rowOf(rowBytes)}${ANN}`, report(2, { invalid: 1 })),
  entry('a row of one byte more', () => `${HEAD}${rowOf(rowBytes + 1)}${ANN}`, refusal(2, LONG_ROW)),
  entry('a row of many megabytes that never ends', () => `${HEAD}${ANN}${'x'.repeat(2 ** 24)}`, refusal(3, LONG_ROW)),
  entry('a file of one line', () => 'x'.repeat(2 ** 24), refusal(1, LONG_ROW)),
  entry('a million columns', () => `email,group${',x'.repeat(1_000_000)}\n${ANN}`, refusal(1, LONG_ROW)),
  entry('a million nameless columns', () => `${','.repeat(1_000_000)}\n${HEAD}${ANN}`, refusal(1, LONG_ROW)),
  entry(
    'as many columns as a row can hold',
    () => `email,group${',x'.repeat(100_000)}\n${ANN}`,
    refusal(1, new RegExp(`100002 columns, more than the ${columns} that are allowed; take out`)),
  ),
  entry(
    'one column more than is allowed',
    () => `email,group${',x'.repeat(columns - 1)}\n`,
    refusal(1, new RegExp(`${columns + 1} columns, more than the ${columns}`)),
  ),
  entry(
    'a row of as many cells as a row can hold',
    () => `${HEAD}${ANN}bob@acme.example,staff${',x'.repeat(100_000)}\n`,
    report(2, { invalid: 1 }),
  ),
  entry('spaces without end inside a cell', () => `${HEAD}${spaces(60)}`, report(60)),
  entry(
    'zero-width spaces without end',
    () => `${HEAD}ann@acme.example,é${'\u200B'.repeat(30_000)}é,é${'\u200B'.repeat(30_000)}é\n`,
    report(1),
  ),
  entry(
    'quotes without end',
    () => `${HEAD}${`ann@acme.example,staff,"${'""'.repeat(16_000)}"\n`.repeat(5)}`,
    report(5),
  ),
  entry(
    'apostrophes without end',
    () => `${HEAD}${`ann@acme.example,staff,${"'".repeat(32_000)}x\n`.repeat(5)}`,
    report(5),
  ),
  entry('delimiters without end', () => `${HEAD}${`${','.repeat(200_000)}\n`.repeat(10)}${ANN}`, report(1)),
  entry('blank lines without end', () => `${HEAD}${'\n'.repeat(2 ** 22)}${ANN}`, report(1)),
  entry(
    'a cell of quotes and line ends without end',
    () => `${HEAD}${ANN}ann@acme.example,staff,"${'"",\n'.repeat(50_000)}"\n`,
    report(2, { invalid: 1 }),
  ),
  entry(
    'ten thousand rows of one quoted letter',
    () => `${HEAD}${'"a"\n'.repeat(10_000)}`,
    report(10_000, { invalid: 10_000 }),
  ),
  entry('ten thousand rows', () => `${HEAD}${rows(10_000)}`, report(10_000)),
];

/** A row of exactly so many bytes, its cells too long but for the limit of a row. */
function rowOf(bytes: number): string {
  const start = 'ann@acme.example,staff,';
  return `${start}${'x'.repeat(bytes - start.length - 1)}\n`;
}

const spaces = (count: number): string =>
  Array.from(
    { length: count },
    (_, index) => `u${index}@acme.example,é${' '.repeat(30_000)}é,é${'\u00A0'.repeat(30_000)}é\n`,
  ).join('');

const rows = (count: number): string =>
  Array.from({ length: count }, (_, index) => `u${index}@acme.example,staff,x\n`).join('');
