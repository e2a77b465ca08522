import { describe, expect, it } from 'vitest';

import type { Jira, JiraUser } from '../../../shared/atlassian/apis.ts';
import type { DataCenterMethods } from '../../../shared/atlassian/data-center.ts';
import { NoAnswer, RateLimited, Refusal } from '../../../shared/atlassian/errors.ts';
import {
  createCloudListings,
  createDataCenterListings,
  createListingCache,
  type ListingOptions,
} from '../../../shared/atlassian/listings.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { membersPage } from '../../fakes/atlassian-watch.ts';

const { signal } = new AbortController();

const people = (count: number): JiraUser[] =>
  Array.from({ length: count }, (_, n) => ({
    accountId: `a-${n}`,
    active: n % 10 > 0,
    accountType: 'atlassian',
    emailAddress: `Person.${n}@b.example`,
  }));

const options = (more: Partial<ListingOptions> = {}): ListingOptions => ({
  store: memoryObjectStore(),
  rows: 10_000,
  prefix: 'plan/job-1/1/lists/',
  ...more,
});

/** A site whose pages are counted; `before` may do something before a page is given, such as throw. */
function site(users: JiraUser[], before: (call: number) => void = () => undefined) {
  let calls = 0;
  const jira: Pick<Jira, 'listUsers' | 'listMembers'> = {
    listUsers: async (startAt) => {
      before((calls += 1));
      return users.slice(startAt, startAt + 1_000);
    },
    listMembers: async (group, startAt) => {
      before((calls += 1));
      return group === 'none'
        ? undefined
        : membersPage(
            users.map(({ accountId }) => accountId),
            startAt,
          );
    },
  };
  return {
    calls: () => calls,
    /** A process of its own, which has read nothing yet. */
    open: (given: ListingOptions) => createCloudListings(jira, { ...given, cache: createListingCache() }),
  };
}

describe('the list of all users', () => {
  it('holds everybody of ten thousand by a page for each thousand', async () => {
    const { open, calls } = site(people(10_000));

    const users = await open(options()).findUsers(signal);

    expect(users).toMatchObject({ size: 10_000, active: 9_000, hidden: 0, isWhole: true });
    expect(users?.find('a-9999')).toMatchObject({ emailAddress: 'Person.9999@b.example' });
    expect(users?.find('A-9999')).toBeUndefined();
    expect(users?.withEmail('person.1@B.example')).toMatchObject([{ accountId: 'a-1' }]);
    expect(users?.withEmail('nobody@b.example')).toEqual([]);
    expect(calls()).toBeLessThanOrEqual(12);
  });

  it('counts whoever hides an address, but no apps', async () => {
    const hidden = [
      { accountId: 'h', active: true },
      { accountId: 'app', active: true, accountType: 'app' },
    ];

    expect(await site(hidden).open(options()).findUsers(signal)).toMatchObject({ size: 2, hidden: 1 });
  });

  it('is read once for all the chunks and planners of a job', async () => {
    const { open, calls } = site(people(3_000));
    const given = options();

    const first = open(given);
    await first.findUsers(signal);
    await first.findUsers(signal);
    const before = calls();
    const users = await open(given).findUsers(signal);

    expect(calls()).toBe(before);
    expect(users?.size).toBe(3_000);
  });

  it('is read anew for another plan', async () => {
    const { open, calls } = site(people(30));
    const given = options();

    await open(given).findUsers(signal);
    await open({ ...given, prefix: 'plan/job-1/2/lists/' }).findUsers(signal);

    expect(calls()).toBe(2);
  });

  it.each([3, 39])('is not read by a job of few rows: %i against a site of %i thousand', async (rows) => {
    const { open, calls } = site(people(11_000));

    expect(await open(options({ rows })).findUsers(signal)).toBeUndefined();
    expect(calls()).toBeLessThan(rows / 2);
  });

  it('goes on where an interruption ended it, and loses no page', async () => {
    const { open, calls } = site(people(6_000), (call) => {
      if (call === 4) throw new RateLimited('later', { notBeforeMs: 0, sent: false });
    });
    const given = options();

    await expect(open(given).findUsers(signal)).rejects.toThrow(RateLimited);
    const users = await open(given).findUsers(signal);

    expect(users?.size).toBe(6_000);
    expect(calls()).toBe(8); // six pages, one that says that they were all, and the one that was interrupted
  });

  it.each([new NoAnswer('cut'), new Refusal('ATLASSIAN_ERROR', 'down'), new Refusal('UNAUTHORIZED', 'no')])(
    'is not given up for %s',
    async (error) => {
      const { open } = site(people(10), () => {
        throw error;
      });

      await expect(open(options()).findUsers(signal)).rejects.toBe(error);
    },
  );

  it.each(['FORBIDDEN', 'REQUEST_REFUSED'] as const)('is given up when it is refused with %s, once', async (code) => {
    const { open, calls } = site(people(10), () => {
      throw new Refusal(code, 'no');
    });
    const given = options();

    expect(await open(given).findUsers(signal)).toBeUndefined();
    expect(await open(given).findUsers(signal)).toBeUndefined();
    expect(calls()).toBe(1);
  });

  it('is not trusted when somebody left while it was read: another may have been passed over', async () => {
    const users = people(2_500);
    const { open } = site(users, (call) => {
      if (call === 2) users.shift();
    });

    expect(await open(options()).findUsers(signal)).toBeUndefined();
  });

  it('is not trusted when it holds nobody, not even the owner of the token', async () => {
    expect(await site([]).open(options()).findUsers(signal)).toBeUndefined();
  });

  it('of two that read at once counts as the first one stored it', async () => {
    const given = options();
    const { open } = site(people(1_500));
    const others = site(people(1_600));

    const [one, other] = await Promise.all([open(given).findUsers(signal), others.open(given).findUsers(signal)]);

    expect(one?.size).toBe(other?.size);
  });
});

describe("a group's members", () => {
  const many = { asked: 500, of: 500 };

  it('are all of them, by a page for each fifty', async () => {
    const { open, calls } = site(people(1_000));

    const members = await open(options()).findMembers('g', many, signal);

    expect(members?.size).toBe(1_000);
    expect(members?.has('a-999')).toBe(true);
    expect(calls()).toBeLessThanOrEqual(22);
  });

  it.each([
    ['few questions about a large group', { asked: 5, of: 500 }, 2_000, 6_000, 1],
    ['a question alone', { asked: 1, of: 500 }, 500, 60, 0],
  ])('are not read for %s', async (_, share, rows, size, probes) => {
    const { open, calls } = site(people(size));

    expect(await open(options({ rows })).findMembers('g', share, signal)).toBeUndefined();
    expect(calls()).toBe(probes);
  });

  it('are none of an empty group, and not known of one that is not there', async () => {
    expect(await site([]).open(options()).findMembers('g', many, signal)).toEqual(new Set());
    expect(await site([]).open(options()).findMembers('none', many, signal)).toBeUndefined();
  });
});

describe('Data Center', () => {
  const users = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ username: `User${n}`, key: `k${n}`, active: true, groups: [] }));

  function server(all: ReturnType<typeof users>, older: boolean) {
    const methods: Pick<DataCenterMethods, 'listUsers' | 'findUsers' | 'listMembers'> = {
      listUsers: async (cursor = '0') => {
        const next = Number(cursor) + 2_000;
        return older
          ? undefined
          : { users: all.slice(Number(cursor), next), next: next < all.length ? `${next}` : undefined };
      },
      findUsers: async (_query, startAt) => all.slice(0, 100).slice(startAt),
      listMembers: async (_group, startAt) =>
        membersPage(
          all.map(({ username }) => username),
          startAt,
        ),
    };
    return createDataCenterListings(methods, { ...options(), cache: createListingCache() });
  }

  it('is listed whole, usernames in any case, and no groups are taken for none', async () => {
    const listing = await server(users(5_000), false).findUsers(signal);

    expect(listing).toMatchObject({ size: 5_000, isWhole: true });
    expect(listing?.find('uSER4999')).toEqual({ username: 'User4999', key: 'k4999', active: true });
  });

  it('is not known to be whole where only a search shows people', async () => {
    const listing = await server(users(5_000), true).findUsers(signal);

    expect(listing).toMatchObject({ size: 100, isWhole: false });
  });

  it('tells members by usernames in lower case', async () => {
    const members = await server(users(60), false).findMembers('G', { asked: 60, of: 60 }, signal);

    expect(members?.has('user59')).toBe(true);
  });
});
