import type { Code } from '../job/outcome.ts';
import { ENDPOINTS, type Api, type Call } from './endpoints.ts';

/** One line of the error mapping: an answer of this API (to one of these calls), with this status and this body, means this code. */
export interface ErrorRule {
  readonly api?: Api | undefined;
  readonly calls?: readonly Call[] | undefined;
  readonly status: number | readonly number[];
  /** Stands as `key`, `errorKey`, reason key or error code somewhere in the body. */
  readonly key?: string | RegExp | undefined;
  /** Matches the body's messages, or its text when it is not JSON. */
  readonly words?: RegExp | undefined;
  /** `unchanged` when the answer says that there was nothing to change. */
  readonly code: Code | 'unchanged';
  /** What to do, where the code's own remedy does not say it. */
  readonly hint?: string | undefined;
}

/** What the body of an error says: the keys that programs read, and the words that people do. */
export interface ErrorBody {
  readonly keys: readonly string[];
  readonly words: string;
}

const JIRA_CREDENTIALS =
  "Jira Cloud needs email and apiToken in the target's secret; a token with scopes needs cloudId there, too.";
const ORGANISATION_KEY =
  "This API needs the organisation's API key as orgApiKey in the target's secret, not a user's API token.";
const PERSONAL_TOKEN = "Data Center needs a personal access token as token in the target's secret.";
const JIRA_404 =
  'Jira also answers 404 when the owner of the token is no site admin: check that, the account id and the group.';
const NO_SUCH_ORGANISATION = "Check orgId in the target's secret.";
const NO_SUCH_DIRECTORY =
  "Check orgId, and directoryId if it is given, in the target's secret; an organisation on Atlassian's original user management may not have this API.";
/** In Jira's words, on 400 and 403. */
const LICENCE = /licen[cs]e|user limit|\bseats?\b/i;
const EXTERNAL = /externally managed|managed externally|sync(?:ed|hroni[sz]ed) from/i;
const SCOPE = /scope does not match/i;
const SCOPES: Readonly<Record<Api, string>> = {
  jira: 'It needs write:group:jira, read:group:jira, read:user:jira and read:avatar:jira (write:user:jira to create people), or the classic manage:jira-configuration.',
  organisation:
    'It needs read:directories:admin, read:users:admin, read:groups:admin, read:domains:admin and, to change people, write:users:admin; an API key without scopes has them all.',
  'user-management': 'It needs an API key of the organisation that was created without scopes.',
  'data-center': 'Give the token to an administrator.',
};
const IN_USE = /already (?:exists|in use|used|taken|registered|been taken)|in use by|must not exist/i;
const IN_USE_KEY = /(?:in|already|address)[-_.]?use|(?:already|user|account|email)[-_.]?exists|taken|duplicate/i;

const JIRA_MEMBERSHIP: readonly Call[] = ['addToGroup', 'removeFromGroup'];
const DC_MEMBERSHIP: readonly Call[] = ['dcAddToGroup', 'dcRemoveFromGroup'];
const DC_WRITES: readonly Call[] = ['dcCreateUser', 'dcUpdateUser'];

// An unformatted message is what Jira says of a member already (jira.atlassian.com AX-17).
const JIRA: readonly ErrorRule[] = [
  { calls: ['addToGroup'], status: 400, words: /^['"]?\{1\}['"]?\.?$/, code: 'unchanged' },
  { calls: ['addToGroup'], status: 400, words: /already a member of/i, code: 'unchanged' },
  { calls: ['removeFromGroup'], status: [400, 404], words: /not a member of/i, code: 'unchanged' },
  { status: [400, 403], words: LICENCE, code: 'LICENCE_LIMIT' },
  { calls: JIRA_MEMBERSHIP, status: [400, 403, 404], words: EXTERNAL, code: 'GROUP_EXTERNAL' },
  {
    calls: JIRA_MEMBERSHIP,
    status: 404,
    words: /specified user does not exist/i,
    code: 'USER_NOT_FOUND',
    hint: JIRA_404,
  },
  { calls: JIRA_MEMBERSHIP, status: 404, words: /\bgroup\b/i, code: 'GROUP_NOT_FOUND' },
  { calls: [...JIRA_MEMBERSHIP, 'user', 'groupsOfUser'], status: 404, code: 'USER_NOT_FOUND', hint: JIRA_404 },
  { status: 401, code: 'UNAUTHORIZED', hint: JIRA_CREDENTIALS },
  {
    status: 403,
    words: /XSRF check failed/i,
    code: 'FORBIDDEN',
    hint: 'A proxy may be removing the header X-Atlassian-Token.',
  },
];

// Its codes are ADMIN-<status>-<number>.
const ORGANISATION: readonly ErrorRule[] = [
  { status: 400, key: 'ADMIN-400-32', code: 'LICENCE_LIMIT' },
  {
    status: 400,
    key: 'ADMIN-UAM-400-3',
    code: 'REQUEST_REFUSED',
    hint: 'The product does not have this role.',
  },
  {
    status: 402,
    key: 'ADMIN-UAM-402-1',
    code: 'REQUEST_REFUSED',
    hint: 'The organisation has no paid subscription, which this API wants.',
  },
  {
    status: 400,
    key: 'ADMIN-UAM-400-4',
    code: 'LICENCE_LIMIT',
    hint: 'The organisation has no licence for this product.',
  },
  {
    status: 400,
    key: 'ADMIN-UAM-400-2',
    code: 'REQUEST_REFUSED',
    hint: 'The account is inactive: reactivate or restore it first.',
  },
  { status: 401, code: 'UNAUTHORIZED', hint: ORGANISATION_KEY },
  { status: 403, key: 'ADMIN-403-5', code: 'GROUP_EXTERNAL' },
  { status: 403, key: 'ADMIN-403-3', code: 'FORBIDDEN', hint: 'The key may not manage this organisation.' },
  { status: 404, key: 'ADMIN-404-8', code: 'USER_NOT_FOUND' },
  { status: 404, key: 'ADMIN-404-10', code: 'GROUP_NOT_FOUND' },
  { status: 404, key: /^ADMIN-(?:404|UAM-404)-2$/, code: 'SITE_NOT_FOUND', hint: NO_SUCH_ORGANISATION },
  { status: 404, key: 'ADMIN-404-1', code: 'REQUEST_REFUSED', hint: NO_SUCH_DIRECTORY },
  { status: 404, key: 'ADMIN-UAM-404-3', code: 'GROUP_NOT_FOUND' },
  {
    calls: ['invite'],
    status: 404,
    key: 'ADMIN-UAM-404-1',
    code: 'REQUEST_REFUSED',
    hint: 'The site does not have this product.',
  },
  {
    calls: ['suspend', 'restore'],
    status: 404,
    code: 'USER_NOT_FOUND',
    hint: "The person is not in the organisation's directory that was asked.",
  },
  {
    calls: ['directories', 'searchUsers', 'searchGroups', 'domains'],
    status: 404,
    code: 'REQUEST_REFUSED',
    hint: NO_SUCH_DIRECTORY,
  },
  { calls: ['suspend'], status: [400, 409], words: /already suspended/i, code: 'unchanged' },
  { calls: ['restore'], status: [400, 409], words: /not suspended|already active/i, code: 'unchanged' },
  { status: 409, key: /^ADMIN-(?:UAM-)?409-3$/, code: 'LICENCE_LIMIT' },
  {
    status: 410,
    code: 'REQUEST_REFUSED',
    hint: 'Atlassian has switched this API off: update Rollcall.',
  },
];

// Its bodies are {key, context}.
const USER_MANAGEMENT: readonly ErrorRule[] = [
  { calls: ['setEmail'], status: [400, 403], key: IN_USE_KEY, code: 'EMAIL_IN_USE' },
  { calls: ['setEmail'], status: [400, 403], words: IN_USE, code: 'EMAIL_IN_USE' },
  { calls: ['setEmail'], status: 409, code: 'EMAIL_IN_USE' },
  {
    status: 400,
    key: 'fieldConstraintsViolated',
    code: 'REQUEST_REFUSED',
    hint: 'Atlassian does not accept this value: at most 255 characters on each side of the @, and only valid ones.',
  },
  { status: 401, code: 'UNAUTHORIZED', hint: ORGANISATION_KEY },
  { status: 403, key: 'forbidden.unclaimedDomain', code: 'DOMAIN_NOT_VERIFIED' },
  { status: 403, key: 'forbidden.targetUnverified', code: 'USER_NOT_MANAGED' },
  { status: 403, key: /^externalDirectory\./, code: 'SCIM_MANAGED' },
  { status: 403, key: 'authPolicy.saml', code: 'SCIM_MANAGED', hint: 'Single sign-on manages this account.' },
  { status: 403, key: 'managedAccount', code: 'USER_NOT_MANAGED' },
  { status: 403, key: /^administrative(?:\.notMyself)?$/, code: 'PROTECTED' },
  { status: 403, key: 'myselfOnly', code: 'PROTECTED' },
  { status: 403, key: 'blocked.exportControl', code: 'PROTECTED' },
  { status: 403, key: 'forbidden.fieldMutation', code: 'FORBIDDEN' },
  { status: 404, code: 'USER_NOT_FOUND' },
  {
    calls: ['disable'],
    status: 409,
    words: /already (?:been )?(?:disabled|deactivated|inactive)/i,
    code: 'unchanged',
  },
  { calls: ['enable'], status: 409, words: /already (?:been )?(?:enabled|activated|active)/i, code: 'unchanged' },
  {
    calls: ['disable', 'enable'],
    status: 409,
    code: 'REQUEST_REFUSED',
    hint: "The account's lifecycle does not allow this now; restore a deleted account first.",
  },
];

// Its 400 to an addition means both "empty group name" and "already a member".
const DATA_CENTER: readonly ErrorRule[] = [
  {
    status: [400, 403, 405, 503],
    words: /read[- ]only mode/i,
    code: 'ATLASSIAN_ERROR',
    hint: 'Jira is in read-only mode.',
  },
  { calls: ['dcAddToGroup'], status: 400, words: /already a member of/i, code: 'unchanged' },
  { calls: ['dcRemoveFromGroup'], status: 400, words: /not a member of/i, code: 'unchanged' },
  { calls: DC_MEMBERSHIP, status: [400, 403], words: /read[- ]only/i, code: 'GROUP_EXTERNAL' },
  { calls: DC_WRITES, status: [400, 403], words: /read[- ]only/i, code: 'SCIM_MANAGED' },
  // The plan found nobody of this name, so somebody else was faster.
  { calls: ['dcCreateUser'], status: 400, words: /that username already exists/i, code: 'CHANGED_SINCE_PLAN' },
  { calls: DC_WRITES, status: 400, words: /e-?mail.*\b(?:already|in use)\b/i, code: 'EMAIL_IN_USE' },
  { status: [400, 403], words: LICENCE, code: 'LICENCE_LIMIT' },
  { calls: DC_MEMBERSHIP, status: 404, words: /\bgroup\b(?!.*\buser\b)/i, code: 'GROUP_NOT_FOUND' },
  {
    calls: DC_MEMBERSHIP,
    status: 404,
    code: 'USER_NOT_FOUND',
    hint: 'Data Center also answers 404 for an unknown group.',
  },
  { status: 404, code: 'USER_NOT_FOUND' },
  { status: 401, code: 'UNAUTHORIZED', hint: PERSONAL_TOKEN },
  {
    status: 403,
    code: 'FORBIDDEN',
    hint: 'After too many failed logins Jira also answers 403 until somebody solves its CAPTCHA.',
  },
];

// Measured of a token whose scopes do not suffice; without this answer it is refused as a wrong token is.
const scopeRule = (api: Api): ErrorRule => ({
  api,
  status: [401, 403],
  words: SCOPE,
  code: 'INSUFFICIENT_SCOPE',
  hint: SCOPES[api],
});

const ANY_API: readonly ErrorRule[] = [
  { status: 403, key: 'forbidden.insufficientScope', code: 'INSUFFICIENT_SCOPE' },
  { status: 402, code: 'LICENCE_LIMIT' },
  { status: 403, code: 'FORBIDDEN' },
  { status: 408, code: 'ATLASSIAN_ERROR' },
  { status: 425, code: 'ATLASSIAN_ERROR' },
];

const setApi = (api: Api, rules: readonly ErrorRule[]): readonly ErrorRule[] => rules.map((rule) => ({ api, ...rule }));

/**
 * What Atlassian's answers mean, the first rule that fits decides. From the REST API references of Jira Cloud, Jira Data
 * Center, the organisation and the user-management API, and Atlassian's public issue tracker. Rules about words that no
 * page promises only name a refusal better, or confirm what a look-up would show: without them the answer is REQUEST_REFUSED.
 */
export const ERROR_MAPPING: readonly ErrorRule[] = [
  ...(['jira', 'organisation', 'user-management', 'data-center'] as const).map(scopeRule),
  ...setApi('jira', JIRA),
  ...setApi('organisation', ORGANISATION),
  ...setApi('user-management', USER_MANAGEMENT),
  ...setApi('data-center', DATA_CENTER),
  ...ANY_API,
];

/** The code for an answer of an error status, and what to do about it. */
export function mapError(call: Call, status: number, { keys, words }: ErrorBody): Pick<ErrorRule, 'code' | 'hint'> {
  const { api } = ENDPOINTS[call];
  const rule = ERROR_MAPPING.find(
    (candidate) =>
      [candidate.status].flat().includes(status) &&
      (candidate.api === undefined || candidate.api === api) &&
      (candidate.calls === undefined || candidate.calls.includes(call)) &&
      (candidate.key === undefined || keys.some((key) => matchesKey(candidate.key, key))) &&
      (candidate.words === undefined || candidate.words.test(words)),
  );
  return rule ?? { code: status >= 500 ? 'ATLASSIAN_ERROR' : 'REQUEST_REFUSED' };
}

const matchesKey = (wanted: string | RegExp | undefined, key: string): boolean =>
  typeof wanted === 'string' ? wanted === key : (wanted?.test(key) ?? true);
