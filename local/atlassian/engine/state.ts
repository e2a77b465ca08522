import * as z from 'zod';

const text = z.string().min(1);
/** Account ids as the user management API's specification has them. */
export const ACCOUNT_ID = /^[a-zA-Z0-9_|:-]{1,128}$/;

const accountId = z.string().regex(ACCOUNT_ID, 'must be an account id');

/** Why a manage call may be refused, as the user management API spells it (its OpenAPI document). */
const LOCKS = [
  'administrative',
  'administrative.notMyself',
  'myselfOnly',
  'managedAccount',
  'externalDirectory.scim',
  'externalDirectory.google',
  'authPolicy.saml',
  'blocked.exportControl',
] as const;

const user = z.strictObject({
  accountId,
  email: text,
  name: text,
  accountType: z.enum(['atlassian', 'customer', 'app']).default('atlassian'),
  /** unknown is what is told of an account that the organisation has not claimed. */
  accountStatus: z.enum(['active', 'inactive', 'closed', 'unknown']).default('active'),
  membershipStatus: z.enum(['active', 'suspended', 'no_membership']).default('active'),
  claimStatus: z.enum(['managed', 'unmanaged']).default('managed'),
  /** synced means SCIM. */
  managementSource: z.enum(['invited', 'synced']).nullable().default('invited'),
  products: z.array(text).default([]),
  /** Jira does not show the address. */
  emailHidden: z.boolean().optional(),
  orgAdmin: z.boolean().optional(),
  siteAdmin: z.boolean().optional(),
  /** Refuses every change of the address and the lifecycle for this reason. */
  lock: z.enum(LOCKS).optional(),
  forDeletion: z.boolean().optional(),
  nickname: z.string().optional(),
  jobTitle: z.string().optional(),
  department: z.string().optional(),
  organization: z.string().optional(),
  location: z.string().optional(),
  zoneinfo: z.string().optional(),
  locale: z.string().optional(),
  addedToOrg: z.string().optional(),
  /** The directory that the user is in, where the organisation has several; else its first. */
  directoryId: text.optional(),
});

const group = z.strictObject({
  groupId: text.regex(/^[^/]+$/, 'must have no slash'),
  name: text,
  description: z.string().optional(),
  externalSynced: z.boolean().default(false),
  /** Products that its members may use, and take a seat of. */
  products: z.array(text).default([]),
  /** Roles that the group gives to its members, such as `atlassian/org-admin`. */
  roles: z.array(text).default([]),
  members: z.array(accountId).default([]),
});

const permission = z.enum(['site-admin', 'browse-users']);

const cloud = z.strictObject({
  organisation: z.strictObject({
    orgId: text,
    name: text,
    directories: z.array(z.strictObject({ directoryId: text, name: text })).min(1),
    domains: z.array(
      z.strictObject({
        name: text,
        status: z.enum(['verified', 'deleted', 'unverified', 'superseded', 'missing_token']),
        type: z.enum(['http', 'dns']).default('dns'),
      }),
    ),
  }),
  site: z.strictObject({ cloudId: text, name: text }),
  /** Seats of each product; `null` is as many as you like. A product that is not here is not licensed. */
  licences: z.record(z.string(), z.number().int().min(0).nullable()),
  credentials: z.strictObject({
    jira: z.array(
      z.strictObject({
        email: text,
        token: text,
        /** A token that has scopes works at the gateway only. */
        scopes: z.array(text).optional(),
        permissions: z.array(permission).default(['site-admin', 'browse-users']),
      }),
    ),
    organisation: z.array(z.strictObject({ key: text, scopes: z.array(text).optional() })),
  }),
  users: z.array(user),
  groups: z.array(group),
});

const dataCenterUser = z.strictObject({
  username: text,
  key: text,
  emailAddress: z.string(),
  displayName: z.string(),
  active: z.boolean().default(true),
  /** In a directory that Jira may not write to, as with LDAP. */
  readOnly: z.boolean().default(false),
  applicationKeys: z.array(text).default([]),
});

const dataCenter = z.strictObject({
  credentials: z.array(
    z.union([
      z.strictObject({ token: text, username: text, admin: z.boolean().default(true) }),
      z.strictObject({ password: text, username: text, admin: z.boolean().default(true) }),
    ]),
  ),
  users: z.array(dataCenterUser),
  groups: z.array(
    z.strictObject({ name: text, readOnly: z.boolean().default(false), members: z.array(text).default([]) }),
  ),
});

/** The whole state of the simulator, as GET and PUT /_simulator/state carry it. */
export const stateSchema = z.strictObject({ cloud, dataCenter });

export type State = z.infer<typeof stateSchema>;
/** The state as it may be written: what has a default may be left out. */
export type StateInput = z.input<typeof stateSchema>;
export type User = Readonly<z.infer<typeof user>>;
export type GroupRecord = z.infer<typeof group>;
export type CloudRecord = z.infer<typeof cloud>;
export type DataCenterRecord = z.infer<typeof dataCenter>;
export type DataCenterUser = Readonly<z.infer<typeof dataCenterUser>>;
export type Permission = z.infer<typeof permission>;

/** The nth of a series of ids that look like random ones and are not. */
export const uuid = (series: string, n: number): string =>
  `${series}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
