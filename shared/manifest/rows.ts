import { Parser } from 'csv-parse';

import { NotUtf8 } from './encoding.ts';
import { isBlank } from './cells.ts';
import { type ManifestLimits, refuse } from './refusal.ts';

/** A row as it stands in the manifest, its cells untouched. Blank lines, also those of delimiters alone, are no rows. */
export interface Row {
  /** Counted from 0 without header and blank lines. */
  readonly row: number;
  /** The line on which the row begins, counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** What is wrong with the way it is written, when something is. */
  readonly flaw?: string | undefined;
}

/** Where rows begin to be read: the number and the line of the first, and what is between two cells. */
export interface RowStart {
  readonly row: number;
  readonly line: number;
  readonly delimiter: string;
}

/**
 * The rows of a text in UTF-8, in batches, with memory that does not depend on how many there are. Throws ManifestRefused
 * when a quote is never closed or a row is longer than the limits allow.
 */
export async function* readRows(
  pieces: AsyncIterable<Buffer>,
  start: RowStart,
  limits: ManifestLimits,
): AsyncGenerator<readonly Row[], undefined> {
  const cutter = createCutter(start, limits);
  try {
    for await (const piece of pieces) {
      const rows = cutter.cut(piece);
      if (rows.length > 0) yield rows;
    }
  } catch (error) {
    throw error instanceof NotUtf8 ? new NotUtf8({ ...error.details, line: cutter.line() }) : error;
  }
  yield cutter.finish();
}

/** Cuts text that comes in pieces into rows. */
export interface Cutter {
  /** The rows that end in this piece. */
  readonly cut: (piece: Buffer) => readonly Row[];
  readonly finish: () => readonly Row[];
  /** On which the row begins that has not ended. */
  readonly line: () => number;
}

export function createCutter(start: RowStart, { rowBytes }: Pick<ManifestLimits, 'rowBytes'>): Cutter {
  const { delimiter } = start;
  let { row, line } = start;
  const parser = new RecordParser(delimiter);
  // The text of the row that has not ended, and how many bytes are before it.
  let rest: Buffer = Buffer.alloc(0);
  let passed = 0;

  const cut = (piece: Buffer): readonly Row[] => {
    const text = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const rows: Row[] = [];
    let from = passBlankLines(text, 0);
    let quote = text.indexOf(QUOTE);
    for (const { cells, end } of parser.parse(piece)) {
      const to = end - passed;
      if (to - from > rowBytes) refuseLongRow(rowBytes, line);
      const hasQuotes = quote >= 0 && quote < to;
      const read = hasQuotes
        ? readWithQuotes({ cells, written: text.toString('utf8', from, to) }, { delimiter, line })
        : { cells, lines: 1 };
      if (!isBlankRow(read.cells)) {
        rows.push({ row, line, cells: read.cells, flaw: read.flaw });
        row += 1;
      }
      line += read.lines;
      if (hasQuotes) quote = text.indexOf(QUOTE, to);
      from = passBlankLines(text, to);
    }
    rest = text.subarray(from);
    passed += from;
    if (rest.length > rowBytes + LOOKED_AHEAD_BYTES) refuseRest();
    return rows;
  };

  const passBlankLines = (text: Buffer, from: number): number => {
    let at = from;
    for (let bytes = lineEndBytes(text, at); bytes > 0; bytes = lineEndBytes(text, at)) {
      at += bytes;
      line += 1;
    }
    return at;
  };

  const refuseRest = (): never => {
    const written = rest.toString();
    const read = readQuoted(written, delimiter);
    return 'openAt' in read ? refuseOpenQuote(line, written.slice(0, read.openAt)) : refuseLongRow(rowBytes, line);
  };

  return {
    cut,
    finish: () => {
      const rows = cut(Buffer.alloc(LOOKED_AHEAD_BYTES, LINE_FEED));
      if (rest.length > 0) refuseRest(); // only an open quote goes on behind an end of the line
      return rows;
    },
    line: () => line,
  };
}

interface ReadRecord {
  readonly cells: readonly string[];
  readonly lines: number;
  readonly flaw?: string | undefined;
}

/** Reads a row anew that has quotes; csv-parse's cells stand unless it may have misread one. */
function readWithQuotes(
  { cells, written }: { readonly cells: readonly string[]; readonly written: string },
  { delimiter, line }: Pick<RowStart, 'delimiter' | 'line'>,
): ReadRecord {
  const lines = countLineBreaks(written);
  // csv-parse leaves a quote in front of a cell that goes on after its closing quote, unless it goes on with a zero;
  // a quote may be meant there, too.
  if (!cells.some((cell) => cell.startsWith('"') || cell.includes('\0') || SPACE_BEFORE_QUOTE.test(cell)))
    return { cells, lines };
  const read = readQuoted(written.replace(LINE_END, ''), delimiter);
  return 'openAt' in read ? refuseOpenQuote(line, written.slice(0, read.openAt)) : { ...read, lines };
}

/** Such a quote belongs to the text as CSV is read; whoever typed it meant it to hold the cell together. */
const SPACE_BEFORE_QUOTE = /^[^\S\r\n]+"/;

const refuseLongRow = (rowBytes: number, line: number): never =>
  refuse(`the row has more than the ${rowBytes} bytes that are allowed; shorten its cells`, line);

const refuseOpenQuote = (line: number, before: string): never =>
  refuse(
    'a quote opens here and is never closed; close it, or double each quote that belongs to the text',
    line + countLineBreaks(before),
  );

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const LINE_END = /(?:\r\n|\n|\r)$/;

/** CRLF, LF and CR each end one line. */
const countLineBreaks = (text: string): number => text.match(/\r\n|\n|\r/g)?.length ?? 0;

/** How long the line end at a place is, 0 where there is none. A carriage return that ends the text may be the first half of one. */
function lineEndBytes(text: Buffer, at: number): number {
  if (text[at] === LINE_FEED) return 1;
  if (text[at] !== RETURN || at + 1 === text.length) return 0;
  return text[at + 1] === LINE_FEED ? 2 : 1;
}

const isBlankRow = (cells: readonly string[]): boolean =>
  isBlank(cells[0] ?? '') ? cells.every(isBlank) : cells.length === 1 && cells[0] === END_OF_FILE;

/** Ctrl-Z, with which DOS ended files, and `copy` still does. */
const END_OF_FILE = '\u001A';

interface Parsed {
  readonly cells: string[];
  /** The byte after its line end, counted from the start of the text. */
  readonly end: number;
}

/** How many bytes csv-parse wants to see behind the one that it takes, and some more. */
const LOOKED_AHEAD_BYTES = 8;

/** csv-parse whose records are taken when it finds them: a stream of them, or a call with all that it knows of each, costs as much again. */
class RecordParser extends Parser {
  #found: Parsed[] = [];

  constructor(delimiter: string) {
    super({
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
    });
  }

  /** The records that end in the next piece of the text, but for blank lines. */
  parse(piece: Buffer): readonly Parsed[] {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0; // an error is made of each record of another length than the first, and dropped
    try {
      this.write(piece);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    const found = this.#found;
    this.#found = [];
    return found;
  }

  override push(cells: string[]): boolean {
    this.#found.push({ cells, end: this.info.bytes });
    return true;
  }
}

type ReadQuoted =
  { readonly cells: readonly string[]; readonly flaw: string | undefined } | { readonly openAt: number };

/**
 * The cells of one record by its text, which alone tells what follows a closing quote; or where a quote opens that is never
 * closed. One that seems to be closed in a later line, by the quote of another cell, is not.
 */
function readQuoted(text: string, delimiter: string): ReadQuoted {
  const cells: string[] = [];
  let flaw: string | undefined;
  for (let start = 0; start <= text.length;) {
    const closed = quotedEnd(text, start);
    if (closed === undefined) return { openAt: start };
    const end = indexOrEnd(text, delimiter, closed);
    const goesOn = closed > start && text.slice(closed, end).trim() !== '';
    if (goesOn && /[\r\n]/.test(text.slice(start, closed))) return { openAt: start };
    const place = `Cell ${cells.length + 1}`;
    if (goesOn) flaw ??= `${place} goes on after its closing quote; double the quotes inside it.`;
    if (closed === start && SPACE_BEFORE_QUOTE.test(text.slice(start, end)))
      flaw ??= `${place} has a space before its quote; take the space out, since a quote must follow the delimiter at once.`;
    // As it is written: without what follows the quote, a row that is invalid might look like another, valid one.
    const isWhole = closed > start && !goesOn;
    cells.push(isWhole ? text.slice(start + 1, closed - 1).replaceAll('""', '"') : text.slice(start, end));
    start = end + delimiter.length;
  }
  return { cells, flaw };
}

/** Behind the closing quote of a quoted cell; where it starts when it is not quoted, `undefined` when nothing closes it. */
function quotedEnd(text: string, start: number): number | undefined {
  if (!text.startsWith('"', start)) return start;
  let closing = text.indexOf('"', start + 1);
  while (closing >= 0 && text.startsWith('"', closing + 1)) closing = text.indexOf('"', closing + 2);
  return closing < 0 ? undefined : closing + 1;
}

function indexOrEnd(text: string, what: string, from: number): number {
  const found = text.indexOf(what, from);
  return found < 0 ? text.length : found;
}
