import { isAscii, isUtf8 } from 'node:buffer';

import { RollcallError } from '../errors.ts';
import { refuse } from './refusal.ts';

/** One of ENCODINGS: how the bytes of a manifest become text. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** What is known of bytes that are not UTF-8. */
interface NotUtf8Details {
  /** The line on which the row begins that holds the first such byte, where the rows were counted. */
  readonly line?: number | undefined;
  /** Whether letters of several bytes stood before it, so that the file is UTF-8 otherwise. */
  readonly hasLetters: boolean;
  /** The file ends inside a letter. */
  readonly isCutShort: boolean;
}

/** The bytes are not UTF-8 although nothing at their start says what else they are. */
export class NotUtf8 extends RollcallError {
  readonly code = 'NOT_UTF8';
  readonly temporary = false;
  readonly details: NotUtf8Details;

  constructor(details: NotUtf8Details) {
    super('the bytes are not UTF-8');
    this.details = details;
  }
}

/** Refuses a file whose letters are UTF-8 but for some: whoever guessed how those are written would write names that nobody has. */
export function refuseMixed({ line, isCutShort }: Pick<NotUtf8Details, 'line' | 'isCutShort'>): never {
  refuse(
    isCutShort
      ? 'the file is UTF-8 and breaks off in the middle of a letter, as when its upload does not come to an end; upload it again'
      : 'there are bytes that are not UTF-8 although the rest of the file is, so that part of it comes from another program; save that part as "CSV UTF-8" and put them together again',
    line,
  );
}

const BYTE_ORDER_MARKS = [
  { encoding: 'utf-8', bytes: Buffer.from([0xef, 0xbb, 0xbf]) },
  { encoding: 'utf-16le', bytes: Buffer.from([0xff, 0xfe]) },
  { encoding: 'utf-16be', bytes: Buffer.from([0xfe, 0xff]) },
] as const;

/** The byte order mark at the start of a file, if there is one, and the encoding that it announces. */
export function byteOrderMark(
  head: Buffer,
): { readonly encoding: Exclude<Encoding, 'windows-1252'>; readonly bytes: number } | undefined {
  const mark = BYTE_ORDER_MARKS.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes));
  return mark && { encoding: mark.encoding, bytes: mark.bytes.length };
}

/** Turns bytes without a byte order mark into UTF-8, piece by piece. Throws NotUtf8 after the last bytes that are. */
export async function* decode(
  chunks: AsyncIterable<Buffer>,
  encoding: Exclude<Encoding, 'windows-1252'>,
): AsyncGenerator<Buffer, undefined> {
  if (encoding === 'utf-8') return yield* checkUtf8(chunks);
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
  return undefined;
}

/** Turns what a first reading found not to be UTF-8 into it, as Windows-1252. Throws ManifestRefused where some of it is UTF-8 all the same. */
export async function* decodeLegacy(
  chunks: AsyncIterable<Buffer>,
  { details }: NotUtf8,
): AsyncGenerator<Buffer, undefined> {
  const decoder = new TextDecoder('windows-1252');
  let before = '';
  for await (const chunk of chunks) {
    if (!isAscii(chunk)) {
      const bytes = before + chunk.toString('latin1');
      if (UTF8_LETTER.test(bytes)) refuseMixed(details);
    }
    before = chunk.subarray(-LONGEST_LETTER + 1).toString('latin1');
    yield Buffer.from(decoder.decode(chunk));
  }
  return undefined;
}

const LONGEST_LETTER = 4;
// Of bytes as Latin-1: a letter of two, three or four bytes. (RFC 3629, section 4.)
const UTF8_LETTER = new RegExp(
  [
    '[\\u00C2-\\u00DF][\\u0080-\\u00BF]',
    '\\u00E0[\\u00A0-\\u00BF][\\u0080-\\u00BF]',
    '[\\u00E1-\\u00EC\\u00EE\\u00EF][\\u0080-\\u00BF]{2}',
    '\\u00ED[\\u0080-\\u009F][\\u0080-\\u00BF]',
    '\\u00F0[\\u0090-\\u00BF][\\u0080-\\u00BF]{2}',
    '[\\u00F1-\\u00F3][\\u0080-\\u00BF]{3}',
    '\\u00F4[\\u0080-\\u008F][\\u0080-\\u00BF]{2}',
  ].join('|'),
);

async function* checkUtf8(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
  let carried: Buffer = Buffer.alloc(0);
  let hasLetters = false;
  const check = function* (bytes: Buffer, isEnd: boolean): Generator<Buffer> {
    const isValid = isUtf8(bytes);
    const valid = isValid ? bytes : bytes.subarray(0, firstInvalid(bytes));
    hasLetters ||= !isAscii(valid);
    yield valid;
    if (!isValid) throw new NotUtf8({ hasLetters, isCutShort: isEnd && startsLetter(bytes) });
  };
  for await (const chunk of chunks) {
    const bytes = carried.length === 0 ? chunk : Buffer.concat([carried, chunk]);
    const end = lastStart(bytes);
    carried = bytes.subarray(end);
    yield* check(bytes.subarray(0, end), false);
  }
  yield* check(carried, true);
}

/** Whether more bytes could have made a letter of these. */
const startsLetter = (bytes: Buffer): boolean =>
  /^(?:[\u00C2-\u00DF]|[\u00E0-\u00EF][\u0080-\u00BF]?|[\u00F0-\u00F4][\u0080-\u00BF]{0,2})$/.test(
    bytes.toString('latin1'),
  );

/** Where the last character begins if it is one of several bytes, which the next piece may finish. */
function lastStart(bytes: Buffer): number {
  for (let at = bytes.length - 1; at >= Math.max(0, bytes.length - 4); at -= 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return at;
  }
  return bytes.length;
}

/** What is invalid decodes to the replacement character, so the first byte that does not come back is the first invalid one. */
function firstInvalid(bytes: Buffer): number {
  const back = Buffer.from(bytes.toString());
  let index = 0;
  while (index < bytes.length && back[index] === bytes[index]) index += 1;
  while (index > 0 && ((bytes[index] ?? 0) & 0xc0) === 0x80) index -= 1;
  return index;
}

const REMEDY = 'open it where it was made and save it as "CSV UTF-8"';

const SIGNATURES = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], is: 'an Excel workbook (.xlsx) or another zip file' },
  { bytes: [0x50, 0x4b, 0x05, 0x06], is: 'an empty zip file' },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], is: 'an old Excel workbook (.xls)' },
  { bytes: [0x25, 0x50, 0x44, 0x46], is: 'a PDF' },
  { bytes: [0x1f, 0x8b], is: 'a gzip file' },
  { bytes: [0x89, 0x50, 0x4e, 0x47], is: 'a picture (PNG)' },
  { bytes: [0xff, 0xfe, 0x00, 0x00], is: 'text in UTF-32' },
] as const;

/** How far into a file is looked: as far whatever the size of the pieces that it comes in. */
const LOOKED_AT_BYTES = 64 * 1024;

/** Refuses what is no table of text: a workbook, a web page or anything else that was renamed to .csv. */
export function refuseBinary(start: Buffer): void {
  const head = start.subarray(0, LOOKED_AT_BYTES);
  const signature = SIGNATURES.find(({ bytes }) => head.subarray(0, bytes.length).equals(Buffer.from(bytes)));
  if (signature) refuse(`this is ${signature.is}, whatever its name says; ${REMEDY}`);

  const markup = /^(?:\uFEFF|\s)*(?:(<[!?a-z])|[{[]\s*["{[])/i.exec(head.toString('utf8', 0, 1_024));
  if (markup)
    refuse(`this is ${markup[1] === undefined ? 'JSON' : 'a web page or XML'}, whatever its name says; ${REMEDY}`);

  // A byte order mark says that it is text: then a zero is a fault of its row, and our own report of that row can be read.
  const zero = byteOrderMark(head) ? -1 : head.indexOf(0);
  if (zero >= 0) refuse(`this is no text: there is a zero byte at offset ${zero}; ${REMEDY}`);
}
