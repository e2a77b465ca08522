interface Switch {
  readonly values: readonly [string, ...string[]];
  /** What it decides, and why the default, the first value, is what it is. */
  readonly about: string;
}

/**
 * What Atlassian does not document, or documents in two ways. The first value is the default: mostly the harsher answer,
 * which a client that reads before it writes never meets.
 */
export const SWITCHES = {
  unauthorizedBody: choice(
    ['text', 'json'],
    'Body of Jira’s 401: captures show plain text in some places, JSON in others.',
  ),
  unknownFields: choice(
    ['refuse', 'ignore'],
    'Body fields and query parameters that an endpoint does not have; refused so that a misspelt one is found.',
  ),
  plusInQuery: choice(
    ['space', 'plus', 'refuse'],
    'What a bare `+` in a query means; servlet containers read a space, so a client has to send %2B for a plus.',
  ),
  jiraEmails: choice(
    ['shown', 'hidden', 'unsearchable'],
    'Addresses in Jira’s user objects; accounts with `emailHidden` are hidden anyway. Unsearchable: not found by address either.',
  ),
  missingPrivilege: choice(
    ['404', '403'],
    'Jira’s answer to a group change by one who is no site admin; reports show 404, as if the user did not exist.',
  ),
  xsrf: choice(
    ['off', 'on'],
    'On: Jira writes with a browser’s User-Agent and no `X-Atlassian-Token: no-check` get 403 `XSRF check failed`.',
  ),
  unscopedTokenAtGateway: choice(
    ['refused', 'accepted'],
    'An unscoped token at /ex/jira/{cloudId}; Atlassian documents that path for scoped tokens.',
  ),
  externalGroup: choice(
    ['403', '400', '404'],
    'Jira’s answer to a change of a group that an identity provider synchronises; the organisation API answers ADMIN-403-5.',
  ),
  createUserOfMember: choice(
    ['nothing', 'gives'],
    'POST user of somebody who has Jira already answers 201 whatever is asked for; whether it gives another product is not documented.',
  ),
  removeNonMember: choice(
    ['400', '404', 'success'],
    'Taking out of a group one who is not in it, in Jira and the organisation.',
  ),
  orgGroupDuplicate: choice(
    ['400', '409', 'success'],
    'Adding one who is in the group already, in the organisation API.',
  ),
  reSuspend: choice(['400', '409', 'success'], 'Suspending one who is suspended.'),
  reRestore: choice(['400', '409', 'success'], 'Restoring one who is not suspended.'),
  reDisable: choice(['409', 'success'], 'Deactivating an inactive account.'),
  reEnable: choice(['409', 'success'], 'Activating an active account.'),
  emailInUse: choice(['400', '403', '409'], 'Setting an address that another account has.'),
  sameEmail: choice(['400', 'success'], 'Setting the address that the account has already.'),
  unmanagedAccount: choice(
    ['forbidden', 'targetUnverified', 'notFound'],
    'Managing an account that the organisation has not claimed: 403 `forbidden`, 403 `forbidden.targetUnverified` or 404.',
  ),
  v2Directory: choice(
    ['on', 'absent'],
    'Absent: v2 directory paths answer 404, as reported for organisations on the original user management.',
  ),
  v2WriteStatus: choice(
    ['204', '200', '202'],
    'Status of v2 suspend, restore, remove and memberships; 204 was measured for suspend.',
  ),
  inviteStatus: choice(['200', '202'], 'Status of a v2 invite of which nothing failed; 206 where something did.'),
  inviteShape: choice(
    ['documented', 'flat'],
    'Results of a v2 invite: by roles and groups, as four sources have it, or in one list, as some clients expect.',
  ),
  organisationRetryAfter: choice(
    ['off', 'on'],
    'Whether a 429 of the organisation API has Retry-After; Atlassian promises only X-RateLimit-Reset.',
  ),
  dataCenterReadOnly: choice(['403', '400'], 'Data Center’s answer to a change in a read-only directory.'),
  dataCenterUserList: choice(
    ['present', 'absent'],
    'Absent: GET user/list answers 404, as before Jira 11.0 and the updates of 10.3.',
  ),
  dataCenterUserSearch: choice(
    ['capped', 'whole'],
    'Capped: user/search shows the first 100 of whom it finds, as Jira 10 and later do (JRASERVER-78660); Jira 9 showed all, page by page.',
  ),
  dataCenterReadOnlyMode: choice(
    ['off', 'on', 'absent'],
    'Data Center’s read-only mode, which binds nobody who is a system administrator. Absent: GET readonly-mode answers 404, as older servers do.',
  ),
  dataCenterExpand: choice(
    ['honoured', 'ignored'],
    'Ignored: `expand` of GET user does nothing, which Data Center does not document.',
  ),
  dataCenterActive: choice(
    ['honoured', 'ignored'],
    'Ignored: `active` in PUT user does nothing, as on older servers (JRASERVER-37294).',
  ),
} as const satisfies Record<string, Switch>;

export type SwitchName = keyof typeof SWITCHES;

export type Switches = { readonly [Name in SwitchName]: (typeof SWITCHES)[Name]['values'][number] };

/** Every switch at its default. */
export const defaultSwitches = (): Switches =>
  // Each is one of the switch's own values.
  Object.fromEntries(Object.entries(SWITCHES).map(([name, { values }]) => [name, values[0]])) as unknown as Switches;

function choice<const Values extends readonly [string, ...string[]]>(values: Values, about: string) {
  return { values, about } as const;
}
