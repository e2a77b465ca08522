import type { Code } from '../job/codes.ts';
import type { Api, Call } from './endpoints.ts';

/** One decision: an answer of this API (to one of these calls), with this status and these words, means this. */
export interface AnswerRule {
  readonly api?: Api | undefined;
  readonly calls?: readonly Call[] | undefined;
  readonly status: number | readonly number[];
  /** Stands as `key`, `errorKey`, reason key or error code somewhere in the body. */
  readonly key?: string | RegExp | undefined;
  /** Matches the body's messages, or its text when it is not JSON. */
  readonly words?: RegExp | undefined;
  readonly means: Code | 'unchanged';
  /** What to do, where the code's own remedy does not say it. */
  readonly hint?: string | undefined;
}

/** What an answer of an error status says: the keys that programs read, and the words that people do. */
export interface Said {
  readonly keys: readonly string[];
  readonly words: string;
}

const JIRA_CREDENTIALS =
  'Jira Cloud wants email and apiToken of the secret (Basic); a token with scopes works only with the cloudId in the secret, not at the site itself.';
const ORGANISATION_KEY = "These calls want the organisation's API key in orgApiKey (Bearer), not a user's API token.";
const PERSONAL_TOKEN = 'Data Center wants a personal access token in the secret (Bearer).';
const JIRA_404 =
  'Jira gives this answer, too, when the token of the secret lacks the site admin right: check that, the account id and the group.';
const NO_SUCH_ORGANISATION = 'Check orgId in the secret.';
const LICENCE = /licen[cs]e/i;
const IN_USE = /already (?:exists|in use|used|taken|registered|been taken)|in use by|must not exist/i;
const IN_USE_KEY = /(?:in|already|address)[-_.]?use|(?:already|user|account|email)[-_.]?exists|taken|duplicate/i;

const ADD: readonly Call[] = ['addToGroup', 'dcAddToGroup'];
const REMOVE: readonly Call[] = ['removeFromGroup', 'dcRemoveFromGroup'];
const DC_WRITES: readonly Call[] = ['dcCreateUser', 'dcUpdateUser'];
const DC_MEMBERSHIP: readonly Call[] = ['dcAddToGroup', 'dcRemoveFromGroup'];
const LIFECYCLE: readonly Call[] = ['disable', 'enable'];

/**
 * What Atlassian's answers mean, the first rule that fits decides. From the REST API references of Jira Cloud, Jira Data
 * Center, the organisation and the user-management API, and Atlassian's public issue tracker. Rules about words that no
 * page promises only name a refusal better, or confirm what a look-up would show: without them the answer is REQUEST_REFUSED.
 */
export const ANSWERS: readonly AnswerRule[] = [
  // Jira Cloud. An unformatted message is what it says of a member already (jira.atlassian.com AX-17).
  { api: 'jira', calls: ['addToGroup'], status: 400, words: /^['"]?\{1\}['"]?\.?$/, means: 'unchanged' },
  { api: 'jira', calls: ADD, status: 400, words: /already a member of/i, means: 'unchanged' },
  { api: 'jira', calls: REMOVE, status: 400, words: /not a member of/i, means: 'unchanged' },
  { api: 'jira', calls: REMOVE, status: 404, words: /not a member of/i, means: 'unchanged' },
  { api: 'jira', status: 400, words: LICENCE, means: 'LICENCE_LIMIT' },
  {
    api: 'jira',
    calls: ['createUser'],
    status: 400,
    means: 'REQUEST_REFUSED',
    hint: 'Jira answers so, too, when the account exists without access and the row asks for no product.',
  },
  {
    api: 'jira',
    calls: [...ADD, ...REMOVE],
    status: 404,
    words: /specified user does not exist/i,
    means: 'USER_NOT_FOUND',
    hint: JIRA_404,
  },
  {
    api: 'jira',
    calls: [...ADD, ...REMOVE],
    status: 404,
    words: /\bgroup\b/i,
    means: 'GROUP_NOT_FOUND',
  },
  {
    api: 'jira',
    calls: [...ADD, ...REMOVE, 'user', 'groupsOfUser'],
    status: 404,
    means: 'USER_NOT_FOUND',
    hint: JIRA_404,
  },
  { api: 'jira', status: 401, means: 'UNAUTHORIZED', hint: JIRA_CREDENTIALS },
  {
    api: 'jira',
    status: 403,
    words: /XSRF check failed/i,
    means: 'FORBIDDEN',
    hint: 'A proxy on the way may remove the header X-Atlassian-Token.',
  },

  // The organisation API: codes ADMIN-<status>-<number>.
  { api: 'organisation', status: 400, key: 'ADMIN-400-32', means: 'LICENCE_LIMIT' },
  {
    api: 'organisation',
    status: 400,
    key: 'ADMIN-UAM-400-4',
    means: 'LICENCE_LIMIT',
    hint: 'The organisation has no licence for this product.',
  },
  {
    api: 'organisation',
    status: 400,
    key: 'ADMIN-UAM-400-2',
    means: 'REQUEST_REFUSED',
    hint: 'The account is inactive: reactivate or restore it first.',
  },
  { api: 'organisation', status: 401, means: 'UNAUTHORIZED', hint: ORGANISATION_KEY },
  { api: 'organisation', status: 403, key: 'ADMIN-403-5', means: 'GROUP_EXTERNAL' },
  {
    api: 'organisation',
    status: 403,
    key: 'ADMIN-403-3',
    means: 'FORBIDDEN',
    hint: 'The key may not manage this organisation.',
  },
  { api: 'organisation', status: 404, key: 'ADMIN-404-8', means: 'USER_NOT_FOUND' },
  { api: 'organisation', status: 404, key: 'ADMIN-404-10', means: 'GROUP_NOT_FOUND' },
  { api: 'organisation', status: 404, key: 'ADMIN-404-1', means: 'REQUEST_REFUSED', hint: NO_SUCH_ORGANISATION },
  { api: 'organisation', status: 404, key: 'ADMIN-404-2', means: 'REQUEST_REFUSED', hint: NO_SUCH_ORGANISATION },
  {
    api: 'organisation',
    calls: ['suspendV1', 'restoreV1'],
    status: 404,
    means: 'USER_NOT_FOUND',
    hint: 'The v1 API ends after June 2026: if every row fails so, take suspendApi out of the secret.',
  },
  {
    api: 'organisation',
    calls: ['suspend', 'restore'],
    status: 404,
    means: 'USER_NOT_FOUND',
    hint: 'An organisation on the original user management may answer so to everything: then set suspendApi to "v1" in the secret.',
  },
  {
    api: 'organisation',
    calls: ['directories', 'searchUsers', 'searchGroups', 'domains'],
    status: 404,
    means: 'REQUEST_REFUSED',
    hint: NO_SUCH_ORGANISATION,
  },
  {
    api: 'organisation',
    calls: ['suspend', 'suspendV1'],
    status: [400, 409],
    words: /already suspended/i,
    means: 'unchanged',
  },
  {
    api: 'organisation',
    calls: ['restore', 'restoreV1'],
    status: [400, 409],
    words: /not suspended|already active/i,
    means: 'unchanged',
  },
  { api: 'organisation', status: 409, key: 'ADMIN-409-3', means: 'LICENCE_LIMIT' },
  {
    api: 'organisation',
    status: 410,
    means: 'REQUEST_REFUSED',
    hint: 'Atlassian has switched this API off: take suspendApi out of the secret.',
  },

  // The user-management API: {key, context}.
  { api: 'user-management', calls: ['setEmail'], status: 400, key: IN_USE_KEY, means: 'EMAIL_IN_USE' },
  { api: 'user-management', calls: ['setEmail'], status: 400, words: IN_USE, means: 'EMAIL_IN_USE' },
  { api: 'user-management', calls: ['setEmail'], status: 403, key: IN_USE_KEY, means: 'EMAIL_IN_USE' },
  { api: 'user-management', calls: ['setEmail'], status: 403, words: IN_USE, means: 'EMAIL_IN_USE' },
  { api: 'user-management', calls: ['setEmail'], status: 409, means: 'EMAIL_IN_USE' },
  {
    api: 'user-management',
    status: 400,
    key: 'fieldConstraintsViolated',
    means: 'REQUEST_REFUSED',
    hint: 'Atlassian does not take this value: at most 255 characters on each side of the @, and only valid ones.',
  },
  { api: 'user-management', status: 401, means: 'UNAUTHORIZED', hint: ORGANISATION_KEY },
  { api: 'user-management', status: 403, key: 'forbidden.unclaimedDomain', means: 'DOMAIN_NOT_VERIFIED' },
  { api: 'user-management', status: 403, key: 'forbidden.targetUnverified', means: 'USER_NOT_MANAGED' },
  { api: 'user-management', status: 403, key: /^externalDirectory\./, means: 'SCIM_MANAGED' },
  {
    api: 'user-management',
    status: 403,
    key: 'authPolicy.saml',
    means: 'SCIM_MANAGED',
    hint: 'Single sign-on decides about this account.',
  },
  { api: 'user-management', status: 403, key: 'managedAccount', means: 'USER_NOT_MANAGED' },
  { api: 'user-management', status: 403, key: /^administrative(?:\.notMyself)?$/, means: 'PROTECTED' },
  { api: 'user-management', status: 403, key: 'myselfOnly', means: 'PROTECTED' },
  { api: 'user-management', status: 403, key: 'blocked.exportControl', means: 'PROTECTED' },
  { api: 'user-management', status: 403, key: 'forbidden.fieldMutation', means: 'FORBIDDEN' },
  { api: 'user-management', status: 404, means: 'USER_NOT_FOUND' },
  {
    api: 'user-management',
    calls: ['disable'],
    status: 409,
    words: /already (?:been )?(?:disabled|deactivated|inactive)/i,
    means: 'unchanged',
  },
  {
    api: 'user-management',
    calls: ['enable'],
    status: 409,
    words: /already (?:been )?(?:enabled|activated|active)/i,
    means: 'unchanged',
  },
  {
    api: 'user-management',
    calls: LIFECYCLE,
    status: 409,
    means: 'REQUEST_REFUSED',
    hint: "The account's lifecycle does not allow this now; a deleted account has to be restored first.",
  },

  // Data Center. Its 400 to an addition stands for "empty group name" and "already a member" alike.
  { api: 'data-center', calls: ADD, status: 400, words: /already a member of/i, means: 'unchanged' },
  { api: 'data-center', calls: REMOVE, status: 400, words: /not a member of/i, means: 'unchanged' },
  { api: 'data-center', calls: DC_MEMBERSHIP, status: 400, words: /read[- ]only/i, means: 'GROUP_EXTERNAL' },
  { api: 'data-center', calls: DC_MEMBERSHIP, status: 403, words: /read[- ]only/i, means: 'GROUP_EXTERNAL' },
  { api: 'data-center', calls: DC_WRITES, status: 400, words: /read[- ]only/i, means: 'SCIM_MANAGED' },
  { api: 'data-center', calls: DC_WRITES, status: 403, words: /read[- ]only/i, means: 'SCIM_MANAGED' },
  {
    api: 'data-center',
    calls: DC_WRITES,
    status: 400,
    words: /e-?mail.*\b(?:already|in use)\b/i,
    means: 'EMAIL_IN_USE',
  },
  { api: 'data-center', status: 400, words: LICENCE, means: 'LICENCE_LIMIT' },
  {
    api: 'data-center',
    calls: DC_MEMBERSHIP,
    status: 404,
    words: /\bgroup\b(?!.*\buser\b)/i,
    means: 'GROUP_NOT_FOUND',
  },
  {
    api: 'data-center',
    calls: DC_MEMBERSHIP,
    status: 404,
    means: 'USER_NOT_FOUND',
    hint: 'Data Center gives this status for an unknown group, too.',
  },
  { api: 'data-center', status: 404, means: 'USER_NOT_FOUND' },
  { api: 'data-center', status: 401, means: 'UNAUTHORIZED', hint: PERSONAL_TOKEN },
  {
    api: 'data-center',
    status: 403,
    means: 'FORBIDDEN',
    hint: 'After too many failed logins Jira also answers so until somebody solves its CAPTCHA.',
  },

  // Any of them.
  { status: 403, key: 'forbidden.insufficientScope', means: 'INSUFFICIENT_SCOPE' },
  { status: 402, means: 'LICENCE_LIMIT' },
  { status: 403, means: 'FORBIDDEN' },
  { status: 408, means: 'ATLASSIAN_ERROR' },
  { status: 425, means: 'ATLASSIAN_ERROR' },
];

/** What an answer of an error status means. */
export function meaningOf(answer: {
  readonly api: Api;
  readonly call: Call;
  readonly status: number;
  readonly said: Said;
}): {
  readonly means: Code | 'unchanged';
  readonly hint?: string | undefined;
} {
  const { api, call, status, said } = answer;
  const rule = ANSWERS.find(
    (candidate) =>
      (candidate.status === status || (typeof candidate.status !== 'number' && candidate.status.includes(status))) &&
      (candidate.api === undefined || candidate.api === api) &&
      (candidate.calls === undefined || candidate.calls.includes(call)) &&
      (candidate.key === undefined || said.keys.some((key) => fits(candidate.key, key))) &&
      (candidate.words === undefined || candidate.words.test(said.words)),
  );
  return rule ?? { means: status >= 500 ? 'ATLASSIAN_ERROR' : 'REQUEST_REFUSED' };
}

const fits = (wanted: string | RegExp | undefined, key: string): boolean =>
  typeof wanted === 'string' ? wanted === key : (wanted?.test(key) ?? true);
