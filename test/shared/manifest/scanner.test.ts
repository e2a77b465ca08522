import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { byteLength } from '../../../shared/manifest/encoding.ts';
import { readFrom } from '../../../shared/manifest/manifest.ts';
import { createScanner, QuoteNotClosed } from '../../../shared/manifest/scanner.ts';
import { FILE_ENCODINGS } from './encodings.ts';
import { inPieces, LIMITS, rowsOf } from './read.ts';

const cell = fc.string({
  unit: fc.constantFrom('a', 'é', '€', ' ', ',', ';', '"', '\n', '\r', '\r\n', "'"),
  maxLength: 6,
});
const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const written = fc
  .tuple(cell, fc.boolean())
  .map(([text, always]) => (always || /[",\r\n]/.test(text) ? quote(text) : text));
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const manifest = fc
  .array(fc.tuple(fc.array(written, { minLength: 1, maxLength: 4 }), lineEnd), { maxLength: 8 })
  .map((lines) => lines.map(([cells, end]) => cells.join(',') + end).join(''));

function scan(text: string): readonly (readonly string[])[] {
  const scanner = createScanner(',');
  scanner.load(text);
  const records: (readonly string[])[] = [];
  for (let cells = scanner.next(0, true); cells; cells = scanner.next(scanner.end, true)) records.push(cells);
  return records;
}

it('cuts well-formed text as csv-parse does', () => {
  fc.assert(
    fc.property(manifest, (text) => {
      const records: unknown = parse(text, { record_delimiter: ['\r\n', '\n', '\r'], relax_column_count: true });

      expect(scan(text)).toEqual(records);
    }),
    { numRuns: 500 },
  );
});

it('cuts any text, or says where a quote was left open', () => {
  const anything = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' '), maxLength: 30 });
  fc.assert(
    fc.property(anything, (text) => {
      try {
        expect(scan(text).every((cells) => cells.length > 0)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(QuoteNotClosed);
        expect(text[(error as QuoteNotClosed).at]).toBe('"'); // checked by the line before
      }
    }),
    { numRuns: 1_000 },
  );
});

it('gives the same rows however the bytes arrive, and the same rest from the position of any row, in every encoding', async () => {
  await fc.assert(
    fc.asyncProperty(
      manifest,
      fc.constantFrom(...FILE_ENCODINGS.filter(({ name }) => !name.includes('with'))),
      fc.integer({ min: 1, max: 9 }),
      async (text, { encode, encoding }, size) => {
        const mark = encoding.startsWith('utf-16') ? 2 : 0;
        const bytes = encode(text).subarray(mark);
        const format = { encoding, delimiter: ',' };
        const start = { row: 0, line: 1, offset: 0 };
        const rows = await rowsOf(readFrom(inPieces(bytes), format, start, LIMITS));

        expect(await rowsOf(readFrom(inPieces(bytes, size), format, start, LIMITS))).toEqual(rows);
        for (const row of rows) {
          const rest = await rowsOf(readFrom(inPieces(bytes.subarray(row.offset)), format, row, LIMITS));
          expect(rest).toEqual(rows.slice(row.row));
        }
        expect(byteLength(encoding, text)).toBe(bytes.length);
      },
    ),
    { numRuns: 150 },
  );
});
