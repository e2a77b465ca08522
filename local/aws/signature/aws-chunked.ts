import { createHash } from 'node:crypto';

import { ByteReader } from './byte-reader.ts';
import { ServiceRefusal } from '../service-refusal.ts';
import { isSignature, sha256Hex } from './signing-key.ts';
import { doesNotMatch, type ChunkSeed } from './signature.ts';

const CRLF = Buffer.from('\r\n');
const LONGEST_LINE = 8_192;
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
    if (seed) signature = goOn(seed, signature, extension, hash.digest('hex'));
    if (isLast) break;
    if ((await readLine(input)) !== '') throw incomplete();
  }
  trailer(await readTrailer(input, seed, signature));
}

function goOn(seed: ChunkSeed, previous: string, given: string, hash: string): string {
  const toSign = ['AWS4-HMAC-SHA256-PAYLOAD', seed.amzDate, seed.scope, previous, NOTHING, hash].join('\n');
  if (!isSignature(seed.key, toSign, given)) throw doesNotMatch({ StringToSign: toSign });
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
    const toSign = ['AWS4-HMAC-SHA256-TRAILER', seed.amzDate, seed.scope, previous, sha256Hex(canonical)].join('\n');
    if (!isSignature(seed.key, toSign, signature ?? '')) throw doesNotMatch({ StringToSign: toSign });
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
