import { byteOrderMark } from './encoding.ts';
import { refuse } from './errors.ts';

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

/** Refuses what is no text: a workbook or anything else that was renamed to .csv. */
export function refuseBinary(start: Buffer): void {
  const head = start.subarray(0, LOOKED_AT_BYTES);
  const signature = SIGNATURES.find(({ bytes }) => head.subarray(0, bytes.length).equals(Buffer.from(bytes)));
  if (signature) refuse(`this is ${signature.is}, whatever its name says; ${REMEDY}`);

  // A byte order mark says that it is text: then a zero is a fault of its row, and our own report of that row can be read.
  const zero = byteOrderMark(head) ? -1 : head.indexOf(0);
  if (zero >= 0) refuse(`this is no text: there is a zero byte at offset ${zero}; ${REMEDY}`);
}
