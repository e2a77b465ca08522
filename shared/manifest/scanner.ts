/** A quote was opened at this place of the text and never closed. */
export class QuoteNotClosed extends Error {
  readonly at: number;

  constructor(at: number) {
    super('a quote was opened and never closed');
    this.at = at;
  }
}

/** Cuts text into rows and cells as spreadsheets write them: RFC 4180, with any line end, and a quote inside an unquoted cell as it is. */
export interface Scanner {
  /** Takes the text that `next` reads from then on. */
  readonly load: (text: string) => void;
  /**
   * The cells of the row at `from`; `undefined` when the text ends before the row does, or, when this text is
   * the `final` one, when there is no further row. Throws QuoteNotClosed.
   */
  readonly next: (from: number, final: boolean) => string[] | undefined;
  /** Of the row just read: where the next begins, how many lines it took, and what is wrong with it. */
  readonly end: number;
  readonly lineBreaks: number;
  readonly flaw: string | undefined;
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** A scanner for one delimiter. It keeps its last row's measures in fields, since this is the innermost loop of every reading. */
export function createScanner(delimiter: string): Scanner {
  let text = '';
  // Where the next of each stands, so that a line without quotes can be cut by the engine's own split.
  let lineFeed = 0;
  let carriageReturn = 0;
  let quote = 0;
  let quoted = '';
  const scanner = { end: 0, lineBreaks: 0, flaw: undefined as string | undefined, load, next };
  return scanner;

  function load(loaded: string): void {
    text = loaded;
    lineFeed = find('\n', 0);
    carriageReturn = find('\r', 0);
    quote = find('"', 0);
  }

  function next(from: number, final: boolean): string[] | undefined {
    scanner.flaw = undefined;
    if (from >= text.length) return undefined;
    if (quote < from) quote = find('"', from);
    const lineEnd = lineEndFrom(from);
    if (quote < lineEnd) return rowWithQuotes(from, final);
    return endsAt(lineEnd, final) ? text.slice(from, lineEnd).split(delimiter) : undefined;
  }

  function rowWithQuotes(from: number, final: boolean): string[] | undefined {
    const firstLineEnd = lineEndFrom(from);
    const cells: string[] = [];
    for (let at = from; ; at += 1) {
      const cellStart = at;
      const isQuoted = text.charCodeAt(at) === QUOTE;
      if (isQuoted) {
        at = readQuoted(at, final);
        if (at < 0) return undefined;
      }
      const lineEnd = lineEndFrom(at);
      const cellEnd = Math.min(find(delimiter, at), lineEnd);
      const isPast = isQuoted && text.slice(at, cellEnd).trim() !== '';
      if (isPast)
        scanner.flaw = `Cell ${cells.length + 1} goes on after its closing quote; double the quotes inside it.`;
      // As it is written: without what follows the quote, a row that is invalid might look like another, valid one.
      cells.push(isQuoted && !isPast ? quoted : text.slice(cellStart, cellEnd));
      at = cellEnd;
      if (cellEnd < lineEnd) continue;
      if (!endsAt(cellEnd, final)) return undefined;
      if (cellEnd !== firstLineEnd) scanner.lineBreaks = countLineBreaks(text.slice(from, scanner.end));
      return cells;
    }
  }

  /** Reads the quoted cell that opens at `at` into `quoted`; the place after its closing quote, or -1 when more text is needed. */
  function readQuoted(at: number, final: boolean): number {
    let closing = text.indexOf('"', at + 1);
    let doubled = false;
    while (closing >= 0 && text.charCodeAt(closing + 1) === QUOTE) {
      doubled = true;
      closing = text.indexOf('"', closing + 2);
    }
    if (closing < 0 && final) throw new QuoteNotClosed(at);
    if (closing < 0 || (closing + 1 === text.length && !final)) return -1;
    const inside = text.slice(at + 1, closing);
    quoted = doubled ? inside.replaceAll('""', '"') : inside;
    // The quote that seems to close this cell opens a later line's cell: closing was forgotten in between.
    if (/[\r\n]/.test(inside) && !endsCell(closing + 1)) throw new QuoteNotClosed(at);
    return closing + 1;
  }

  function endsCell(at: number): boolean {
    const end = Math.min(find(delimiter, at), find('\n', at), find('\r', at));
    return text.slice(at, end).trim() === '';
  }

  /** Notes that the row ends at this line end, or with the text; false when the text may go on. */
  function endsAt(at: number, final: boolean): boolean {
    const isReturn = at === carriageReturn;
    // A carriage return that is the last character may have its line@@enqueue in the text to come.
    if (!final && (at >= text.length || (isReturn && at + 1 === text.length))) return false;
    scanner.end = Math.min(text.length, at + (isReturn && text.charCodeAt(at + 1) === LINE_FEED ? 2 : 1));
    scanner.lineBreaks = 1;
    return true;
  }

  function lineEndFrom(from: number): number {
    if (lineFeed < from) lineFeed = find('\n', from);
    if (carriageReturn < from) carriageReturn = find('\r', from);
    return Math.min(lineFeed, carriageReturn);
  }

  function find(what: string, from: number): number {
    const found = text.indexOf(what, from);
    return found < 0 ? text.length : found;
  }
}

/** How many lines a text ends: CRLF, LF and CR each count once. */
export function countLineBreaks(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}
