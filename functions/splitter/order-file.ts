import { createInterface } from 'node:readline';
import * as z from 'zod';

import { orderKey } from '../../shared/job/keys.ts';
import type { Task } from '../../shared/job/task.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import { JobNotReadable } from './errors.ts';

type After = NonNullable<Task['after']>;

/** A stretch of the file that is read rather than halved once more. */
const STRETCH_BYTES = 128 * 1024;

const lineSchema = z.tuple([z.int(), z.int(), z.int()]);

/** Which rows from `from` up to `to` wait for which: the file is in row order, so its place is found by halving. */
export async function readOrder(
  results: ObjectStore,
  jobId: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<ReadonlyMap<number, After>> {
  const key = orderKey(jobId);
  const waiting = new Map<number, After>();
  for await (const [row, awaited, line] of linesFrom(results, key, await placeOf(results, key, from))) {
    if (row >= to) break;
    if (row >= from) waiting.set(row, { row: awaited, line });
  }
  return waiting;
}

/** A byte at or before the line of the first row from `row` on. */
async function placeOf(results: ObjectStore, key: string, row: number): Promise<number> {
  let before = 0;
  let beyond = await sizeOf(results, key);
  while (beyond - before > STRETCH_BYTES) {
    const middle = Math.floor((before + beyond) / 2);
    const found = await rowAt(results, key, middle);
    if (found !== undefined && found < row) before = middle;
    else beyond = middle;
  }
  return before;
}

async function sizeOf(results: ObjectStore, key: string): Promise<number> {
  const stored = await results.read(key);
  if (!stored) throw new JobNotReadable(`${key} is not there although the validation names it`);
  stored.body.destroy();
  return stored.bytes;
}

async function rowAt(results: ObjectStore, key: string, offset: number): Promise<number | undefined> {
  for await (const [row] of linesFrom(results, key, offset)) return row;
  return undefined;
}

/** The lines from an offset on; what is left of the line that it falls into is passed over. */
async function* linesFrom(
  results: ObjectStore,
  key: string,
  offset: number,
): AsyncGenerator<z.infer<typeof lineSchema>> {
  const stored = await results.read(key, { from: offset });
  if (!stored) throw new JobNotReadable(`${key} is not there although the validation names it`);
  let isWhole = offset === 0;
  try {
    for await (const line of createInterface({ input: stored.body, crlfDelay: Infinity })) {
      if (isWhole) yield lineSchema.parse(JSON.parse(line));
      isWhole = true;
    }
  } finally {
    stored.body.destroy();
  }
}
