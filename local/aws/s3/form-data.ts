import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';

import { ServiceRefusal } from '../service-refusal.ts';

/** A form up to its file, whose bytes are still to be read: S3 reads the fields first and ignores what comes after the file. */
export interface Form {
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string;
  readonly file: AsyncIterable<Buffer>;
  /** Ends the reading, wherever it is. */
  readonly close: () => void;
}

/** Of all fields before the file. (S3 API reference, POST object.) */
const FIELD_BYTES = 20_480;

/** Reads a multipart/form-data body up to its file, with bounded memory. */
export async function readForm(contentType: string, body: AsyncIterable<Buffer>): Promise<Form> {
  const parser = createParser(contentType);
  const fields = new Map<string, string>();
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const reading = pipeline(body, parser);
    parser.on('field', (name, value, _isNameCut, isCut) => {
      bytes += Buffer.byteLength(value);
      fields.set(name.toLowerCase(), value);
      if (!isCut && bytes <= FIELD_BYTES) return;
      reject(tooLarge());
      parser.destroy();
    });
    parser.on('file', (_name, file, fileName: string | undefined) => {
      // The form may break off while nobody reads the file yet.
      file.on('error', () => undefined);
      reading.catch(() => file.destroy(malformed()));
      resolve({
        fields: new Map(fields),
        fileName: fileName ?? '',
        file: contentOf(file),
        close: () => parser.destroy(),
      });
    });
    reading.then(
      () => reject(missingFile()),
      () => reject(malformed()),
    );
  });
}

function createParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (name) => name?.toLowerCase() === 'file',
      limits: { fieldSize: FIELD_BYTES, files: 1 },
    });
  } catch {
    throw malformed();
  }
}

async function* contentOf(file: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const part of file) yield part as Buffer; // no encoding is set
  } catch {
    throw malformed();
  }
}

const malformed = (): ServiceRefusal =>
  new ServiceRefusal(
    400,
    'MalformedPOSTRequest',
    'The body of your POST request is not well-formed multipart/form-data.',
  );

const missingFile = (): ServiceRefusal =>
  new ServiceRefusal(400, 'InvalidArgument', 'POST requires exactly one file upload per request.', {
    ArgumentName: 'file',
  });

const tooLarge = (): ServiceRefusal =>
  new ServiceRefusal(
    400,
    'MaxPostPreDataLengthExceeded',
    'Your POST request fields preceding the upload file were too large.',
  );
