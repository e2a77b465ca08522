import { isAscii, isUtf8 } from 'node:buffer';

import { RollcallError } from '../errors.ts';

export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;

export type Encoding = (typeof ENCODINGS)[number];

/** An encoding that a validation names; throws TypeError for any other. */
export function parseEncoding(name: string): Encoding {
  const encoding = ENCODINGS.find((known) => known === name);
  if (encoding === undefined) throw new TypeError(`No manifest can be read as ${name}`);
  return encoding;
}

/** A piece of the manifest's text; `ascii` promises that it has as many characters as bytes in UTF-8. */
export interface Piece {
  readonly text: string;
  readonly ascii: boolean;
}

/** The bytes are not UTF-8 although nothing at their start says what else they are. */
export class NotUtf8 extends RollcallError {
  readonly code = 'NOT_UTF8';
  readonly temporary = false;
  /** The line on which the row begins that holds the first such byte, once the rows have been counted. */
  line: number | undefined;
}

const BYTE_ORDER_MARKS = [
  { encoding: 'utf-8', bytes: Buffer.from([0xef, 0xbb, 0xbf]) },
  { encoding: 'utf-16le', bytes: Buffer.from([0xff, 0xfe]) },
  { encoding: 'utf-16be', bytes: Buffer.from([0xfe, 0xff]) },
] as const;

/** The byte order mark at the start of a file, if there is one, and the encoding that it announces. */
export function byteOrderMark(head: Buffer): { readonly encoding: Encoding; readonly bytes: number } | undefined {
  const mark = BYTE_ORDER_MARKS.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes));
  return mark && { encoding: mark.encoding, bytes: mark.bytes.length };
}

/** Decodes bytes without a byte order mark, piece by piece. Throws NotUtf8 after the last piece that is. */
export async function* decode(chunks: AsyncIterable<Buffer>, encoding: Encoding): AsyncGenerator<Piece, undefined> {
  const decoder = DECODERS[encoding];
  let carried: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = carried.length === 0 ? chunk : Buffer.concat([carried, chunk]);
    const whole = bytes.length - decoder.unfinished(bytes);
    carried = bytes.subarray(whole);
    yield* decoder.decode(bytes.subarray(0, whole));
  }
  if (carried.length > 0) yield* decoder.decode(carried);
}

/** How many bytes a part of the manifest's text takes in the original file. */
export function byteLength(encoding: Encoding, text: string): number {
  if (encoding === 'windows-1252') return text.length;
  return encoding === 'utf-8' ? Buffer.byteLength(text) : text.length * 2;
}

interface Decoder {
  /** Bytes at the end that begin a character which the next chunk finishes. */
  readonly unfinished: (bytes: Buffer) => number;
  readonly decode: (bytes: Buffer) => Iterable<Piece>;
}

const windows1252 = new TextDecoder('windows-1252');

const DECODERS: Readonly<Record<Encoding, Decoder>> = {
  'utf-8': { unfinished: unfinishedUtf8, decode: decodeUtf8 },
  'utf-16le': { unfinished: (bytes) => bytes.length % 2, decode: (bytes) => [wide(bytes)] },
  'utf-16be': {
    unfinished: (bytes) => bytes.length % 2,
    decode: (bytes) => [wide(bytes.length % 2 === 0 ? Buffer.from(bytes).swap16() : bytes)],
  },
  'windows-1252': { unfinished: () => 0, decode: (bytes) => [{ text: windows1252.decode(bytes), ascii: false }] },
};

function* decodeUtf8(bytes: Buffer): Generator<Piece> {
  if (isAscii(bytes)) {
    yield { text: bytes.toString('latin1'), ascii: true };
  } else if (isUtf8(bytes)) {
    yield { text: bytes.toString('utf8'), ascii: false };
  } else {
    yield { text: bytes.toString('utf8', 0, firstInvalid(bytes)), ascii: false };
    throw new NotUtf8('the bytes are not UTF-8');
  }
}

/** A lone last byte, which belongs to no character, shows as the replacement character. */
const wide = (bytes: Buffer): Piece => ({
  text: bytes.length % 2 === 0 ? bytes.toString('utf16le') : '\uFFFD',
  ascii: false,
});

function unfinishedUtf8(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? back : 0;
    }
  }
  return 0;
}

/** What is invalid decodes to the replacement character, so the first byte that does not come back is the first invalid one. */
function firstInvalid(bytes: Buffer): number {
  const back = Buffer.from(bytes.toString('utf8'));
  let index = 0;
  while (index < bytes.length && back[index] === bytes[index]) index += 1;
  while (index > 0 && ((bytes[index] ?? 0) & 0xc0) === 0x80) index -= 1;
  return index;
}
