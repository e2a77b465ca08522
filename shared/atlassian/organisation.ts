import * as z from 'zod';

import { inChunks } from './request-path.ts';
import type { Answer, Group, Organisation, OrganisationUser } from './apis.ts';
import type { ApiClient } from './api-client.ts';
import { NoAnswer, Refusal } from './errors.ts';
import { readCursorPages } from './pages.ts';

const text = z.string().min(1).nullish().catch(undefined);

const groupIdSchema = z.union([z.string(), z.object({ id: z.string() }), z.object({ groupId: z.string() })]);

/** All of a user's fields are optional; `groups` comes only when it is asked for. */
const userSchema = z
  .object({
    accountId: z.string().min(1),
    email: text,
    accountStatus: text,
    membershipStatus: text,
    claimStatus: text,
    managementSource: text,
    groups: z.array(groupIdSchema).optional().catch(undefined),
  })
  .transform(({ accountId, groups, ...rest }): OrganisationUser => ({
    accountId,
    email: rest.email ?? undefined,
    accountStatus: rest.accountStatus ?? undefined,
    membershipStatus: rest.membershipStatus ?? undefined,
    claimStatus: rest.claimStatus ?? undefined,
    managementSource: rest.managementSource ?? undefined,
    groupIds: groups?.map((group) => (typeof group === 'string' ? group : 'id' in group ? group.id : group.groupId)),
  }));

const groupSchema = z
  .object({
    id: z.string().min(1),
    name: z.string(),
    externalSynced: z.boolean().nullish().catch(undefined),
    managedBy: text,
  })
  .transform(({ id, name, externalSynced, managedBy }): Group => {
    const known = typeof externalSynced === 'boolean' || typeof managedBy === 'string';
    return { groupId: id, name, external: known ? externalSynced === true || managedBy === 'external' : undefined };
  });

const domainSchema = z.object({
  attributes: z.object({
    name: z.string(),
    claim: z.object({ status: z.string() }).nullish().catch(undefined),
  }),
});

const invitedSchema = z.object({
  data: z.array(
    z.object({
      email: z.string().nullish(),
      results: z.array(z.object({ status: z.string().nullish(), statusReason: z.string().nullish() })).nullish(),
    }),
  ),
});

/** Values in one search, and people on one of its pages (at most 100). */
const VALUES_A_CALL = 50;
const PAGE = 100;

const USER_ROLE = 'atlassian/user';
/** Roles with which somebody may use a product as an invitation would let them; guests and customers may not (organisation REST API v2). */
const ACCESS_ROLES = [USER_ROLE, 'atlassian/admin'];

export interface OrganisationOptions {
  readonly client: ApiClient;
  readonly orgId: string;
  readonly suspendApi: 'v2' | 'v1';
  readonly directoryForReads: (signal: AbortSignal) => Promise<string>;
  readonly directoryForWrites: (signal: AbortSignal) => Promise<string>;
  /** The site whose products an invitation gives. */
  readonly cloudId: (signal: AbortSignal) => Promise<string>;
}

/** Atlassian's organisation API: the v2 directory, and v1 where that has no successor or the target asks for it. */
export function createOrganisation(options: OrganisationOptions): Organisation {
  const { client, orgId, directoryForReads, cloudId } = options;

  const search = async <Item>(
    what: { readonly call: 'searchUsers' | 'searchGroups'; readonly item: z.ZodType<Item>; readonly by: string },
    wanted: { readonly values: readonly string[]; readonly also?: Readonly<Record<string, unknown>> },
    signal: AbortSignal,
  ): Promise<readonly Item[]> => {
    if (wanted.values.length === 0) return [];
    const path = { orgId, directoryId: await directoryForReads(signal) };
    const found = await Promise.all(
      inChunks(wanted.values, { count: VALUES_A_CALL }).map((chunk) => {
        const body = { [what.by]: chunk, limit: PAGE, ...wanted.also };
        const given = (cursor?: string) => ({ path, body: cursor === undefined ? body : { ...body, cursor } });
        return readCursorPages({ client, call: what.call, item: what.item, given }, signal);
      }),
    );
    return found.flat();
  };

  const users =
    (by: 'emails' | 'accountIds') =>
    (values: readonly string[], { groups }: { readonly groups: boolean }, signal: AbortSignal) =>
      search(
        { call: 'searchUsers', item: userSchema, by },
        { values, also: groups ? { expand: ['groups'] } : {} },
        signal,
      );

  const groups = (by: 'groupNames' | 'groupIds') => (values: readonly string[], signal: AbortSignal) =>
    search({ call: 'searchGroups', item: groupSchema, by }, { values }, signal);

  return {
    usersByEmail: users('emails'),
    usersById: users('accountIds'),
    usersByProduct: async (product, accountIds, signal) => {
      if (accountIds.length === 0) return [];
      const also = { resourceIds: [resourceOf(product, await cloudId(signal))], roleIds: ACCESS_ROLES };
      return search({ call: 'searchUsers', item: userSchema, by: 'accountIds' }, { values: accountIds, also }, signal);
    },
    groupsByName: groups('groupNames'),
    groupsById: groups('groupIds'),
    verifiedDomains: async (signal) => {
      const given = (cursor?: string) => ({
        path: { orgId },
        query: cursor === undefined ? [] : [['cursor', cursor] as const],
      });
      const domains = await readCursorPages({ client, call: 'domains', item: domainSchema, given }, signal);
      return domains
        .filter(({ attributes }) => attributes.claim?.status === 'verified')
        .map(({ attributes }) => attributes.name.toLowerCase());
    },
    suspend: access(options, { v1: 'suspendV1', v2: 'suspend' }),
    restore: access(options, { v1: 'restoreV1', v2: 'restore' }),
    invite: async ({ email, products }, signal) => {
      const site = await cloudId(signal);
      const permissionRules = products.map((product) => ({
        resource: resourceOf(product, site),
        role: USER_ROLE,
      }));
      const { answer, json } = await client.writeAndRead(
        'invite',
        { path: { orgId }, body: { emails: [email], permissionRules } },
        signal,
      );
      return invited(answer, json);
    },
  };
}

/** A site's product as the organisation API names it (its ARI). */
const resourceOf = (product: string, cloudId: string): string => `ari:cloud:${product}::site/${cloudId}`;

/** v1 takes no body and knows no directory; v2 answers 415 to a request without a JSON body. */
function access(
  { client, orgId, suspendApi, directoryForWrites }: OrganisationOptions,
  calls: { readonly v1: 'suspendV1' | 'restoreV1'; readonly v2: 'suspend' | 'restore' },
): Organisation['suspend'] {
  return async (accountId, signal) => {
    if (suspendApi === 'v1') return client.write(calls.v1, { path: { orgId, accountId } }, signal);
    const path = { orgId, accountId, directoryId: await directoryForWrites(signal) };
    return client.write(calls.v2, { path, body: {} }, signal);
  };
}

/** An invitation is answered person by person and product by product, inside one success. */
function invited(answer: Answer, json: unknown): Answer {
  const { httpStatus, traceId } = answer;
  const results = invitedSchema.safeParse(json).data?.data.flatMap((person) => person.results ?? []) ?? [];
  const failed = results.find(({ status }) => status === 'ERROR');
  if (failed === undefined && results.length > 0 && results.every(({ status }) => status === 'INVITED')) return answer;
  if (failed === undefined)
    throw new NoAnswer('Atlassian took the invitation without saying what became of it; it has to be read back.');
  const reason = failed.statusReason ?? 'no reason given';
  const code = /licen[cs]e|seat|limit/i.test(reason) ? 'LICENCE_LIMIT' : 'REQUEST_REFUSED';
  throw new Refusal(code, `Atlassian did not invite the user: "${reason.slice(0, 300)}".`, { httpStatus, traceId });
}
