import { byteOrderMark, decode, decodeLegacy, type Encoding, NotUtf8, refuseBinary, refuseMixed } from './encoding.ts';
import { findHeader } from './find-header.ts';
import type { Wanted } from './header.ts';
import { type ManifestLimits, ownFileLimits, refuse } from './refusal.ts';
import { readRows, type Row } from './rows.ts';

/** How a manifest is to be read: its limits, what is known of its format, and the columns by which its delimiter is found. */
export interface OpenOptions {
  readonly limits: ManifestLimits;
  /**
   * What a first reading met, which a byte order mark or else UTF-8 decides: it throws NotUtf8 where the bytes are neither, and a
   * second one takes them for Windows-1252.
   */
  readonly notUtf8?: NotUtf8 | undefined;
  /** The columns that are wanted decide about the delimiter, unless a `sep=` line does, and about where the header is. */
  readonly wanted: Wanted;
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
  const bytes = startingWith(head.subarray(mark?.bytes ?? 0), chunks);
  const encoding = mark?.encoding ?? 'utf-8';
  const { notUtf8 } = options;
  const pieces = notUtf8 ? decodeLegacy(bytes, notUtf8) : decode(bytes, encoding);
  const first = (await pieces.next()).value ?? Buffer.alloc(0);

  const start = first.toString('utf8', 0, CHUNK_BYTES);
  const limits = OWN_FILE.test(start) ? ownFileLimits(options.limits) : options.limits;
  const { delimiter, skipped, rowsAbove } = findHeader(start, options.wanted);
  const text = startingWith(first.subarray(Buffer.byteLength(skipped)), pieces);
  const line = 1 + (skipped.match(/\r\n|\n|\r/g)?.length ?? 0);
  // The header has no number, so that the row under it is 0.
  const rows = readRows(text, { row: -1 - rowsAbove, line, delimiter }, limits);
  const { header, batches } = await underHeader(insistingOnUtf8(rows, mark !== undefined));
  return { encoding: notUtf8 ? 'windows-1252' : encoding, delimiter, header, limits, batches };
}

/** Said of the text rather than of the header, which may itself be longer than a manifest's row may be. */
const OWN_FILE = /\brollcall_line\b/i;

async function underHeader(
  batches: AsyncGenerator<readonly Row[], undefined>,
): Promise<Pick<Manifest, 'header' | 'batches'>> {
  for (;;) {
    const { value: rows, done } = await batches.next();
    if (done) return refuse('the file is empty; put a header into its first line and a row a person under it');
    const at = rows.findIndex(({ row }) => row === -1);
    const header = rows[at];
    if (!header) continue;
    if (header.flaw !== undefined) return refuse(header.flaw, header.line);
    return { header, batches: startingWith(rows.slice(at + 1), batches) };
  }
}

/** A file that says by its byte order mark, or by other letters, that it is UTF-8 is not read as anything else. */
async function* insistingOnUtf8(
  batches: AsyncIterable<readonly Row[]>,
  hasMark: boolean,
): AsyncGenerator<readonly Row[], undefined> {
  try {
    yield* batches;
  } catch (error) {
    if (error instanceof NotUtf8 && (hasMark || error.details.hasLetters)) refuseMixed(error.details);
    throw error;
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
