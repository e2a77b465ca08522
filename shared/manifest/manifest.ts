import type { Column } from '../operations/operation.ts';
import { byteOrderMark, decode, type Encoding, NotUtf8, refuseBinary } from './encoding.ts';
import { countKnown } from './header.ts';
import { isBlank } from './cells.ts';
import { type ManifestLimits, ManifestRefused, ownFileLimits, refuse } from './refusal.ts';
import { createCutter, readRows, type Row } from './rows.ts';
import { DELIMITERS } from './write-csv.ts';

/** How a manifest is to be read: its limits, what is known of its format, and the columns by which its delimiter is found. */
export interface OpenOptions {
  readonly limits: ManifestLimits;
  /** Without it, a byte order mark decides, else UTF-8, and NotUtf8 is thrown where the bytes are not. */
  readonly encoding?: Encoding | undefined;
  /** They decide about the delimiter, unless a `sep=` line does. */
  readonly columns: readonly Column[];
}

/** A manifest that is being read: its header, and its rows after that. */
export interface Manifest {
  readonly encoding: Encoding;
  readonly delimiter: string;
  /** The header as it is written. */
  readonly header: Row;
  /** Those that hold for this file: wider where Rollcall wrote it. */
  readonly limits: ManifestLimits;
  /** How many bytes of the file have been read. */
  readonly bytesRead: () => number;
  /** To be iterated once. */
  readonly batches: AsyncIterable<readonly Row[]>;
}

/** Bytes that are parsed at a time, and looked at to tell encoding and delimiter. */
const CHUNK_BYTES = 64 * 1024;

/** Reads a manifest from its start. Throws ManifestRefused when there is nothing to read in it. */
export async function openManifest(body: AsyncIterable<Uint8Array>, options: OpenOptions): Promise<Manifest> {
  let bytesRead = 0;
  const chunks = inChunks(body, (bytes) => (bytesRead += bytes));
  try {
    return { ...(await open(chunks, options)), bytesRead: () => bytesRead };
  } catch (error) {
    await chunks.return(undefined); // destroys the body
    throw error;
  }
}

async function open(
  chunks: AsyncGenerator<Buffer, undefined>,
  options: OpenOptions,
): Promise<Omit<Manifest, 'bytesRead'>> {
  const head = (await chunks.next()).value ?? Buffer.alloc(0);
  refuseBinary(head);
  const mark = byteOrderMark(head);
  const encoding = options.encoding ?? mark?.encoding ?? 'utf-8';
  const pieces = decode(startingWith(head.subarray(mark?.bytes ?? 0), chunks), encoding);
  const first = (await pieces.next()).value ?? Buffer.alloc(0);

  const start = first.toString('utf8', 0, CHUNK_BYTES);
  const limits = OWN_FILE.test(start) ? ownFileLimits(options.limits) : options.limits;
  const { delimiter, skipped } = findDialect(start, options.columns);
  const text = startingWith(first.subarray(Buffer.byteLength(skipped)), pieces);
  // The header has no number, so that the row under it is 0.
  const rows = readRows(text, { row: -1, line: skipped === '' ? 1 : 2, delimiter }, limits);
  const { header, batches } = await underHeader(mark?.encoding === 'utf-8' ? insistingOnUtf8(rows) : rows);
  return { encoding, delimiter, header, limits, batches };
}

/** Said of the text rather than of the header, which may itself be longer than a manifest's row may be. */
const OWN_FILE = /\brollcall_line\b/i;

async function underHeader(
  batches: AsyncGenerator<readonly Row[], undefined>,
): Promise<Pick<Manifest, 'header' | 'batches'>> {
  const [header, ...rows] = (await batches.next()).value ?? [];
  if (!header) return refuse('the file is empty; put a header into its first line and a row a person under it');
  if (header.flaw !== undefined) return refuse(header.flaw, header.line);
  return { header, batches: startingWith(rows, batches) };
}

/** A file that says by its byte order mark that it is UTF-8 is not read as anything else. */
async function* insistingOnUtf8(batches: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Row[], undefined> {
  try {
    yield* batches;
  } catch (error) {
    if (!(error instanceof NotUtf8)) throw error;
    refuse(
      'there are bytes that are not UTF-8 although the file begins as UTF-8; save it anew as "CSV UTF-8"',
      error.line,
    );
  }
}

/** Chunks of a size that is worth parsing, however small those of the source are. */
async function* inChunks(
  body: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer, undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.length;
    count(part.length);
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(parts);
}

async function* startingWith<Item>(first: Item, rest: AsyncIterable<Item>): AsyncGenerator<Item, undefined> {
  yield first;
  yield* rest;
}

const SEPARATOR_LINE = /^"?sep=([^\r\n"])"?[ ,;\t|]*(?:\r\n|\n|\r|$)/i;

/** Finds the delimiter, and a `sep=` line, which is no row: it names one; else it is the one that makes most of the header known, else most of its cells. */
function findDialect(
  start: string,
  columns: readonly Column[],
): { readonly delimiter: string; readonly skipped: string } {
  const [skipped = '', named] = SEPARATOR_LINE.exec(start) ?? [];
  if (named !== undefined) return { delimiter: named, skipped };

  const headers = DELIMITERS.map((delimiter) => {
    const cells = firstRow(Buffer.from(start), delimiter);
    return { delimiter, known: countKnown(cells, columns), cells: cells.length };
  });
  const best = headers.reduce((left, right) =>
    right.known > left.known || (right.known === left.known && right.cells > left.cells) ? right : left,
  );
  return { delimiter: best.delimiter, skipped: '' };
}

function firstRow(start: Buffer, delimiter: string): readonly string[] {
  // What is flawed is cut by no delimiter of its own, and a line of delimiters alone is blank.
  const isHeader = ({ flaw, cells }: Row): boolean =>
    flaw === undefined && !isBlank(cells.join('').replace(/[,;\t|]/g, ''));
  try {
    const cutter = createCutter({ row: 0, line: 1, delimiter }, UNLIMITED);
    const found = cutter.cut(start).find(isHeader) ?? cutter.finish().find(isHeader);
    return found?.cells ?? [];
  } catch (error) {
    if (error instanceof ManifestRefused) return []; // reading the rows will say so, with the line
    throw error;
  }
}

const UNLIMITED: Pick<ManifestLimits, 'rowBytes'> = { rowBytes: Infinity };
