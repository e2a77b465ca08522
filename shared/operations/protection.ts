import * as z from 'zod';

import type { Cloud, DataCenter, Group } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import type { Target } from '../target.ts';
import { quoted } from './columns.ts';
import { foldCase, sameEmail } from '../folding.ts';
import { readMembers } from './find-members.ts';
import type { Change, Effect } from './operation.ts';

/** Who and what no file may touch at a target, whatever the policy. */
export interface Protection {
  /** Why a file may not make this change; `undefined` when it may. */
  readonly refusalOf: (effect: Effect, change: Pick<Change, 'subject'>) => Refusal | undefined;
  /** Whether files may not change the members of a group: by its id, on Data Center by its name. */
  readonly isAdminGroup: (group: string) => boolean;
  /** How many members an admin group has, of whom the last one stays; `undefined` for any other group. */
  readonly countAdmins: (group: string) => number | undefined;
}

/** What is protected at a target: asked at most once a minute for whatever this process opens of it. */
export const openProtection = (apis: Cloud | DataCenter, signal: AbortSignal): Promise<Protection> =>
  apis.keep('protection', async () =>
    protect('jira' in apis ? await readCloud(apis, signal) : await readDataCenter(apis, signal)),
  );

/** Why somebody is protected; of several reasons the first one counts. */
const REASONS = ['owner', 'listed', 'admin', 'member'] as const;
type Reason = (typeof REASONS)[number];

interface ProtectedGroup {
  readonly name: string;
  /** By account id, on Data Center by username in lower case. */
  readonly members: ReadonlySet<string>;
}

interface Protected {
  readonly target: Target;
  /** By account id, on Data Center by username in lower case. */
  readonly people: ReadonlyMap<string, Reason>;
  /** By group id, on Data Center by name in lower case. */
  readonly groups: ReadonlyMap<string, ProtectedGroup>;
}

/** The ids that the operations' subjects have. */
const subjectSchema = z.object({
  accountId: z.string().optional(),
  username: z.string().optional(),
  groupId: z.string().optional(),
  group: z.string().optional(),
});

interface Named {
  readonly person: string | undefined;
  readonly group: string | undefined;
}

function nameSubject(subject: unknown): Named {
  const { accountId, username, groupId, group } = subjectSchema.parse(subject);
  return { person: accountId ?? username?.toLowerCase(), group: groupId ?? group?.toLowerCase() };
}

function protect(known: Protected): Protection {
  const { groups } = known;
  const find = (group: string): ProtectedGroup | undefined => groups.get(group) ?? groups.get(group.toLowerCase());
  return {
    isAdminGroup: (group) => find(group) !== undefined,
    countAdmins: (group) => find(group)?.members.size,
    refusalOf: (effect, { subject }) => {
      const named = nameSubject(subject);
      if (named.group !== undefined) return refuseMembership(named, effect, known);
      return effect === 'gives' ? undefined : refusePerson(named.person, known);
    },
  };
}

function refusePerson(person: string | undefined, { people, target }: Protected): Refusal | undefined {
  const reason = person === undefined ? undefined : people.get(person);
  if (person === undefined || reason === undefined) return undefined;
  return new Refusal(
    'PROTECTED',
    `${nameOf(person, target)} ${explain(reason, target)}: no file may take its access away or change its address. ${remedy(reason, target)}`,
  );
}

/** Only the members of admin groups are protected by this: other groups take and lose whomever a file says. */
function refuseMembership({ person = '', group = '' }: Named, effect: Effect, known: Protected): Refusal | undefined {
  const { groups, people, target } = known;
  const admins = groups.get(group);
  if (!admins) return undefined;
  const refuse = (why: string, help: string): Refusal => new Refusal('PROTECTED', `${why} ${help}`);
  if (target.allowAdminGroups !== true) {
    const what = effect === 'gives' ? 'add anybody to it' : 'take anybody out of it';
    return refuse(
      `The group ${quoted(admins.name)} is protected: no file may ${what}.`,
      `Make the change by hand, or set allowAdminGroups to true in the secret ${target.secretName}.`,
    );
  }
  if (effect === 'gives') return undefined;
  const reason = people.get(person);
  if (reason === 'owner' || reason === 'listed') {
    const why = `${nameOf(person, target)} ${explain(reason, target)}`;
    return refuse(`${why}: no file may take it out of the group ${quoted(admins.name)}.`, remedy(reason, target));
  }
  const isLast = admins.members.size <= 1 && admins.members.has(person);
  if (!isLast) return undefined;
  return refuse(
    `${nameOf(person, target)} is the last member of the group ${quoted(admins.name)}, which must keep one.`,
    'Add somebody else to the group first.',
  );
}

const nameOf = (person: string, { type }: Target): string =>
  `The ${type === 'cloud' ? 'account' : 'user'} ${quoted(person)}`;

function explain(reason: Reason, { name, secretName, type }: Target): string {
  switch (reason) {
    case 'owner':
      return `owns the token of the target ${name}`;
    case 'listed':
      return `is protected by the secret ${secretName}`;
    case 'admin':
      return 'administers the organisation or a site';
    case 'member':
      return type === 'cloud'
        ? 'is in a group of admins, or in a protected one'
        : 'administers Jira, or is in a protected group';
  }
}

const remedy = (reason: Reason, { secretName }: Target): string =>
  reason === 'listed'
    ? `Make the change by hand, or take it out of the list protected in the secret ${secretName}.`
    : 'Make the change by hand.';

/** The first reason of each person. */
function rank(reasons: readonly (readonly [Reason, Iterable<string>])[]): ReadonlyMap<string, Reason> {
  const ordered = reasons.toSorted(([one], [other]) => REASONS.indexOf(one) - REASONS.indexOf(other));
  const people = new Map<string, Reason>();
  for (const [reason, ids] of ordered) for (const id of ids) if (!people.has(id)) people.set(id, reason);
  return people;
}

/** Groups that make their members admins on a site, by the names that Atlassian gives them: Jira alone does not tell roles. */
const CLOUD_ADMIN_GROUPS = [
  'org-admins',
  'site-admins',
  'system-administrators',
  'administrators',
  'jira-administrators',
];

async function readCloud(apis: Cloud, signal: AbortSignal): Promise<Protected> {
  const { target, organisation } = apis;
  const listed = target.protected ?? [];
  const emails = listed.filter(isEmail);
  const names = listed.filter((entry) => !isEmail(entry));
  const [owners, admins, given, named, holders] = await Promise.all([
    findOwners(apis, signal),
    organisation?.findAdmins(signal) ?? [],
    organisation?.findAdminGroups(signal) ?? [],
    findGroups([...CLOUD_ADMIN_GROUPS, ...names], apis, signal),
    findHolders(emails, apis, signal),
  ]);
  const groups = new Map<string, ProtectedGroup>();
  const distinct = new Map([...given, ...named].map((group) => [group.groupId, group]));
  await Promise.all(
    [...distinct.values()].map(async ({ groupId, name }) => {
      groups.set(groupId, { name, members: new Set(await findMembers(groupId, apis, signal)) });
    }),
  );
  return {
    target,
    groups,
    people: rank([
      ['owner', owners],
      ['listed', [...names, ...holders]],
      ['admin', admins.map(idOf)],
      ...[...groups.values()].map(({ members }) => ['member', members] as const),
    ]),
  };
}

const idOf = ({ accountId }: { readonly accountId: string }): string => accountId;

const isEmail = (entry: string): boolean => entry.includes('@');

/** Whoever has the address that stands in the secret; and whom Jira says, who may have another one by now. */
async function findOwners(apis: Cloud, signal: AbortSignal): Promise<readonly string[]> {
  const [myself, holders] = await Promise.all([
    apis.jira.findMyself(signal).catch(unlessTemporary),
    findHolders([apis.target.email], apis, signal),
  ]);
  if (!(myself instanceof Refusal)) return [myself.accountId, ...holders];
  if (holders.length === 0) throw myself; // nobody tells whose the token is, so nobody could be told from its owner
  return holders;
}

function unlessTemporary(error: unknown): Refusal {
  if (error instanceof Refusal && !error.temporary) return error;
  throw error;
}

async function findHolders(
  emails: readonly string[],
  { jira, organisation }: Cloud,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (emails.length === 0) return [];
  const addresses = emails.map(foldCase);
  if (organisation) return (await organisation.findUsersByEmail(addresses, { groups: false }, signal)).map(idOf);
  const found = await Promise.all(
    addresses.map(async (email) =>
      (await jira.findUsers(email, signal)).filter(({ emailAddress = '' }) => sameEmail(emailAddress, email)),
    ),
  );
  return found.flat().map(idOf);
}

const findGroups = (
  names: readonly string[],
  { jira, organisation }: Cloud,
  signal: AbortSignal,
): Promise<readonly Group[]> => (organisation ?? jira).findGroupsByName(names, signal);

async function findMembers(groupId: string, { jira, organisation }: Cloud, signal: AbortSignal) {
  if (organisation) return (await organisation.findUsersByGroup(groupId, signal)).map(idOf);
  return (await readMembers('groupMembers', (startAt) => jira.listMembers(groupId, startAt, signal))) ?? [];
}

/** Which groups hold Jira's permissions to administer its API does not tell: these two do by default. */
const DATA_CENTER_ADMIN_GROUPS = ['jira-administrators', 'jira-system-administrators'];

async function readDataCenter(apis: DataCenter, signal: AbortSignal): Promise<Protected> {
  const { target } = apis;
  const listed = (target.protected ?? []).map((entry) => entry.toLowerCase());
  const groups = new Map<string, ProtectedGroup>();
  const [owner, holders] = await Promise.all([
    apis.findMyself(signal),
    Promise.all(listed.filter(isEmail).map((email) => findHoldersOnDataCenter(email, apis, signal))),
    ...[...new Set([...DATA_CENTER_ADMIN_GROUPS, ...listed])].map(async (name) => {
      const members = await readMembers('dcGroupMembers', (startAt) => apis.listMembers(name, startAt, signal));
      if (members) groups.set(name, { name, members: new Set(members.map((member) => member.toLowerCase())) });
    }),
  ]);
  return {
    target,
    groups,
    people: rank([
      ['owner', [owner.username.toLowerCase()]],
      ['listed', [...listed, ...holders.flat()]],
      ...[...groups.values()].map(({ members }) => ['member', members] as const),
    ]),
  };
}

async function findHoldersOnDataCenter(
  email: string,
  apis: DataCenter,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = await apis.findUsers(email, 0, signal);
  return found
    .filter(({ emailAddress = '' }) => sameEmail(emailAddress, email))
    .map(({ username }) => username.toLowerCase());
}
