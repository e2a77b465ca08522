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
  /** Group ids; absent when they were not asked for or not given. */
  readonly groupIds?: readonly string[] | undefined;
}

/** All methods throw Refusal, RateLimited or NoAnswer (errors.ts), and take a signal that ends at the function's deadline. */
export interface Jira {
  /** Everybody whom the query finds, inexact matches among them. GET user/search. */
  readonly findUsers: (query: string, signal: AbortSignal) => Promise<readonly JiraUser[]>;
  /** GET user; `undefined` on 404. */
  readonly findUser: (accountId: string, signal: AbortSignal) => Promise<JiraUser | undefined>;
  /** GET user/groups; `undefined` on 404. */
  readonly findGroupsOfUser: (accountId: string, signal: AbortSignal) => Promise<readonly Group[] | undefined>;
  /** GET group/bulk by exact names, in as few calls as it allows. */
  readonly findGroupsByName: (names: readonly string[], signal: AbortSignal) => Promise<readonly Group[]>;
  /** GET group/bulk by ids. */
  readonly findGroupsById: (groupIds: readonly string[], signal: AbortSignal) => Promise<readonly Group[]>;
  readonly addToGroup: (member: GroupMember, signal: AbortSignal) => Promise<Answer>;
  readonly removeFromGroup: (member: GroupMember, signal: AbortSignal) => Promise<Answer>;
  /** POST user. 201 is also the answer for one who exists and has access. */
  readonly createUser: (
    user: { readonly emailAddress: string; readonly products: readonly string[] },
    signal: AbortSignal,
  ) => Promise<Answer>;
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
   * Those of these accounts who may use a product of the target's site, such as confluence: POST v2 users/search by account
   * id, narrowed to the product's resource and to the roles that give access (`resourceIds`, `roleIds`).
   */
  readonly findUsersByProduct: (
    product: string,
    accountIds: readonly string[],
    signal: AbortSignal,
  ) => Promise<readonly OrganisationUser[]>;
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

/** One Cloud site; what needs organisation keys is absent without them. */
export interface Cloud {
  readonly target: CloudTarget;
  readonly jira: Jira;
  readonly organisation?: Organisation | undefined;
  readonly userManagement?: UserManagement | undefined;
}

/** A user as Jira Data Center shows them. */
export interface DataCenterUser {
  readonly username: string;
  readonly emailAddress?: string | undefined;
  readonly active: boolean;
  /** Names of the user's groups, when they were asked for. */
  readonly groups?: readonly string[] | undefined;
}

/** One Jira Data Center. */
export interface DataCenter {
  readonly target: DataCenterTarget;
  /** GET user with groups; `undefined` on 404. */
  readonly findUser: (username: string, signal: AbortSignal) => Promise<DataCenterUser | undefined>;
  /** Whether a group of exactly this name is there. GET groups/picker. */
  readonly groupExists: (name: string, signal: AbortSignal) => Promise<boolean>;
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
