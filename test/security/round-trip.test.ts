import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isBlank, trimIdentifier } from '../../shared/manifest/cells.ts';
import { escapeCell, unescapeCell } from '../../shared/manifest/write-csv.ts';
import { readReport, startLine } from '../corpus/carry.ts';

/** What begins a formula, what escapes one, and what a CSV is made of, met far more often than chance would have it. */
const meaning = fc.constantFrom(
  "'",
  '=',
  '+',
  '-',
  '@',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '"',
  ',',
  ';',
  '|',
  ' ',
  '\u00A0',
  '\uFEFF',
  'a',
  'é',
);
const anything = fc.oneof(
  fc.string({ unit: meaning, maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc
    .tuple(fc.string({ unit: meaning, maxLength: 4 }), fc.string({ unit: 'grapheme', maxLength: 6 }))
    .map((parts) => parts.join('')),
);
/** UTF-8 cannot hold half a surrogate pair, and a zero in a file without a byte order mark makes it binary. */
const text = anything.map((cell) => cell.toWellFormed().replaceAll('\0', '0'));

const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const RUNS_A_FORMULA = /^[=+\-@\t\r]/;

describe('promise 11, injection-safe both ways', () => {
  it('gives back every string that was escaped, exactly', () => {
    const lone = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
    fc.assert(
      fc.property(fc.oneof(anything, lone), (cell) => {
        expect(unescapeCell(escapeCell(cell))).toBe(cell);
        expect(escapeCell(cell)).not.toMatch(RUNS_A_FORMULA);
      }),
      { numRuns: 20_000 },
    );
  });

  it('carries every cell from manifest to report and back in, and no file of ours runs it', async () => {
    const rows = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 5 });
    const columnName = text.filter(
      (name) => !/^rollcall|mail|group|id|user|action|product|org/i.test(trimIdentifier(name)),
    );

    await fc.assert(
      fc.asyncProperty(columnName, rows, fc.constantFrom(',', ';', '|', '\t'), async (name, given, delimiter) => {
        const line = startLine();
        const table = given.map(([group, note], index) => [`u${index}@acme.example`, group, note]);
        const written = [['email', 'group', name], ...table].map((cells) => cells.map(quote).join(delimiter));

        const first = await line.carry(Buffer.from(`\uFEFF${written.join('\r\n')}\r\n`));
        const [results, unprocessed] = ['results.csv', 'unprocessed.csv'].map((file) => first.file(file)) as [
          Buffer,
          Buffer,
        ]; // map keeps the length
        const again = await line.carry(unprocessed);

        const [header = [], ...lines] = readReport(results, delimiter);
        expect(header[2]).toBe(escapeCell(name));
        expect(lines.map((cells) => cells.slice(0, 3).map(unescapeCell))).toEqual(table);
        expect([header, ...lines].flat().filter((cell) => RUNS_A_FORMULA.test(cell))).toEqual([]);
        expect(again.cells).toEqual(first.cells);
        expect(again.summary.manifest.carriedColumns).toEqual(first.summary.manifest.carriedColumns);
        const sent = table.filter(([, group = '']) => !isBlank(group) && !UNREADABLE.test(trimIdentifier(group)));
        expect(first.cells.map(({ groupName }) => groupName)).toEqual(
          sent.map(([, group = '']) => trimIdentifier(group)),
        );
      }),
      { numRuns: 300 },
    );
  });
});

/** Such cells make their row invalid where they are ours. */
// oxlint-disable-next-line no-control-regex
const UNREADABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFD]|^'+[=+\-@\t\r\n＝＋－＠]/;
