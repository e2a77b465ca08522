import type { Position } from '../job/validation.ts';
import type { Column } from '../operations/operation.ts';
import { findDialect } from './dialect.ts';
import { byteLength, byteOrderMark, decode, NotUtf8, type Encoding, type Piece } from './encoding.ts';
import { refuse } from './errors.ts';
import { ownFileLimits, type ManifestLimits } from './limits.ts';
import { readRows, type Row, type RowBatch, type RowFormat } from './rows.ts';
import { refuseBinary } from './binary.ts';

export interface OpenOptions {
  readonly limits: ManifestLimits;
  /** Known from a validation; without it, a byte order mark decides, else UTF-8, and NotUtf8 is thrown where the bytes are not. */
  readonly encoding?: Encoding | undefined;
  /** Known from a validation; without it, a `sep=` line and these columns decide. */
  readonly delimiter?: string | undefined;
  readonly columns?: readonly Column[] | undefined;
}

/** A manifest that is being read from its start: its header, and its rows after that. */
export interface Manifest extends RowFormat {
  /** The header as it is written. */
  readonly header: Row;
  /** Those that hold for this file: wider where Rollcall wrote it. */
  readonly limits: ManifestLimits;
  /** Where the first row begins, or would. */
  readonly first: Position;
  /** To be iterated once. */
  readonly batches: AsyncIterable<RowBatch>;
}

/** Bytes that are decoded at a time, and looked at to tell encoding and delimiter. */
const CHUNK_BYTES = 64 * 1024;

/** Reads a manifest from its start. Throws ManifestRefused when there is nothing to read in it. */
export async function openManifest(body: AsyncIterable<Uint8Array>, options: OpenOptions): Promise<Manifest> {
  const chunks = inChunks(body);
  try {
    return await open(chunks, options);
  } catch (error) {
    await chunks.return(undefined); // deletes the body
    throw error;
  }
}

/** Reads on from a row's position: the body begins there. */
export function readFrom(
  body: AsyncIterable<Uint8Array>,
  format: RowFormat,
  position: Position,
  limits: ManifestLimits,
): AsyncGenerator<RowBatch, undefined> {
  return readRows(decode(inChunks(body), format.encoding), format, position, limits);
}

async function open(chunks: AsyncGenerator<Buffer, undefined>, options: OpenOptions): Promise<Manifest> {
  const head = (await chunks.next()).value ?? Buffer.alloc(0);
  refuseBinary(head);
  const mark = byteOrderMark(head);
  const encoding = options.encoding ?? mark?.encoding ?? 'utf-8';
  const pieces = decode(startingWith(head.subarray(mark?.bytes ?? 0), chunks), encoding);
  const firstPiece: Piece = (await pieces.next()).value ?? { text: '', ascii: true };

  const dialect = findDialect(firstPiece.text, options.columns ?? []);
  const delimiter = options.delimiter ?? dialect.delimiter;
  const skipped = firstPiece.text.slice(0, dialect.skipped);
  const start = {
    row: -1, // the header's, so that the row under it is 0
    line: dialect.skipped === 0 ? 1 : 2,
    offset: (mark?.bytes ?? 0) + byteLength(encoding, skipped),
  };
  const text = startingWith({ ...firstPiece, text: firstPiece.text.slice(dialect.skipped) }, pieces);
  const limits = OWN_FILE.test(firstPiece.text) ? ownFileLimits(options.limits) : options.limits;
  const batches = readRows(text, { encoding, delimiter }, start, limits);
  const format = { encoding, delimiter, limits };
  return underHeader(mark?.encoding === 'utf-8' ? insistingOnUtf8(batches) : batches, format);
}

/** Said of the text rather than of the header, which may itself be longer than a manifest's row may be. */
const OWN_FILE = /\brollcall_line\b/i;

async function underHeader(
  batches: AsyncGenerator<RowBatch, undefined>,
  format: RowFormat & Pick<Manifest, 'limits'>,
): Promise<Manifest> {
  const { value: batch } = await batches.next();
  const [header, ...rows] = batch?.rows ?? [];
  if (!batch || !header)
    return refuse('the file is empty; put a header into its first line and a row a person under it');
  if (header.flaw !== undefined) return refuse(header.flaw, header.line);
  const first = rows[0] ?? batch.next;
  return {
    ...format,
    header,
    first: { row: first.row, line: first.line, offset: first.offset },
    batches: startingWith({ rows, next: batch.next }, batches),
  };
}

/** A file that says by its byte order mark that it is UTF-8 is not read as anything else. */
async function* insistingOnUtf8(batches: AsyncIterable<RowBatch>): AsyncGenerator<RowBatch, undefined> {
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

/** Chunks of a size that is worth decoding, however small those of the source are. */
async function* inChunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.length;
    if (bytes < CHUNK_BYTES) continue;
    yield joined(parts);
    parts = [];
    bytes = 0;
  }
  if (bytes > 0) yield joined(parts);
}

function joined([first, ...others]: readonly Uint8Array[]): Buffer {
  if (first && others.length === 0) return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  return Buffer.concat(first ? [first, ...others] : []);
}

async function* startingWith<Item>(first: Item, rest: AsyncIterable<Item>): AsyncGenerator<Item, undefined> {
  yield first;
  yield* rest;
}
