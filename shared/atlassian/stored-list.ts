import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';

import { ConditionNotMet, type ObjectStore } from '../ports.ts';
import { Refusal, TargetUnusable } from './errors.ts';

/** Where the parts of lists lie. */
export interface StoredPlace {
  readonly store: Pick<ObjectStore, 'read' | 'write'>;
  /** Of the keys, with a slash at its end; another one for each plan of a job, so that a new plan reads anew. */
  readonly prefix: string;
}

/** A list as it is read: page after page, each saying where the next begins. */
export interface List<Item> {
  /** Of its parts' keys, below the prefix. */
  readonly name: string;
  readonly item: z.ZodType<Item>;
  /** A page without `next` ends the list; `undefined` where there is none to read, or none to trust. */
  readonly readPage: (next: unknown, signal: AbortSignal) => Promise<Page<Item> | undefined>;
  /** A longer list is not worth its calls. */
  readonly mostPages: number;
}

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: unknown;
  /** Of the whole list, where the server tells. */
  readonly pages?: number | undefined;
}

const positionSchema = z.object({ count: z.int().positive(), last: z.string() }).optional();

/**
 * Pages by position, each beginning with the last item of the one before: when somebody in front of it has left meanwhile, it is
 * not where it was, somebody may have been passed over, and the list is not to be trusted.
 */
export function readOverlapping<Item>(
  idOf: (item: Item) => string,
  readAt: (
    startAt: number,
    signal: AbortSignal,
  ) => Promise<(Omit<Page<Item>, 'next'> & { readonly isLast?: boolean | undefined }) | undefined>,
): List<Item>['readPage'] {
  return async (next, signal) => {
    const position = positionSchema.parse(next);
    const page = await readAt(position ? position.count - 1 : 0, signal);
    if (!page) return undefined;
    const { items, isLast, pages } = page;
    const at = position ? items.findIndex((item) => idOf(item) === position.last) : -1;
    if (position && at < 0) return undefined;
    const fresh = items.slice(at + 1);
    const last = fresh.at(-1);
    if (last === undefined || isLast === true) return { items: fresh, pages };
    return { items: fresh, pages, next: { count: (position?.count ?? 0) + fresh.length, last: idOf(last) } };
  };
}

/** As much of a list as was read at one go, where the next part begins, and what ended the list. */
interface Part<Item> {
  readonly items: readonly Item[];
  /** Of this part and those before it. */
  readonly pages: number;
  readonly next?: unknown;
  readonly ended?: 'whole' | 'given-up' | undefined;
}

/** Where the part before ended. */
type Former = Pick<Part<unknown>, 'pages' | 'next'>;

/** A message of the planner's ends before a long list does: whoever comes next goes on behind the last part. */
const PAGES_A_PART = 20;

/** A list out of the store, as far as it lies there, and from Atlassian; `undefined` when it was given up. */
export async function readList<Item>(
  list: List<Item>,
  place: StoredPlace,
  signal: AbortSignal,
): Promise<readonly Item[] | undefined> {
  if (list.mostPages === 0) return undefined;
  const items: Item[] = [];
  let former: Former = { pages: 0 };
  for (let number = 0; ; number += 1) {
    const key = `${place.prefix}${list.name}/${number}.json.gz`;
    const part = (await readPart(place, key, list)) ?? (await writePart(list, { key, former, place, signal }));
    for (const item of part.items) items.push(item);
    if (part.ended) return part.ended === 'whole' ? items : undefined;
    former = part;
  }
}

async function readPart<Item>(
  { store }: StoredPlace,
  key: string,
  { item }: List<Item>,
): Promise<Part<Item> | undefined> {
  const stored = await store.read(key);
  if (!stored) return undefined;
  const schema = z.object({
    items: z.array(item),
    pages: z.int(),
    next: z.unknown().optional(),
    ended: z.enum(['whole', 'given-up']).optional(),
  });
  return schema.parse(JSON.parse(gunzipSync(Buffer.concat(await stored.body.toArray())).toString()));
}

interface PartToWrite {
  readonly key: string;
  readonly former: Former;
  readonly place: StoredPlace;
  readonly signal: AbortSignal;
}

/** Reads the next part and stores it, what came before an interruption included; when two read at once, the first one's counts. */
async function writePart<Item>(list: List<Item>, { key, former, place, signal }: PartToWrite): Promise<Part<Item>> {
  const { part, failures } = await readPages(list, former, signal);
  if (part.ended !== undefined || part.pages > former.pages) {
    try {
      await place.store.write(key, gzipSync(JSON.stringify(part)), { ifNoneMatch: '*' });
    } catch (failure) {
      if (!(failure instanceof ConditionNotMet)) throw failure;
      return (await readPart(place, key, list)) ?? part;
    }
  }
  if (failures.length > 0) throw failures[0];
  return part;
}

interface PagesRead<Item> {
  readonly part: Part<Item>;
  /** Why a page could not be had. */
  readonly failures: readonly unknown[];
}

/** The pages of one part, or as many of them as could be had. */
async function readPages<Item>(
  { readPage, mostPages }: List<Item>,
  former: Former,
  signal: AbortSignal,
): Promise<PagesRead<Item>> {
  const items: Item[] = [];
  let { pages, next } = former;
  const end = (part: Pick<Part<Item>, 'items' | 'ended' | 'next'>, ...failures: readonly unknown[]) => ({
    part: { pages, ...part },
    failures,
  });
  while (pages < former.pages + PAGES_A_PART) {
    if (pages >= mostPages) return end(GIVEN_UP);
    try {
      const page = await readPage(next, signal);
      pages += 1;
      if (!page || (page.pages ?? 0) > mostPages) return end(GIVEN_UP);
      for (const item of page.items) items.push(item);
      next = page.next;
      if (next === undefined) return end({ items, ended: 'whole' });
    } catch (error) {
      return isRefused(error) ? end(GIVEN_UP) : end({ items, next }, error);
    }
  }
  return end({ items, next });
}

const GIVEN_UP = { items: [], ended: 'given-up' } as const;

/** For a missing permission, or as too long for the server: asking row by row may do, or tells each row the reason. */
const isRefused = (error: unknown): boolean =>
  error instanceof Refusal && !(error instanceof TargetUnusable) && !error.temporary && error.code !== 'UNAUTHORIZED';
