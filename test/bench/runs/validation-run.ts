// One validation of a manifest of wide rows that is made up while it is read, against ports that drop what they are given but for
// row chunks, which lie on disk: `validation-run.mjs <rows> [membership|email-change] [repeats]`.
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import { createSplitter } from '../../../functions/splitter/splitter.ts';
import { OPERATIONS } from '../../../shared/operations/index.ts';
import { factsOf } from '../../../shared/target.ts';
import type { ObjectStore, StoredObject } from '../../../shared/ports.ts';
import { BENCH_TARGET } from './bench-target.ts';
import { report } from './report.ts';

const [rowCount = '1000000', operation = 'membership', repeats] = process.argv.slice(2);
const rows = Number(rowCount);
const ROW_LIMIT = 1_000_000;
const CHUNK_BYTES = 65_536;
const FILLER = 'x'.repeat(158); // columns that are carried along

const SHAPES: Readonly<Record<string, { readonly header: string; readonly line: string }>> = {
  membership: {
    header: 'email,Group name,Office,Notes\n',
    line: `person.number.#######@acme.example,confluence-users,Bern,${FILLER}\n`,
  },
  'email-change': {
    header: 'old_email,new_email,Office,Notes\n',
    line: `old.#######@acme.example,new.#######@acme.example,Bern,${FILLER}\n`,
  },
};
const { header, line } = SHAPES[operation] ?? SHAPES['membership']!; // it is there, above
const lineBytes = Buffer.byteLength(line);
const bytes = header.length + rows * lineBytes;
const places = [...line.matchAll(/#######/g)].map(({ index }) => index);
const template = Buffer.from(line.repeat(Math.ceil(CHUNK_BYTES / lineBytes)));

// Numbers are written into copies of one chunk, so that the memory measured is the splitter's and not the generator's.
// A turn of the event loop after each chunk, as a socket takes one.
async function* manifest(): AsyncGenerator<Buffer> {
  yield Buffer.from(header);
  const linesPerChunk = template.length / lineBytes;
  for (let row = 0; row < rows; row += linesPerChunk) {
    const lines = Math.min(linesPerChunk, rows - row);
    const chunk = Buffer.allocUnsafeSlow(lines * lineBytes);
    template.copy(chunk);
    for (let index = 0; index < lines; index += 1) writeNumber(chunk, index * lineBytes, row + index);
    await setImmediate();
    yield chunk;
  }
}

function writeNumber(chunk: Buffer, lineStart: number, row: number): void {
  for (const place of places) {
    let rest = repeats === undefined ? row : row % (rows / 2);
    for (let digit = 6; digit >= 0; digit -= 1) {
      chunk[lineStart + place + digit] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}

let validationBytes = 0;
const folder = mkdtempSync(join(tmpdir(), 'rollcall-rows-'));
const pathOf = (key: string): string => join(folder, basename(key));

const storeOf = (read: ObjectStore['read']): ObjectStore => ({
  read,
  readIfChanged: async () => undefined,
  write: async (key, body) => {
    await setImmediate();
    if (key.endsWith('validation.json')) validationBytes = body.length;
    if (key.startsWith('rows/')) writeFileSync(pathOf(key), body);
    return { etag: '""' };
  },
  writeStream: async (_key, body) => {
    for await (const _part of body);
  },
  list: async function* () {},
  delete: async () => {},
});

const stored = (body: Readable, size: number): StoredObject => ({
  body,
  etag: '"1"',
  metadata: {},
  bytes: size,
  text: async () => '',
});

const drop = async (): Promise<void> => {};

const splitter = createSplitter({
  inbox: storeOf(async () => stored(Readable.from(manifest()), bytes)),
  results: storeOf(async (key) =>
    key.startsWith('rows/') ? stored(createReadStream(pathOf(key)), statSync(pathOf(key)).size) : undefined,
  ),
  operations: OPERATIONS,
  tasks: { send: drop },
  eventsQueue: {
    post: async (events) => {
      for (const event of events) if (event.type === 'rejected') throw new Error(JSON.stringify(event.problems));
    },
  },
  clock: { now: () => new Date() },
  chance: { uuid: () => 'id', random: Math.random },
  limits: { manifestBytes: 2 ** 31, rows: ROW_LIMIT, rowBytes: 2 ** 20, columns: 200, cellCharacters: 32_768 },
  log: (event, fields) => {
    if (event.endsWith('failed')) console.error(event, fields);
  },
});

const object = { bucket: 'inbox', key: `acme/${operation}/bench.csv`, bytes, versionId: '1' };
const body = JSON.stringify({
  version: 2,
  kind: 'validate',
  ...object,
  at: new Date().toISOString(),
  target: factsOf(BENCH_TARGET),
});
const event = { Records: [{ messageId: '1', body, eventSourceARN: 'arn:aws:sqs:::intake' }] };
const started = performance.now();
await splitter(
  event as unknown as Parameters<typeof splitter>[0], // only what the splitter reads
  { getRemainingTimeInMillis: () => 900_000 } as unknown as Parameters<typeof splitter>[1], // likewise
);
const seconds = (performance.now() - started) / 1_000;
rmSync(folder, { recursive: true });
if (validationBytes === 0) throw new Error('The validation wrote nothing');
report({ seconds, manifestMiB: bytes / 2 ** 20 });
