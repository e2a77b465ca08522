import * as z from 'zod';

import { foldCase } from '../folding.ts';
import type { DataCenterUser, Jira, JiraUser, Listings, MembersPage, UserListing } from './apis.ts';
import type { DataCenterMethods } from './data-center.ts';
import { type List, readList, readOverlapping, type StoredPlace } from './stored-list.ts';

/** Where the lists of one job lie, and how many rows ask about them. */
export interface ListingOptions extends StoredPlace {
  /** Of the whole job: where they are few, asking row by row is cheaper. */
  readonly rows: number;
}

/** What lists are made of besides a site's API. */
export interface ListingPorts extends ListingOptions {
  readonly cache: ListingCache;
}

/** A list of more pages than a quarter of the rows is not worth them: the first ones would be wasted on most that are longer. */
const ROWS_A_PAGE = 4;
/** They are held in memory: more are not listed, whatever the rows. */
const MOST_PEOPLE = 250_000;
const USERS_A_PAGE = 1_000;
const MEMBERS_A_PAGE = 50;

const mostUserPages = (rows: number): number => Math.min(Math.floor(rows / ROWS_A_PAGE), MOST_PEOPLE / USERS_A_PAGE);

/** Lists of a Jira Cloud site. */
export function createCloudListings(
  jira: Pick<Jira, 'listUsers' | 'listMembers'>,
  ports: ListingPorts,
): Listings<JiraUser> {
  return {
    findUsers: (signal) =>
      ports.cache.keep(`${ports.prefix}users`, async () => {
        const items = await readList(cloudUsers(jira, ports), ports, signal);
        return items && describeUsers(items, { nameOf: ({ accountId }) => accountId, spell: asWritten, isWhole: true });
      }),
    findMembers: (group, share, signal) =>
      findMembers({ group, share, spell: asWritten, readPage: jira.listMembers }, ports, signal),
  };
}

const cloudUserSchema = z.object({
  accountId: z.string(),
  active: z.boolean(),
  accountType: z.string().optional(),
  emailAddress: z.string().optional(),
});

/** A server may give fewer than were asked for, but a page shorter than its default size is the last one. */
const DEFAULT_PAGE = 50;

const cloudUsers = (jira: Pick<Jira, 'listUsers'>, { rows }: ListingPorts): List<JiraUser> => ({
  name: 'users',
  item: cloudUserSchema,
  mostPages: mostUserPages(rows),
  readPage: readOverlapping(
    ({ accountId }) => accountId,
    async (startAt, signal) => {
      const items = await jira.listUsers(startAt, signal);
      // Whoever owns the token is one of the users: a list without anybody is not theirs to read.
      if (items.length === 0) return undefined;
      return { items, isLast: items.length < DEFAULT_PAGE };
    },
  ),
});

/** Lists of a Jira Data Center. */
export function createDataCenterListings(
  dataCenter: Pick<DataCenterMethods, 'listUsers' | 'findUsers' | 'listMembers'>,
  ports: ListingPorts,
): Listings<DataCenterUser> {
  const names = { nameOf: ({ username }: DataCenterUser): string => username, spell: inLowerCase };
  return {
    findUsers: (signal) =>
      ports.cache.keep(`${ports.prefix}users`, async () => {
        const listed = await readList(dataCenterUsers(dataCenter, ports), ports, signal);
        if (listed) return describeUsers(listed, { ...names, isWhole: true });
        // Older servers have a search alone, of which nobody knows whether it shows everybody.
        const found = await readList(foundUsers(dataCenter, ports), ports, signal);
        return found && describeUsers(found, { ...names, isWhole: false });
      }),
    findMembers: (group, share, signal) =>
      findMembers({ group, share, spell: inLowerCase, readPage: dataCenter.listMembers }, ports, signal),
  };
}

const dataCenterUserSchema = z.object({
  username: z.string(),
  key: z.string().optional(),
  emailAddress: z.string().optional(),
  active: z.boolean(),
});

/** Groups are folded in a list: none is not the same as unknown. */
const withoutGroups = ({ groups: _groups, ...user }: DataCenterUser): DataCenterUser => user;

const dataCenterUsers = (
  { listUsers }: Pick<DataCenterMethods, 'listUsers'>,
  { rows }: ListingPorts,
): List<DataCenterUser> => ({
  name: 'users',
  item: dataCenterUserSchema,
  mostPages: mostUserPages(rows),
  readPage: async (cursor, signal) => {
    const page = await listUsers(z.string().optional().parse(cursor), signal);
    // A cursor that does not move on would be read until it cost more than asking row by row.
    if (!page || (page.next !== undefined && (page.next === cursor || page.users.length === 0))) return undefined;
    return { items: page.users.map(withoutGroups), next: page.next };
  },
});

/** What finds everybody, as administrators use it; no page of Atlassian's promises that it does. */
const EVERYBODY = '.';

const foundUsers = (
  { findUsers }: Pick<DataCenterMethods, 'findUsers'>,
  { rows }: ListingPorts,
): List<DataCenterUser> => ({
  name: 'found-users',
  item: dataCenterUserSchema,
  mostPages: mostUserPages(rows),
  readPage: readOverlapping(
    ({ username }) => username.toLowerCase(),
    async (startAt, signal) => {
      const items = await findUsers(EVERYBODY, startAt, signal);
      return items.length === 0 ? undefined : { items: items.map(withoutGroups) };
    },
  ),
});

/** Account ids are compared to the letter; usernames in any case. */
const asWritten = (name: string): string => name;
const inLowerCase = (name: string): string => name.toLowerCase();

function describeUsers<User extends { readonly active: boolean; readonly emailAddress?: string | undefined }>(
  users: readonly User[],
  how: {
    readonly nameOf: (user: User) => string;
    readonly spell: (name: string) => string;
    readonly isWhole: boolean;
  },
): UserListing<User> {
  const { nameOf, spell, isWhole } = how;
  const byName = new Map(users.map((user) => [spell(nameOf(user)), user]));
  const all = [...byName.values()];
  const byEmail = Map.groupBy(
    all.filter(({ emailAddress }) => emailAddress !== undefined),
    ({ emailAddress = '' }) => foldCase(emailAddress),
  );
  return {
    find: (name) => byName.get(spell(name)),
    withEmail: (email) => byEmail.get(foldCase(email)) ?? [],
    size: all.length,
    hidden: all.filter(hidesEmail).length,
    active: all.filter(({ active }) => active).length,
    isWhole,
  };
}

/** Apps are users, too, and have no address. */
const hidesEmail = (user: { readonly emailAddress?: string | undefined; readonly accountType?: string | undefined }) =>
  user.emailAddress === undefined && user.accountType !== 'app';

interface MembersQuestion {
  readonly group: string;
  readonly share: { readonly asked: number; readonly of: number };
  readonly spell: (name: string) => string;
  readonly readPage: (group: string, startAt: number, signal: AbortSignal) => Promise<MembersPage | undefined>;
}

/** Fewer questions than this about a group cost less than half of what its shortest list does. */
const LEAST_QUESTIONS = 4;

/** What a chunk asks about a group is taken for its share of what the whole job does. */
async function findMembers(
  { group, share, spell, readPage }: MembersQuestion,
  ports: ListingPorts,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const questions = share.asked * Math.max(1, ports.rows / share.of);
  if (questions < LEAST_QUESTIONS) return undefined;
  const name = `members/${encodeURIComponent(group.toWellFormed())}`;
  return ports.cache.keep(ports.prefix + name, async () => {
    const list: List<string> = {
      name,
      item: z.string(),
      mostPages: Math.min(Math.floor(questions / 2), MOST_PEOPLE / MEMBERS_A_PAGE),
      readPage: readOverlapping(
        (member) => member,
        async (startAt, until) => {
          const page = await readPage(group, startAt, until);
          const pages = page?.total === undefined ? undefined : Math.ceil(page.total / MEMBERS_A_PAGE);
          return page && { items: page.members, isLast: page.isLast ?? page.members.length === 0, pages };
        },
      ),
    };
    const members = await readList(list, ports, signal);
    return members && new Set(members.map(spell));
  });
}

/** The lists that this process has last read: a job's next chunk asks about the same people. */
export interface ListingCache {
  readonly keep: <Value extends { readonly size: number }>(
    key: string,
    read: () => Promise<Value | undefined>,
  ) => Promise<Value | undefined>;
}

/** So many people, and members of groups, are kept. */
const MOST_KEPT = 500_000;

export function createListingCache(): ListingCache {
  const kept = new Map<string, { readonly value: unknown; readonly size: number }>();
  let size = 0;
  return {
    keep: async <Value extends { readonly size: number }>(key: string, read: () => Promise<Value | undefined>) => {
      const known = kept.get(key);
      if (known) return known.value as Value | undefined; // only this call puts anything under this key
      const value = await read();
      const entry = { value, size: value?.size ?? 1 };
      kept.set(key, entry);
      size += entry.size;
      for (const [oldest, { size: freed }] of kept) {
        if (size <= MOST_KEPT || oldest === key) break;
        kept.delete(oldest);
        size -= freed;
      }
      return value;
    },
  };
}
