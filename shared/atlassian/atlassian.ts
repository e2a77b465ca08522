import type { Dispatcher } from 'undici';
import * as z from 'zod';

import type { Chance, Clock } from '../ports.ts';
import { isToken, parseAddress, type CloudTarget, type DataCenterTarget, type Target } from '../target.ts';
import type { CallCount, Cloud, DataCenter, Keep, Organisation } from './apis.ts';
import { createApiClients, type Access, type ApiClient } from './api-client.ts';
import { createDataCenter } from './data-center.ts';
import { Refusal } from './errors.ts';
import { createHttp, type Http } from './http.ts';
import { createJira } from './jira-cloud.ts';
import {
  createCloudListings,
  createDataCenterListings,
  createListingCache,
  type ListingCache,
  type ListingOptions,
  type ListingPorts,
} from './listings.ts';
import { createOrganisation, createUserManagement, readDirectories } from './organisation.ts';
import { createRateLimiters, type RateLimiters } from './rate-limiter.ts';

export interface AtlassianOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  /** How many processes share each target's rate. */
  readonly workers: number;
  /** Bytes of one answer. */
  readonly responseLimitBytes: number;
  /** To one host; as many calls can be under way at once. */
  readonly connections?: number | undefined;
  /** The URL of a proxy that all calls go through. */
  readonly proxy?: string | undefined;
  /** Tests bring their own. */
  readonly dispatcher?: Dispatcher | undefined;
}

/** A target's APIs and how many calls went through them since they were opened. */
export type Opened =
  | { readonly type: 'cloud'; readonly apis: Cloud; readonly countCalls: () => CallCount }
  | { readonly type: 'data-center'; readonly apis: DataCenter; readonly countCalls: () => CallCount };

/** What bounds the calls of one batch. */
export interface OpenOptions {
  /** When the signal will end, in epoch milliseconds: a call that the rate limiter would begin later is refused at once. */
  readonly deadlineMs?: number | undefined;
  /** Awaited right before each call begins; throws (Withheld) what keeps it from beginning. */
  readonly beforeCall?: (() => Promise<void>) | undefined;
  /** For a job that asks about many people; without it each is asked about by a call where there is no search for many. */
  readonly listings?: ListingOptions | undefined;
  /** Whether Atlassian has answered at the target's address before, lately or in the same job: what answers in its place is an outage then. */
  readonly isKnown?: (() => Promise<boolean>) | undefined;
}

/** The port to all targets. */
export interface Atlassian {
  /** Cheap: one for each batch. Throws Refusal when the target cannot be called as it is described. */
  readonly open: (target: Target, options?: OpenOptions) => Opened;
  readonly close: () => Promise<void>;
}

/** The world of one process: connections by host and budgets by target live here, and are shared by all that it opens. */
export function createAtlassian(options: AtlassianOptions): Atlassian {
  const { clock, responseLimitBytes, connections = 100, proxy, dispatcher } = options;
  const http = createHttp({ responseLimitBytes, connections, proxy, dispatcher });
  const shared: Shared = {
    http,
    rateLimiters: createRateLimiters(options),
    clock,
    known: new Map(),
    answered: new Set(),
    kept: new Map(),
    cache: createListingCache(),
  };
  return {
    close: () => http.close(),
    open: (target, { deadlineMs = Infinity, beforeCall = allowAll, listings, isKnown = neverMet } = {}) => {
      const { open, countCalls } = createApiClients({ ...shared, deadlineMs, beforeCall, isKnown });
      const opening = { open, shared, listings: listings && { ...listings, cache: shared.cache } };
      return target.type === 'cloud'
        ? { type: 'cloud', apis: openCloud(target, opening), countCalls }
        : { type: 'data-center', apis: openDataCenter(target, opening), countCalls };
    },
  };
}

const allowAll = async (): Promise<void> => undefined;
const neverMet = async (): Promise<boolean> => false;

interface Shared {
  readonly http: Http;
  readonly rateLimiters: RateLimiters;
  readonly clock: Clock;
  /** What was asked once about a target and does not change: its directories, its cloud id. */
  readonly known: Map<string, unknown>;
  /** Addresses at which an API has answered. */
  readonly answered: Set<string>;
  /** What is believed for a minute, by target and name. */
  readonly kept: Map<string, { readonly value: unknown; readonly askedAtMs: number }>;
  readonly cache: ListingCache;
}

const KEPT_MS = 60_000;

/** Another secret of the same name is another target. */
const createKeep =
  (target: Target, { kept, clock }: Shared): Keep =>
  async <Value>(name: string, ask: () => Promise<Value>) => {
    const key = JSON.stringify([target, name]);
    const askedAtMs = clock.now().getTime();
    for (const [other, entry] of kept) if (askedAtMs - entry.askedAtMs >= KEPT_MS) kept.delete(other);
    const known = kept.get(key);
    if (known) return known.value as Value; // only this call puts anything under this key
    const value = await ask();
    kept.set(key, { value, askedAtMs });
    return value;
  };

interface Opening {
  readonly open: (access: Access) => ApiClient;
  readonly shared: Shared;
  readonly listings: ListingPorts | undefined;
}

function openCloud(target: CloudTarget, { open, shared, listings }: Opening): Cloud {
  const { name, siteUrl, apiUrl, email, apiToken, cloudId, orgId, orgApiKey } = target;
  const basic = Buffer.from(`${email}:${apiToken}`).toString('base64');
  const secrets = [apiToken, basic, orgApiKey ?? ''];
  const site: Access = {
    target: name,
    baseUrl: checkAddress('siteUrl', siteUrl),
    secrets,
    checks: 'siteUrl (the name of the site: it may have been renamed or deactivated)',
  };
  const api = checkAddress('apiUrl', apiUrl);
  const jira = createJira(
    open({
      ...site,
      authorization: `Basic ${basic}`,
      ...(cloudId !== undefined && {
        baseUrl: `${api}/ex/jira/${encodeURIComponent(cloudId)}`,
        checks: `cloudId ${JSON.stringify(cloudId)} and apiUrl`,
      }),
    }),
  );
  const apis = {
    target,
    jira,
    keep: createKeep(target, shared),
    listings: listings && createCloudListings(jira, listings),
  };
  if (orgId === undefined || orgApiKey === undefined) return apis;
  const admin = open({
    target: name,
    baseUrl: api,
    authorization: createBearer('orgApiKey', orgApiKey),
    secrets,
    checks: 'orgId and apiUrl',
  });
  const organisation = openOrganisation({ target, orgId, admin, site: open(site), shared });
  return {
    ...apis,
    organisation: {
      ...organisation,
      listVerifiedDomains: (signal) => apis.keep('domains', () => organisation.listVerifiedDomains(signal)),
    },
    userManagement: createUserManagement(admin),
  };
}

interface OrganisationContext {
  readonly target: CloudTarget;
  readonly orgId: string;
  readonly admin: ApiClient;
  /** The site without credentials. */
  readonly site: ApiClient;
  readonly shared: Shared;
}

function openOrganisation({ target, orgId, admin, site, shared }: OrganisationContext): Organisation {
  const findDirectories = askOnce(shared, ['directories', target.apiUrl, orgId], (signal) =>
    readDirectories(admin, { orgId }, signal),
  );
  const findDirectoryOf = async (accountId: string, signal: AbortSignal): Promise<string> =>
    pickOnly(await findDirectories(signal)) ??
    pickOnly(await readDirectories(admin, { orgId, accountId }, signal)) ??
    refuseSeveralDirectories(accountId);
  const findCloudId = askOnce(shared, ['cloudId', target.siteUrl], (signal) => readCloudId(site, signal));
  const given = target.directoryId;
  return createOrganisation({
    client: admin,
    orgId,
    findDirectoryForReads: async (signal) => given ?? pickOnly(await findDirectories(signal)) ?? ALL_DIRECTORIES,
    findDirectoryOf: async (accountId, signal) => given ?? (await findDirectoryOf(accountId, signal)),
    findCloudId: async (signal) => target.cloudId ?? findCloudId(signal),
  });
}

/** Stands for every directory that the key may manage, in look-ups only (organisation REST API v2). */
const ALL_DIRECTORIES = '-';

const pickOnly = (ids: readonly string[]): string | undefined => (ids.length === 1 ? ids[0] : undefined);

function refuseSeveralDirectories(accountId: string): never {
  throw new Refusal(
    'REQUEST_REFUSED',
    `The account ${JSON.stringify(accountId)} is in none of the organisation's directories, or in more than one. ` +
      "Set directoryId in the target's secret to the one that is meant.",
  );
}

/** Asks once for all the batches of this process; only a success is kept. */
function askOnce<Value>(
  { known }: Shared,
  key: readonly string[],
  ask: (signal: AbortSignal) => Promise<Value>,
): (signal: AbortSignal) => Promise<Value> {
  const name = JSON.stringify(key);
  return async (signal) => {
    const kept = known.get(name);
    if (kept !== undefined) return kept as Value; // only this call puts anything under this name
    const value = await ask(signal);
    known.set(name, value);
    return value;
  };
}

/** Every site tells its cloud id to anybody (support.atlassian.com, "Retrieve my Atlassian site's Cloud ID"). */
async function readCloudId(site: ApiClient, signal: AbortSignal): Promise<string> {
  const schema = z.object({ cloudId: z.string().min(1) });
  return (await site.read('tenant', { schema }, signal)).cloudId;
}

function openDataCenter(target: DataCenterTarget, { open, shared, listings }: Opening): DataCenter {
  const { name, baseUrl, token } = target;
  const keep = createKeep(target, shared);
  const methods = createDataCenter(
    open({
      target: name,
      baseUrl: checkAddress('baseUrl', baseUrl),
      authorization: createBearer('token', token),
      secrets: [token],
      checks: 'baseUrl, with the context path of your Jira (such as /jira) if it has one',
    }),
    { keep, clock: shared.clock },
  );
  return {
    target,
    ...methods,
    keep,
    listings: listings && createDataCenterListings(methods, listings),
  };
}

function createBearer(field: 'orgApiKey' | 'token', token: string): string {
  if (isToken(token)) return `Bearer ${token}`;
  throw new Refusal(
    'UNAUTHORIZED',
    `The ${field} in the target's secret has characters that no token has. Put only the token there.`,
  );
}

function checkAddress(field: 'siteUrl' | 'apiUrl' | 'baseUrl', text: string): string {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new Refusal(
    'REQUEST_REFUSED',
    `The ${field} in the target's secret is not an https address; nothing was sent. Correct the secret.`,
  );
}
