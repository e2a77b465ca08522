import type { CloudTarget, DataCenterTarget } from '../target.ts';

/** What a write answered. `unchanged` when Atlassian itself says that it was so already. */
export interface Answer {
  readonly status: 'changed' | 'unchanged';
  readonly httpStatus: number;
  readonly traceId?: string | undefined;
}

/** A group of Jira Cloud or of the organisation. */
export interface Group {
  readonly groupId: string;
  readonly name: string;
  /** Synchronised from an identity provider; unknown (undefined) where only Jira could be asked. */
  readonly external?: boolean | undefined;
}

/** A person as Jira Cloud shows them. */
export interface JiraUser {
  readonly accountId: string;
  readonly active: boolean;
  /** atlassian, app or customer. */
  readonly accountType?: string | undefined;
  /** Absent when Atlassian hides it. */
  readonly emailAddress?: string | undefined;
  /** Keys of the Jira products that the person may use (`expand=applicationRoles`); only `user` gives them. */
  readonly products?: readonly string[] | undefined;
}

/** A person as the organisation's directory shows them; every field but the id may be missing. */
export interface OrganisationUser {
  readonly accountId: string;
  readonly email?: string | undefined;
  readonly accountStatus?: string | undefined;
  /** active, suspended or no_membership. */
  readonly membershipStatus?: string | undefined;
  /** managed or unmanaged. */
  readonly claimStatus?: string | undefined;
  /** synced means SCIM. */
  readonly managementSource?: string | undefined;
  /** Whether Jira lets the person in, where Jira was asked. */
  readonly active?: boolean | undefined;
  /** Ids of groups that the person is in, perhaps not of all; absent when they were not asked for or not given. */
  readonly groupIds?: readonly string[] | undefined;
}

/** One page of a group's members. */
export interface MembersPage {
  /** Account ids; on Data Center usernames. */
  readonly members: readonly string[];
  /** How many there are in all. */
  readonly total?: number | undefined;
  readonly isLast?: boolean | undefined;
}

/** All methods throw Refusal, RateLimited or NoAnswer (errors.ts), and take a signal that ends at the function's deadline. */
export interface Jira {
  /** Everybody whom the query finds, inexact matches among them. GET user/search. */
  readonly findUsers: (query: string, signal: AbortSignal) => Promise<readonly JiraUser[]>;
  /** GET user; `undefined` on 404. */
  readonly findUser: (accountId: string, signal: AbortSignal) => Promise<JiraUser | undefined>;
  /** Those of these accounts whom Jira knows, inactive ones too. GET user/bulk. */
  readonly findUsersById: (accountIds: readonly string[], signal: AbortSignal) => Promise<readonly JiraUser[]>;
  /** One page of all users, inactive ones too. GET users/search. */
  readonly listUsers: (startAt: number, signal: AbortSignal) => Promise<readonly JiraUser[]>;
  /** The owner of the token. GET myself. */
  readonly findMyself: (signal: AbortSignal) => Promise<JiraUser>;
  /** Inactive people are members, too; people whose access is suspended are left out. GET group/member; `undefined` on 404. */
  readonly listMembers: (groupId: string, startAt: number, signal: AbortSignal) => Promise<MembersPage | undefined>;
  /** GET user/groups; `undefined` on 404. */
  readonly findGroupsOfUser: (accountId: string, signal: AbortSignal) => Promise<readonly Group[] | undefined>;
  /** GET group/bulk by exact names, in as few calls as it allows. */
  readonly findGroupsByName: (names: readonly string[], signal: AbortSignal) => Promise<readonly Group[]>;
  /** GET group/bulk by ids. */
  readonly findGroupsById: (groupIds: readonly string[], signal: AbortSignal) => Promise<readonly Group[]>;
  /** Groups whose names contain a text, in any case; not all of them where there are many. GET groups/picker. */
  readonly pickGroups: (text: string, signal: AbortSignal) => Promise<readonly Group[]>;
  readonly addToGroup: (member: GroupMember, signal: AbortSignal) => Promise<Answer>;
  readonly removeFromGroup: (member: GroupMember, signal: AbortSignal) => Promise<Answer>;
  /** POST user. 201 is also the answer for one who exists and has access. */
  readonly createUser: (
    user: { readonly emailAddress: string; readonly products: readonly string[] },
    signal: AbortSignal,
  ) => Promise<Answer & { readonly accountId?: string | undefined }>;
}

/** Who is, or is to be, in which group. */
export interface GroupMember {
  readonly groupId: string;
  readonly accountId: string;
}

/** The organisation API, which suspends, restores, invites and finds people by the exact address. */
export interface Organisation {
  /** POST v2 users/search by e-mail, exact, suspended people included. */
  readonly findUsersByEmail: FindOrganisationUsers;
  /** POST v2 users/search by account id. */
  readonly findUsersById: FindOrganisationUsers;
  /**
   * Those with these addresses who may use a product of the target's site, such as confluence: POST v2 users/search by e-mail,
   * narrowed to the product's resource and to the roles that give access (`resourceIds`, `roleIds`).
   */
  readonly findUsersByProduct: (
    product: string,
    emails: readonly string[],
    signal: AbortSignal,
  ) => Promise<readonly OrganisationUser[]>;
  /** Whoever administers the organisation or a site. POST v2 users/search by the roles `atlassian/org-admin` and `atlassian/site-admin`. */
  readonly findAdmins: (signal: AbortSignal) => Promise<readonly OrganisationUser[]>;
  /** Groups that make their members such admins. POST v2 groups/search by the same roles. */
  readonly findAdminGroups: (signal: AbortSignal) => Promise<readonly Group[]>;
  /** The people of a group, suspended ones too. POST v2 users/search by group id. */
  readonly findUsersByGroup: (groupId: string, signal: AbortSignal) => Promise<readonly OrganisationUser[]>;
  /** How many people the directory has who are neither suspended nor deactivated. GET v2 users/count. */
  readonly countActiveUsers: (signal: AbortSignal) => Promise<number>;
  /** POST v2 groups/search by exact names. */
  readonly findGroupsByName: (names: readonly string[], signal: AbortSignal) => Promise<readonly Group[]>;
  readonly findGroupsById: (groupIds: readonly string[], signal: AbortSignal) => Promise<readonly Group[]>;
  /** Names of the domains whose claim is verified, lower-cased. GET v1 domains. */
  readonly listVerifiedDomains: (signal: AbortSignal) => Promise<readonly string[]>;
  /** POST v2 suspend, in the person's directory. */
  readonly suspend: (accountId: string, signal: AbortSignal) => Promise<Answer>;
  readonly restore: (accountId: string, signal: AbortSignal) => Promise<Answer>;
  /** POST v2 users/invite, which can fail for one person inside a success: that is thrown as a Refusal. */
  readonly invite: (
    invitation: { readonly email: string; readonly products: readonly string[] },
    signal: AbortSignal,
  ) => Promise<Answer>;
}

/** With group ids when `groups`. */
type FindOrganisationUsers = (
  values: readonly string[],
  options: { readonly groups: boolean },
  signal: AbortSignal,
) => Promise<readonly OrganisationUser[]>;

/** The user-management API, for accounts that the organisation manages. */
export interface UserManagement {
  /** The account's present address and status, from GET manage/profile; `undefined` on 404. */
  readonly findProfile: (
    accountId: string,
    signal: AbortSignal,
  ) => Promise<{ readonly email?: string | undefined; readonly accountStatus?: string | undefined } | undefined>;
  readonly setEmail: (accountId: string, email: string, signal: AbortSignal) => Promise<Answer>;
  readonly disable: (accountId: string, message: string | undefined, signal: AbortSignal) => Promise<Answer>;
  readonly enable: (accountId: string, signal: AbortSignal) => Promise<Answer>;
}

/** Asks, and keeps the answer for a minute for whatever this process opens of the target; only a success is kept. */
export type Keep = <Value>(name: string, ask: () => Promise<Value>) => Promise<Value>;

/** Everybody on a site, with what tells people apart. */
export interface UserListing<User> {
  /** By account id; on Data Center by username, in any case. */
  readonly find: (id: string) => User | undefined;
  /** Whoever shows this address. */
  readonly withEmail: (email: string) => readonly User[];
  readonly size: number;
  /** People who may have an address that they do not show. */
  readonly hidden: number;
  readonly active: number;
  /** Whoever is not in it is not there. */
  readonly isWhole: boolean;
}

/** Whole lists, for a job that asks about many people: each is read once for the whole job, and stored. */
export interface Listings<User> {
  /** `undefined` when asking row by row is cheaper, or the server gives no such list. */
  readonly findUsers: (signal: AbortSignal) => Promise<UserListing<User> | undefined>;
  /** The members of a group, by id (on Data Center by name, which gives usernames in lower case), where so much of a chunk asks about it. */
  readonly findMembers: (
    group: string,
    share: { readonly asked: number; readonly of: number },
    signal: AbortSignal,
  ) => Promise<ReadonlySet<string> | undefined>;
}

/** One Cloud site; what needs organisation keys is absent without them. */
export interface Cloud {
  readonly target: CloudTarget;
  readonly jira: Jira;
  readonly organisation?: Organisation | undefined;
  readonly userManagement?: UserManagement | undefined;
  readonly keep: Keep;
  /** Absent where single people are asked about. */
  readonly listings?: Listings<JiraUser> | undefined;
}

/** A user as Jira Data Center shows them. */
export interface DataCenterUser {
  readonly username: string;
  /** Stays the same when the user is renamed. */
  readonly key?: string | undefined;
  readonly emailAddress?: string | undefined;
  readonly active: boolean;
  /** Names of the user's groups, when they were asked for. */
  readonly groups?: readonly string[] | undefined;
}

/** One page of a Data Center's users, and where the next begins. */
export interface DataCenterPage {
  readonly users: readonly DataCenterUser[];
  readonly next?: string | undefined;
}

/** One Jira Data Center. */
export interface DataCenter {
  readonly target: DataCenterTarget;
  readonly keep: Keep;
  /** Absent where single people are asked about. */
  readonly listings?: Listings<DataCenterUser> | undefined;
  /** GET user with groups; `undefined` on 404. */
  readonly findUser: (username: string, signal: AbortSignal) => Promise<DataCenterUser | undefined>;
  /** The owner of the token. GET myself. */
  readonly findMyself: (signal: AbortSignal) => Promise<DataCenterUser>;
  /** One page of all users, each once, inactive ones too. GET user/list; `undefined` from a server that has no such list. */
  readonly listUsers: (cursor: string | undefined, signal: AbortSignal) => Promise<DataCenterPage | undefined>;
  /** One page of whom a query finds by the beginnings of usernames, names and addresses; Jira 10 gives the first 100 at most. GET user/search. */
  readonly findUsers: (query: string, startAt: number, signal: AbortSignal) => Promise<readonly DataCenterUser[]>;
  /** GET group/member; `undefined` on 404. */
  readonly listMembers: (group: string, startAt: number, signal: AbortSignal) => Promise<MembersPage | undefined>;
  /** Names of groups that contain a text, in any case; not whole where the picker stops at its limit. GET groups/picker. */
  readonly pickGroups: (
    text: string,
    signal: AbortSignal,
  ) => Promise<{ readonly names: readonly string[]; readonly isWhole: boolean }>;
  /** Whether a group of this name, in any case, is there. GET group/member. */
  readonly hasGroup: (name: string, signal: AbortSignal) => Promise<boolean>;
  readonly addToGroup: (member: DataCenterMember, signal: AbortSignal) => Promise<Answer>;
  readonly removeFromGroup: (member: DataCenterMember, signal: AbortSignal) => Promise<Answer>;
  readonly createUser: (
    user: { readonly username: string; readonly emailAddress: string; readonly displayName: string },
    signal: AbortSignal,
  ) => Promise<Answer>;
  /** PUT user: only what is given changes. A server that ignores `active` is thrown as a Refusal. */
  readonly updateUser: (
    username: string,
    change: { readonly emailAddress?: string; readonly active?: boolean },
    signal: AbortSignal,
  ) => Promise<Answer>;
}

interface DataCenterMember {
  readonly group: string;
  readonly username: string;
}

/** Calls made through a set of APIs since they were opened, for the summary. */
export interface CallCount {
  readonly sent: number;
  readonly rateLimited: number;
}
