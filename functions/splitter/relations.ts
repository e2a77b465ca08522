import * as z from 'zod';

import { orderKey } from '../../shared/job/keys.ts';
import { PENDING, rowStatusOf } from '../../shared/job/row-status.ts';
import type { Task } from '../../shared/job/messages.ts';
import { chunkNumbers, JobNotReadable, type RowRange, type StoredRows } from '../../shared/manifest/row-chunks.ts';
import type { Checked, SubjectKey } from '../../shared/operations/operation.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import type { Unsent } from './outcome-chunks.ts';

const DUPLICATE = rowStatusOf('unprocessed', 'DUPLICATE');
export const CONTRADICTION = rowStatusOf('invalid', 'CONTRADICTION');

/** Notes the subjects of every row, each once. */
export interface Subjects {
  readonly add: (keys: readonly SubjectKey[]) => void;
  /** By place in the rows' lists of keys: the subjects that more than one row names there. */
  readonly repeated: () => readonly ReadonlySet<string>[];
}

export function createSubjects(): Subjects {
  const places: { readonly named: Set<string>; readonly repeated: Set<string> }[] = [];
  return {
    add: (keys) => {
      for (let place = 0; place < keys.length; place += 1) {
        const { named, repeated } = (places[place] ??= { named: new Set(), repeated: new Set() });
        const key = inOnePiece(keys[place]?.subject ?? '');
        const { size } = named;
        if (named.add(key).size === size && !repeated.has(key)) {
          named.delete(key); // so that both hold the same text, once
          named.add(key);
          repeated.add(key);
        }
      }
    },
    repeated: () => places.map(({ repeated }) => repeated),
  };
}

/** V8 keeps a text that was put together as a tree of its parts, twice as large, until it gives it out in one piece. */
const inOnePiece = (text: string): string => text.trim();

/** Rows about the same subjects side by side: which repeat an earlier one, and which contradict each other. */
export interface Conflicts {
  readonly add: (row: number, key: SubjectKey) => void;
  /** Gives the pending rows that repeat or contradict another their row status; by row, the row to which they do so. */
  readonly settle: (rowStatuses: number[], options: { readonly findsRepeats: boolean }) => ReadonlyMap<number, number>;
}

/** Compares only the rows that name these subjects. */
export function createConflicts(subjects: ReadonlySet<string>): Conflicts {
  const firsts = new Map<string, { readonly row: number; readonly desired: string } | undefined>();
  for (const subject of subjects) firsts.set(subject, undefined);
  // Later rows that want the same of their subject as its first row, and those that want something else: by row, that first row.
  const repeats = new Map<number, number>();
  const opponents = new Map<number, number>();
  return {
    add: (row, { subject, desired }) => {
      const first = firsts.get(subject);
      if (first) (first.desired === desired ? repeats : opponents).set(row, first.row);
      else if (firsts.has(subject)) firsts.set(subject, { row, desired });
    },
    settle: (rowStatuses, { findsRepeats }) => {
      const partners = new Map<number, number>();
      const settle = (row: number, rowStatus: number, partner: number): void => {
        if (rowStatuses[row] !== PENDING) return;
        rowStatuses[row] = rowStatus;
        partners.set(row, partner);
      };
      const firstOpponents = new Map<number, number>();
      for (const [row, first] of opponents) if (!firstOpponents.has(first)) firstOpponents.set(first, row);
      for (const [first, row] of firstOpponents) settle(first, CONTRADICTION, row);
      for (const [row, first] of opponents) settle(row, CONTRADICTION, first);
      for (const [row, first] of repeats) {
        const opponent = firstOpponents.get(first);
        if (opponent !== undefined) settle(row, CONTRADICTION, opponent);
        else if (findsRepeats) settle(row, DUPLICATE, first);
      }
      return partners;
    },
  };
}

/** What is said of a row that repeats or contradicts the row on another line. */
export function conflictWith(line: number, rowStatus: number): Pick<Unsent, 'status' | 'code' | 'message'> {
  return rowStatus === DUPLICATE
    ? { status: 'unprocessed', code: 'DUPLICATE', message: `The same as line ${line}.` }
    : {
        status: 'invalid',
        code: 'CONTRADICTION',
        message: `Line ${line} asks something else of the same person, group or address.`,
      };
}

type Addresses = Pick<Extract<Checked, { readonly keys: unknown }>, 'frees' | 'takes'>;

/** The rows of a manifest that take an address which another row frees. */
export interface Order {
  readonly add: (row: number, addresses: Addresses) => void;
  /** By row, the row that it waits for; and the rows that wait for each other in circles. */
  readonly find: () => {
    readonly awaited: ReadonlyMap<number, number>;
    readonly circles: readonly (readonly number[])[];
  };
}

export function createOrder(): Order {
  const freeing = new Map<string, number>();
  const taking = new Map<number, string>();
  return {
    add: (row, { frees, takes }) => {
      if (frees !== undefined && !freeing.has(frees)) freeing.set(frees, row);
      if (takes !== undefined) taking.set(row, takes);
    },
    find: () => {
      const awaited = new Map<number, number>();
      for (const [row, address] of taking) {
        const other = freeing.get(address);
        if (other !== undefined && other !== row) awaited.set(row, other);
      }
      return { awaited, circles: circlesIn(awaited) };
    },
  };
}

/** Each row waits for one other at most, so whoever follows the rows meets a circle or an end. */
function circlesIn(awaited: ReadonlyMap<number, number>): readonly (readonly number[])[] {
  const circles: (readonly number[])[] = [];
  const followed = new Set<number>();
  for (const start of awaited.keys()) {
    const path: number[] = [];
    let row: number | undefined = start;
    while (row !== undefined && !followed.has(row)) {
      followed.add(row);
      path.push(row);
      row = awaited.get(row);
    }
    const met = row === undefined ? -1 : path.indexOf(row);
    if (met >= 0) circles.push(path.slice(met));
  }
  return circles;
}

const LINES_NAMED = 10;

/** What is said of the row at `place` of a circle: the lines from it on. */
export function circleMessage(circle: readonly number[], place: number, lines: readonly number[]): string {
  const named = Array.from(
    { length: Math.min(circle.length, LINES_NAMED) },
    (_, index) => lines[circle[(place + index) % circle.length] ?? 0],
  );
  const names =
    circle.length > LINES_NAMED
      ? `${named.join(', ')} and others`
      : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
  return `Lines ${names} take one another's addresses in a circle, so none can be first; give one a spare address now and its own in a later file.`;
}

type After = NonNullable<Task['after']>;

/** Rows that wait, in row order, each with the row that it waits for. */
export type Waiting = Iterable<readonly [row: number, after: After]>;

/** For each row chunk, its rows that wait: row, awaited row, and that one's line. */
const orderSchema = z.array(z.tuple([z.int(), z.int(), z.int()]));

/** Writes down for each row chunk which of its rows wait for which. */
export async function writeOrder(
  results: ObjectStore,
  { jobId, rowChunks }: StoredRows,
  waiting: Waiting,
): Promise<void> {
  let own: z.infer<typeof orderSchema> = [];
  let index = 0;
  const write = async (): Promise<void> => {
    await results.write(orderKey(jobId, index), JSON.stringify(own));
    own = [];
    index += 1;
  };
  for (const [row, after] of waiting) {
    while (row >= (rowChunks[index + 1]?.firstRow ?? Infinity)) await write();
    own.push([row, after.row, after.line]);
  }
  while (index < rowChunks.length) await write();
}

/** Which of the rows in a range wait for which. */
export async function readOrder(
  results: ObjectStore,
  { jobId, rowChunks }: StoredRows,
  range: RowRange,
): Promise<ReadonlyMap<number, After>> {
  const waiting = new Map<number, After>();
  for (const index of chunkNumbers(rowChunks, range)) {
    const stored = await results.read(orderKey(jobId, index));
    if (!stored) throw new JobNotReadable(`${orderKey(jobId, index)} is not there although the validation names it`);
    for (const [row, after, line] of orderSchema.parse(JSON.parse(await stored.text())))
      waiting.set(row, { row: after, line });
  }
  return waiting;
}
