import { ByteReader } from '../signature/byte-reader.ts';
import { ServiceRefusal } from '../service-refusal.ts';

/** A form up to its file, whose bytes are still to be read: S3 reads the fields first and ignores what comes after the file. */
export interface Form {
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string;
  readonly file: AsyncIterable<Buffer>;
}

/** Of all fields before the file. (S3 API reference, POST object.) */
const FIELD_BYTES = 20_480;
const HEADERS_END = Buffer.from('\r\n\r\n');

/** Takes a multipart/form-data body apart while it comes (RFC 7578), with bounded memory. */
export async function readForm(contentType: string, body: AsyncIterable<Buffer>): Promise<Form> {
  const boundary = contentType.match(/boundary=(?:"([^"]+)"|([^;\s]+))/i);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) throw malformed();
  // With a line end in front the first mark looks like all the others.
  const parts = new Parts(body, Buffer.from(`\r\n--${mark}`));
  await parts.whole(FIELD_BYTES);
  const fields = new Map<string, string>();
  for (;;) {
    const { name, fileName } = dispositionOf(await parts.headers());
    if (name === 'file') return { fields, fileName: fileName ?? '', file: parts.rest() };
    fields.set(name, (await parts.whole(FIELD_BYTES)).toString());
  }
}

function dispositionOf(headers: string): { readonly name: string; readonly fileName: string | undefined } {
  const disposition = headers.match(/^content-disposition:\s*form-data;.*$/im)?.[0];
  const name = disposition?.match(/[;\s]name="([^"]*)"/i)?.[1];
  if (name === undefined) throw malformed();
  const fileName = disposition?.match(/[;\s]filename="([^"]*)"/i)?.[1];
  // Browsers once sent the whole path.
  return { name: name.toLowerCase(), fileName: fileName?.replace(/^.*[/\\]/, '') };
}

const malformed = (): ServiceRefusal =>
  new ServiceRefusal(
    400,
    'MalformedPOSTRequest',
    'The body of your POST request is not well-formed multipart/form-data.',
  );

/** The parts between the marks of one stream. */
class Parts {
  readonly #mark: Buffer;
  readonly #input: ByteReader;

  constructor(body: AsyncIterable<Buffer>, mark: Buffer) {
    this.#input = new ByteReader(body, Buffer.from('\r\n'));
    this.#mark = mark;
  }

  /** The headers of the part that begins here. */
  async headers(): Promise<string> {
    for (;;) {
      if (this.#input.held.subarray(0, 2).toString('latin1') === '--') throw missingFile();
      const end = this.#input.held.indexOf(HEADERS_END);
      if (end !== -1) return this.#input.take(end, HEADERS_END.length).toString();
      if (this.#input.held.length > FIELD_BYTES) throw malformed();
      await this.#more();
    }
  }

  /** Everything up to the next mark, which is skipped. */
  async whole(mostBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.rest()) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** The same, as it comes. */
  async *rest(): AsyncGenerator<Buffer> {
    for (;;) {
      const end = this.#input.held.indexOf(this.#mark);
      if (end !== -1) {
        const last = this.#input.take(end, this.#mark.length);
        if (last.length > 0) yield last;
        return;
      }
      // The mark may have come in part.
      const sure = this.#input.held.length - this.#mark.length + 1;
      if (sure > 0) yield this.#input.take(sure);
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    if (!(await this.#input.more())) throw malformed();
  }
}

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
