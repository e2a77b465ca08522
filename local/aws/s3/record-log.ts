import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';

/** A file of lines: each is there whole once `append` has returned, and not at all when it throws. */
export interface RecordLog {
  readonly append: (line: string) => void;
  readonly close: () => void;
}

type Write = (file: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;

/** Opens a file that ends with a whole line. */
export function openRecordLog(path: string, write: Write = writeSync): RecordLog {
  const file = openSync(path, 'r+');
  let end = fstatSync(file).size;
  return {
    append: (line) => {
      const bytes = Buffer.from(`${line}\n`);
      // At a place of its own: a full disk may take half a line, and the next one is written over it.
      for (let written = 0; written < bytes.length;)
        written += write(file, bytes, written, bytes.length - written, end + written);
      end += bytes.length;
    },
    close: () => closeSync(file),
  };
}
