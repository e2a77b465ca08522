import { createHash } from 'node:crypto';

import { badRequest, type ServiceRefusal } from '../service-refusal.ts';
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
  const input = readerOf(body);
  let signature = seed?.signature ?? '';
  for (;;) {
    const header = await input.line();
    const [size = '', extension = ''] = header.split(';chunk-signature=');
    if (!/^[0-9a-f]{1,8}$/i.test(size)) throw incomplete();
    const hash = createHash('sha256');
    let left = Number.parseInt(size, 16);
    const isLast = left === 0;
    while (left > 0) {
      const part = await input.some(left);
      left -= part.length;
      if (seed) hash.update(part);
      yield part;
    }
    if (seed) signature = await verifyChunk(seed, signature, extension, hash.digest('hex'));
    if (isLast) break;
    if ((await input.line()) !== '') throw incomplete();
  }
  trailer(await readTrailer(input, seed, signature));
}

async function verifyChunk({ key }: ChunkSeed, previous: string, given: string, hash: string): Promise<string> {
  const toSign = ['AWS4-HMAC-SHA256-PAYLOAD', key.amzDate, key.scope, previous, NOTHING, hash].join('\n');
  await verifyText(key, toSign, given);
  return given;
}

async function readTrailer(input: Reader, seed: ChunkSeed | undefined, previous: string) {
  const fields = new Map<string, string>();
  for (let line = await input.line(); line !== ''; line = await input.line()) {
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

const incomplete = (): ServiceRefusal => badRequest('IncompleteBody', 'The request body terminated unexpectedly');

type Reader = ReturnType<typeof readerOf>;

function readerOf(body: AsyncIterable<Buffer>) {
  const source = body[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const next = await source.next();
    if (!next.done) held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
    return !next.done;
  };
  const take = (length: number, skip = 0): Buffer => {
    const taken = held.subarray(0, length);
    held = held.subarray(length + skip);
    return taken;
  };
  return {
    /** The next line without its end; the end of the input counts as an empty line. */
    line: async (): Promise<string> => {
      for (;;) {
        const end = held.indexOf(CRLF);
        if (end !== -1) return take(end, CRLF.length).toString('latin1');
        if (held.length > LONGEST_LINE) throw incomplete();
        if (!(await more())) return take(held.length).toString('latin1');
      }
    },
    /** Some of the next `most` bytes, at least one. */
    some: async (most: number): Promise<Buffer> => {
      while (held.length === 0) if (!(await more())) throw incomplete();
      return take(Math.min(most, held.length));
    },
  };
}
