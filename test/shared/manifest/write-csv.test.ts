import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { csvLineWriter, escapeCell, unescapeCell } from '../../../shared/manifest/write-csv.ts';

// Characters that mean something to a spreadsheet or a CSV reader, met far more often than chance would have it.
const cells = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '＝', '＠', '\r', '\n', '"', ',', ';', 'a', ' ', 'é'),
  }),
);

describe('promise 11, injection-safe both ways: the escaping of a cell', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+49', "'+49"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', "'\r=1"],
    ['\n=1', "'\n=1"],
    ['＝1+1', "'＝1+1"],
    ["'＋1", "''＋1"],
    ['－1', "'－1"],
    ['＠SUM(A1)', "'＠SUM(A1)"],
    ["'=1", "''=1"],
    ["''@", "'''@"],
    ["'tis", "'tis"],
    ['a=1', 'a=1'],
    ['', ''],
    ["'", "'"],
  ])('writes %j as %j', (cell, escaped) => {
    expect(escapeCell(cell)).toBe(escaped);
  });

  it('is undone exactly, for every string', () => {
    fc.assert(
      fc.property(cells, (cell) => {
        expect(unescapeCell(escapeCell(cell))).toBe(cell);
      }),
    );
  });

  it('never leaves a cell that begins a formula', () => {
    fc.assert(
      fc.property(cells, (cell) => {
        expect(escapeCell(cell)).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
      }),
    );
  });
});

describe('a line of a file that we write', () => {
  it.each([
    [['a', 'b'], ',', 'a,b\r\n'],
    [['a,b', 'c'], ',', '"a,b",c\r\n'],
    [['a,b', 'c'], ';', 'a,b;c\r\n'],
    [['say "hi"', ''], ',', '"say ""hi""",\r\n'],
    [['two\nlines', 'two\r\nlines'], '|', '"two\nlines"|"two\r\nlines"\r\n'],
    [['tab\there', 'x'], '\t', '"tab\there"\tx\r\n'],
    [['=cmd', ' padded '], ',', "'=cmd, padded \r\n"],
  ])('holds %j, delimited by %j, as %j', (row, delimiter, line) => {
    expect(csvLineWriter(delimiter)(row)).toBe(line);
  });

  it('reads back as the cells that went in, whatever they hold', () => {
    const rows = fc.array(fc.array(cells, { minLength: 2, maxLength: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(rows, fc.constantFrom(',', ';', '\t', '|'), (written, delimiter) => {
        const text = written.map(csvLineWriter(delimiter)).join('');

        const read = parse(text, { delimiter, record_delimiter: '\r\n', relax_column_count: true });
        expect(read.map((row) => row.map(unescapeCell))).toEqual(written);
      }),
    );
  });
});
