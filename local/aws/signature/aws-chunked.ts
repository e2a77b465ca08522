import { createHash } from 'node:crypto';

import { ServiceRefusal } from '../service-refusal.ts';
import type { ChunkSeed } from './signature.ts';
import { verifyText } from './signing-key.ts';

const CRLF = Buffer.from('\r\n');
const LONGEST_LINE = 8_192;
const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const NOTHING = sha256Hex('');

interface Chunked {
  /** The signature to go on from; absent when the chunks are unsigned. */
  readonly seed?: ChunkSeed | undefined;
  /** Given the trailer's fields, before the body ends. */
  readonly trailer: (fields: ReadonlyMap<string, string>) => void;
}

/** The content of an `aws-chunked` body, each chunk's signature verified. (S3 API reference, signature calculations for chunked uploads.) */
export async function* unchunked(body: AsyncIterable<Buffer>, { seed, trailer }: Chunked): AsyncGenerator<Buffer> {
  const input = new ByteReader(body);
  let signature = seed?.signature ?? '';
  for (;;) {
    const header = await readLine(input);
    const [size = '', extension = ''] = header.split(';chunk-signature=');
    if (!/^[0-9a-f]{1,8}$/i.test(size)) throw incomplete();
    const hash = createHash('sha256');
    let left = Number.parseInt(size, 16);
    const isLast = left === 0;
    while (left > 0) {
      const part = await readSome(input, left);
      left -= part.length;
      if (seed) hash.update(part);
      yield part;
    }
    if (seed) signature = await verifyChunk(seed, signature, extension, hash.digest('hex'));
    if (isLast) break;
    if ((await readLine(input)) !== '') throw incomplete();
  }
  trailer(await readTrailer(input, seed, signature));
}

async function verifyChunk({ key }: ChunkSeed, previous: string, given: string, hash: string): Promise<string> {
  const toSign = ['AWS4-HMAC-SHA256-PAYLOAD', key.amzDate, key.scope, previous, NOTHING, hash].join('\n');
  await verifyText(key, toSign, given);
  return given;
}

async function readTrailer(input: ByteReader, seed: ChunkSeed | undefined, previous: string) {
  const fields = new Map<string, string>();
  for (let line = await readLine(input); line !== ''; line = await readLine(input)) {
    const colon = line.indexOf(':');
    if (colon === -1) throw incomplete();
    fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const signature = fields.get('x-amz-trailer-signature');
  fields.delete('x-amz-trailer-signature');
  if (seed && fields.size > 0) {
    const canonical = [...fields].map(([name, value]) => `${name}:${value}\n`).join('');
    const { key } = seed;
    const toSign = ['AWS4-HMAC-SHA256-TRAILER', key.amzDate, key.scope, previous, sha256Hex(canonical)].join('\n');
    await verifyText(key, toSign, signature ?? '');
  }
  return fields;
}

const incomplete = (): ServiceRefusal =>
  new ServiceRefusal(400, 'IncompleteBody', 'The request body terminated unexpectedly');

// The next line without its end; the end of the input counts as an empty line.
async function readLine(input: ByteReader): Promise<string> {
  for (;;) {
    const end = input.held.indexOf(CRLF);
    if (end !== -1) return input.take(end, CRLF.length).toString('latin1');
    if (input.held.length > LONGEST_LINE) throw incomplete();
    if (!(await input.more())) return input.take(input.held.length).toString('latin1');
  }
}

// Some of the next `most` bytes, at least one.
async function readSome(input: ByteReader, most: number): Promise<Buffer> {
  while (input.held.length === 0) if (!(await input.more())) throw incomplete();
  return input.take(Math.min(most, input.held.length));
}

/** A stream of bytes, of which some are held until it is known what they are. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(body: AsyncIterable<Buffer>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /** What has come and has not been taken. */
  get held(): Buffer {
    return this.#held;
  }

  /** Takes bytes from the front, and drops some more after them. */
  take(length: number, skip = 0): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length + skip);
    return taken;
  }

  /** Waits for more bytes; false once there are none. */
  async more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done) return false;
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
