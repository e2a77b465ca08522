import type { Position } from '../job/validation.ts';
import { byteLength, NotUtf8, type Encoding, type Piece } from './encoding.ts';
import { refuse } from './errors.ts';
import { isBlank } from './identifiers.ts';
import { checkRowCount, type ManifestLimits } from './limits.ts';
import { countLineBreaks, createScanner, QuoteNotClosed } from './scanner.ts';

/** A row as it stands in the manifest, its cells untouched. Blank lines, also those of delimiters alone, are no rows. */
export interface Row extends Position {
  readonly cells: readonly string[];
  /** What is wrong with the way it is written, when something is. */
  readonly flaw: string | undefined;
}

/** Consecutive rows, and the position at which the row after them begins. */
export interface RowBatch {
  readonly rows: readonly Row[];
  readonly next: Position;
}

export interface RowFormat {
  readonly encoding: Encoding;
  readonly delimiter: string;
}

/**
 * The rows of a text that begins at `start`, in batches, with memory that does not depend on how many there are.
 * Throws ManifestRefused when a quote is never closed, a row is longer or rows are more than the limits allow.
 */
export async function* readRows(
  pieces: AsyncIterable<Piece>,
  format: RowFormat,
  start: Position,
  limits: ManifestLimits,
): AsyncGenerator<RowBatch, undefined> {
  const cutter = createCutter(format, start, limits);
  try {
    for await (const piece of pieces) {
      const batch = cutter.cut(piece);
      if (batch.rows.length > 0) yield batch;
    }
  } catch (error) {
    if (error instanceof NotUtf8) error.line = cutter.line();
    throw error;
  }
  yield cutter.finish();
}

interface Cutter {
  readonly cut: (piece: Piece) => RowBatch;
  readonly finish: () => RowBatch;
  readonly line: () => number;
}

function createCutter({ encoding, delimiter }: RowFormat, start: Position, limits: ManifestLimits): Cutter {
  const scanner = createScanner(delimiter);
  let { row, line, offset } = start;
  let rest: Piece = { text: '', ascii: true };
  // A row that does not end is looked at again only when its text has doubled, so that a long one costs no square of its length.
  let worthScanning = 0;

  const cut = (piece: Piece, final = false): RowBatch => {
    const text = rest.text + piece.text;
    const ascii = rest.ascii && piece.ascii;
    const rows: Row[] = [];
    if (text.length < worthScanning && !final) {
      rest = { text, ascii };
      return { rows, next: { row, line, offset } };
    }
    scanner.load(text);
    let at = 0;
    for (;;) {
      const cells = nextCells(text, at, final);
      if (cells === undefined) break;
      const bytes = ascii ? scanner.end - at : byteLength(encoding, text.slice(at, scanner.end));
      if (bytes > limits.rowBytes) refuseLongRow();
      if (!isBlankRow(cells)) {
        rows.push({ row, line, offset, cells, flaw: scanner.flaw });
        row += 1;
        if (row > limits.rows) checkRowCount(row, line, limits);
      }
      line += scanner.lineBreaks;
      offset += bytes;
      at = scanner.end;
    }
    keep(text.slice(at), ascii);
    return { rows, next: { row, line, offset } };
  };

  const nextCells = (text: string, at: number, final: boolean): string[] | undefined => {
    try {
      return scanner.next(at, final);
    } catch (error) {
      if (!(error instanceof QuoteNotClosed)) throw error;
      return refuse(
        'a quote opens here and is never closed; close it, or double each quote that belongs to the text',
        line + countLineBreaks(text.slice(at, error.at)),
      );
    }
  };

  const keep = (text: string, ascii: boolean): void => {
    if (text.length > limits.rowBytes) {
      scanner.load(text);
      nextCells(text, 0, true);
      refuseLongRow();
    }
    rest = { text, ascii };
    worthScanning = text.length * 2;
  };

  const refuseLongRow = (): never =>
    refuse(`the row has more than the ${limits.rowBytes} bytes that are allowed; shorten its cells`, line);

  return { cut, finish: () => cut({ text: '', ascii: true }, true), line: () => line };
}

const isBlankRow = (cells: readonly string[]): boolean => isBlank(cells[0] ?? '') && cells.every(isBlank);
