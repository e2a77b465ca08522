import * as z from 'zod';

import type { Query } from './request-path.ts';
import type { CallArguments, ApiClient } from './api-client.ts';
import { ENDPOINTS, type Call } from './endpoints.ts';
import { Refusal } from './errors.ts';
import { parse } from './parsing.ts';

export interface Pages<Item> {
  readonly client: ApiClient;
  readonly call: Call;
  readonly item: z.ZodType<Item>;
}

/** More pages than this is a server that never ends. */
const MOST_PAGES = 1_000;

/** User searches answer for the first thousand matches at most (Jira REST API, "Find users"). */
const SEARCH_LIMIT = 1_000;
/** A server may give fewer than were asked for, but a page shorter than its default size is the last one. */
const DEFAULT_PAGE = 50;

/** A search that answers with a bare array: asks for everything at once, and goes on by what came back. */
export async function readArrayPages<Item>(
  { client, call, query, item }: Pages<Item> & { readonly query: Query },
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const found: Item[] = [];
  while (found.length < SEARCH_LIMIT) {
    const page: Query = [...query, ['startAt', String(found.length)], ['maxResults', String(SEARCH_LIMIT)]];
    const items = parse(call, z.array(item), await client.read(call, { query: page }, signal));
    found.push(...items);
    if (items.length < DEFAULT_PAGE) break;
  }
  return found;
}

/** Jira's PageBean: `{startAt, maxResults, total, isLast, values}`; advances by what came back. */
export async function readBeanPages<Item>(
  { client, call, query, item, pageSize }: Pages<Item> & { readonly query: Query; readonly pageSize: number },
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const bean = z.object({
    values: z.array(item),
    isLast: z.boolean().optional().catch(undefined),
    total: z.number().optional().catch(undefined),
  });
  const found: Item[] = [];
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page: Query = [...query, ['startAt', String(found.length)], ['maxResults', String(pageSize)]];
    const { values, isLast, total } = parse(call, bean, await client.read(call, { query: page }, signal));
    found.push(...values);
    if (values.length === 0 || (isLast ?? found.length >= (total ?? 0))) return found;
  }
  throw endless(call);
}

/** The admin API's pages: `{data, links: {next}}`, where `next` is a whole URL (v1) or a bare cursor (v2). Only its cursor is used, never its host. */
export async function readCursorPages<Item>(
  options: Pages<Item> & { readonly given: (cursor: string | undefined) => CallArguments },
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const { client, call, item, given } = options;
  const schema = z.object({
    data: z.array(item).optional().default([]),
    links: z.object({ next: z.string().nullish() }).nullish(),
  });
  const found: Item[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const { data, links } = parse(call, schema, await client.read(call, given(cursor), signal));
    found.push(...data);
    cursor = cursorIn(links?.next ?? undefined);
    if (cursor !== undefined && (seen.has(cursor) || seen.size >= MOST_PAGES)) throw endless(call);
    if (cursor !== undefined) seen.add(cursor);
  } while (cursor !== undefined);
  return found;
}

function cursorIn(next: string | undefined): string | undefined {
  if (next === undefined || next === '') return undefined;
  const query = /\?(.*)$/.exec(next)?.[1];
  return (query === undefined ? next : new URLSearchParams(query).get('cursor')) ?? undefined;
}

const endless = (call: Call): Refusal =>
  new Refusal('ATLASSIAN_ERROR', `Atlassian's pages in answer to the call to ${ENDPOINTS[call].to} do not end.`);
