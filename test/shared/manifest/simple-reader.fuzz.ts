/** What a simple reader makes of a text: its rows, or the line on which a quote was left open. */
export type SimpleReading = { readonly rows: readonly SimpleRow[] } | { readonly openQuoteOnLine: number };

export interface SimpleRow {
  readonly line: number;
  readonly cells: readonly string[];
  /** Whether text followed a closing quote, or a space came before an opening one. */
  readonly flawed: boolean;
}

interface Place {
  readonly at: number;
  readonly line: number;
}

/** Reads CSV one character after the other, with nothing clever about it: what ours is measured by. */
export function readSimply(text: string, delimiter: string): SimpleReading {
  const rows: SimpleRow[] = [];
  let place: Place = { at: 0, line: 1 };
  while (place.at < text.length) {
    const { line } = place;
    const cells: string[] = [];
    let flawed = false;
    for (;;) {
      const read = text[place.at] === '"' ? readQuoted(text, place, delimiter) : readPlain(text, place, delimiter);
      if (read === 'open') return { openQuoteOnLine: place.line };
      cells.push(read.cell);
      flawed ||= read.flawed;
      place = read.next;
      if (text[place.at] !== delimiter) break;
      place = { ...place, at: place.at + 1 };
    }
    place = afterLineEnd(text, place);
    if (cells.some((cell) => cell.trim() !== '')) rows.push({ line, cells, flawed });
  }
  return { rows };
}

interface CellRead {
  readonly cell: string;
  readonly flawed: boolean;
  readonly next: Place;
}

function readPlain(text: string, { at, line }: Place, delimiter: string): CellRead {
  let end = at;
  while (end < text.length && text[end] !== delimiter && !isLineEnd(text[end])) end += 1;
  const cell = text.slice(at, end);
  return { cell, flawed: /^ +"/.test(cell), next: { at: end, line } };
}

function readQuoted(text: string, { at, line }: Place, delimiter: string): CellRead | 'open' {
  let cell = '';
  let index = at + 1;
  for (; text[index] !== '"' || text[index + 1] === '"'; index += 1) {
    if (index >= text.length) return 'open';
    cell += text[index];
    if (text[index] === '"') index += 1;
  }
  const lines = cell.split(/\r\n|\n|\r/).length - 1;
  const { cell: past, next } = readPlain(text, { at: index + 1, line: line + lines }, delimiter);
  const flawed = past.trim() !== '';
  // What closes a cell of several lines and is followed by text opened another cell.
  if (flawed && lines > 0) return 'open';
  return { cell: flawed ? text.slice(at, next.at) : cell, flawed, next };
}

function afterLineEnd(text: string, { at, line }: Place): Place {
  if (at >= text.length) return { at, line };
  return { at: at + (text.startsWith('\r\n', at) ? 2 : 1), line: line + 1 };
}

const isLineEnd = (character: string | undefined): boolean => character === '\r' || character === '\n';
