import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { ManifestRefused } from '../../../shared/manifest/refusal.ts';
import { readRows } from '../../../shared/manifest/rows.ts';
import { FILE_ENCODINGS } from './encodings.ts';
import { inPieces, LIMITS, read, rowsOf } from './read.ts';
import { readSimply, type SimpleReading } from './simple-reader.fuzz.ts';

const tried = { rows: 0, refusals: 0 };
afterAll(() =>
  console.log(`Fuzz: ${tried.rows + tried.refusals} files tried, ${tried.rows} read and ${tried.refusals} refused.`),
);

/** Ours, in the simple reader's terms. */
async function readOurs(bytes: Buffer, delimiter: string, size: number): Promise<SimpleReading> {
  try {
    const rows = await rowsOf(readRows(inPieces(bytes, size), { row: 0, line: 1, delimiter }, LIMITS));
    tried.rows += 1;
    return { rows: rows.map(({ line, cells, flaw }) => ({ line, cells, flawed: flaw !== undefined })) };
  } catch (error) {
    if (!(error instanceof ManifestRefused)) throw error;
    tried.refusals += 1;
    return { openQuoteOnLine: error.problems[0]?.line ?? 0 };
  }
}

const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;

describe('any text that looks a little like CSV', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', ',', ',', '"', '"', '""', '\n', '\r', '\r\n', ' ', 'é', ';', '\0'),
    maxLength: 40,
  });

  it('is read as a simple reader reads it, however its bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.constantFrom(',', ';'),
        fc.integer({ min: 1, max: 12 }),
        async (csv, delimiter, size) => {
          expect(await readOurs(Buffer.from(csv), delimiter, size)).toEqual(readSimply(csv, delimiter));
        },
      ),
      { numRuns: 15_000 },
    );
  });
});

describe('any table, written in any dialect', () => {
  // Windows-1252 has all of these, so that each table can be written in each encoding.
  const cell = fc.string({
    unit: fc.constantFrom('a', 'Z', '0', 'é', '€', '–', ' ', ',', ';', '\t', '|', '"', '\n', '\r', "'", '=', '\\', '#'),
    maxLength: 8,
  });
  const row = fc
    .array(cell, { minLength: 1, maxLength: 4 })
    .filter((cells) => cells.some((text) => text.trim() !== ''));
  const table = fc.array(row, { maxLength: 6 });
  const dialect = fc.record({
    file: fc.constantFrom(...FILE_ENCODINGS),
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    sepLine: fc.boolean(),
    quoteAll: fc.boolean(),
    lastLineEnd: fc.boolean(),
    size: fc.integer({ min: 1, max: 50 }),
  });

  it('is read back equal', async () => {
    await fc.assert(
      fc.asyncProperty(table, dialect, async (rows, how) => {
        const { file, delimiter, lineEnd } = how;
        const must = (text: string): boolean => how.quoteAll || /[",;|\t\r\n]/.test(text);
        const line = (cells: readonly string[]): string =>
          cells.map((text) => (must(text) ? quote(text) : text)).join(delimiter);
        // Its euro sign keeps Windows-1252 from being UTF-8 by chance.
        const header = ['email', 'group', 'Büro in €'];
        const lines = [header, ...rows].map(line).join(lineEnd) + (how.lastLineEnd ? lineEnd : '');

        const bytes = file.encode((how.sepLine ? `sep=${delimiter}${lineEnd}` : '') + lines);
        // Some letters of Windows-1252 are UTF-8 by chance, side by side: such a file is refused.
        fc.pre(
          file.encoding !== 'windows-1252' ||
            !/[\u00C2-\u00DF][\u0080-\u00BF]|\u00E9[\u0080-\u00BF]{2}/.test(bytes.toString('latin1')),
        );
        const found = await read(bytes, how.size);
        tried.rows += 1;

        expect(found).toMatchObject({ encoding: file.encoding, delimiter, header: { cells: header } });
        expect(found.rows.map(({ cells }) => cells)).toEqual(rows);
      }),
      { numRuns: 4_000 },
    );
  });
});

describe('any bytes', () => {
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('email,group\n', 'ann@acme.example,staff\r\n', '\uFEFF', 'sep=;\n', '"', '\0', 'é')
      .map((text) => Buffer.from(text)),
    fc
      .constantFrom([0xff, 0xfe], [0xfe, 0xff], [0xc3], [0xed, 0xa0, 0x80], [0x00, 0xd8])
      .map((bytes) => Buffer.from(bytes)),
  );

  it('are read or refused with a remedy, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 8 }), fc.integer({ min: 1, max: 30 }), async (parts, size) => {
        const bytes = Buffer.concat(parts);
        try {
          const { rows } = await read(bytes, size);
          tried.rows += 1;
          expect(rows.map(({ row }) => row)).toEqual(rows.map((_, index) => index));
        } catch (error) {
          if (!(error instanceof ManifestRefused)) throw error;
          tried.refusals += 1;
          expect(error.message).toMatch(/; (?:put|open|close|save|shorten|double|split|upload|take)/);
        }
      }),
      { numRuns: 6_000 },
    );
  });
});
