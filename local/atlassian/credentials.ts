import type { CloudRecord, DataCenterRecord } from './model.ts';

/** The site's, organisation's and directory's ids in every seed, so that targets stay good when the state is replaced. */
export const IDS = {
  orgId: '3f1c2a44-0000-4000-8000-00000000e0a1',
  directoryId: '7d9e5b10-0000-4000-8000-00000000d1a1',
  cloudId: 'c10d0000-0000-4000-8000-00000000c1a1',
} as const;

/** Whose tokens the targets carry. */
export const ADMIN = { email: 'admin@example.com', accountId: '5b10a2844c20165700ede21a' } as const;

const JIRA_TOKEN = 'simulator-api-token';
const ORGANISATION_KEY = 'simulator-org-api-key';
const DATA_CENTER_TOKEN = 'simulator-personal-access-token';

/** Every kind of credential that Atlassian tells apart. None of them opens anything but this server. */
export const CREDENTIALS: {
  readonly cloud: CloudRecord['credentials'];
  readonly dataCenter: DataCenterRecord['credentials'];
} = {
  cloud: {
    jira: [
      { email: ADMIN.email, token: JIRA_TOKEN, permissions: ['site-admin', 'browse-users'] },
      {
        email: ADMIN.email,
        token: 'simulator-scoped-token',
        scopes: ['manage:jira-configuration', 'read:jira-user'],
        permissions: ['site-admin', 'browse-users'],
      },
      { email: ADMIN.email, token: 'simulator-read-token', scopes: ['read:jira-user'], permissions: ['browse-users'] },
      { email: 'anna.schmidt@example.com', token: 'simulator-plain-token', permissions: [] },
    ],
    organisation: [
      { key: ORGANISATION_KEY },
      {
        key: 'simulator-scoped-org-api-key',
        scopes: ['read:users:admin', 'read:groups:admin', 'read:domains:admin', 'read:directories:admin', 'manage:org'],
      },
    ],
  },
  dataCenter: [
    { token: DATA_CENTER_TOKEN, username: 'admin', admin: true },
    { password: 'simulator-password', username: 'admin', admin: true },
    { token: 'simulator-plain-personal-token', username: 'anna', admin: false },
  ],
};

/** The secrets of the targets `cloud` and `data-center`, as `rollcall/<target>` holds them in JSON. */
export interface SimulatorTargets {
  readonly cloud: {
    readonly type: 'cloud';
    readonly siteUrl: string;
    readonly email: string;
    readonly apiToken: string;
    readonly orgId: string;
    readonly orgApiKey: string;
    readonly directoryId: string;
    readonly apiUrl: string;
  };
  readonly 'data-center': { readonly type: 'data-center'; readonly baseUrl: string; readonly token: string };
}

export const targetsAt = (url: string): SimulatorTargets => ({
  cloud: {
    type: 'cloud',
    siteUrl: url,
    email: ADMIN.email,
    apiToken: JIRA_TOKEN,
    orgId: IDS.orgId,
    orgApiKey: ORGANISATION_KEY,
    directoryId: IDS.directoryId,
    apiUrl: url,
  },
  'data-center': { type: 'data-center', baseUrl: `${url}/jira`, token: DATA_CENTER_TOKEN },
});
