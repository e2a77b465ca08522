import { describe, expect, it } from 'vitest';

import { ERROR_MAPPING, mapError, type ErrorRule } from '../../../shared/atlassian/error-mapping.ts';
import type { Call } from '../../../shared/atlassian/endpoints.ts';
import type { Body } from '../../../shared/atlassian/http.ts';
import { readErrorBody } from '../../../shared/atlassian/answer-errors.ts';
import type { Code } from '../../../shared/job/outcome.ts';

const jira = (message: string) => ({ errorMessages: [message], errors: {} });
const org = (code: string) => ({ errors: [{ id: 'e', status: '400', code, title: 'No', detail: 'because' }] });
const gateway = (code: number) => ({ code, message: 'Unauthorized' });
const action = (reason: string) => ({
  key: 'forbidden.action',
  context: { allowed: false, reason: { key: reason } },
  errorKey: 'forbidden.action',
  errorDetail: {},
});
const lifecycle = (message: string) => ({
  key: 'conflict.lifecycleErrors',
  context: { message, accountId: 'a', errorCodes: [{ code: 'x' }] },
});
const UNMET = 'Specified user does not exist or you do not have required permissions';

type Example = readonly [call: Call, status: number, body: unknown, code: Code | 'unchanged'];

/** Answers as Atlassian documents or gives them. */
const EXAMPLES: readonly Example[] = [
  ['addToGroup', 400, jira(`'{1}'`), 'unchanged'],
  ['addToGroup', 400, `'{1}'`, 'unchanged'],
  ['addToGroup', 400, jira("User is already a member of 'g'"), 'unchanged'],
  ['addToGroup', 400, jira('accountId is missing'), 'REQUEST_REFUSED'],
  ['addToGroup', 400, jira('Licence exceeded for: ari:cloud:confluence::site/1'), 'LICENCE_LIMIT'],
  ['addToGroup', 400, undefined, 'REQUEST_REFUSED'],
  ['addToGroup', 401, 'Client must be authenticated to access this resource.', 'UNAUTHORIZED'],
  ['addToGroup', 401, jira('Client must be authenticated to access this resource.'), 'UNAUTHORIZED'],
  ['addToGroup', 403, 'XSRF check failed', 'FORBIDDEN'],
  ['addToGroup', 403, jira('You may not'), 'FORBIDDEN'],
  ['addToGroup', 404, jira(UNMET), 'USER_NOT_FOUND'],
  ['addToGroup', 404, jira('The group does not exist'), 'GROUP_NOT_FOUND'],
  ['addToGroup', 404, undefined, 'USER_NOT_FOUND'],
  ['addToGroup', 500, '<html><body>Oops</body></html>', 'ATLASSIAN_ERROR'],
  ['addToGroup', 503, undefined, 'ATLASSIAN_ERROR'],
  ['removeFromGroup', 400, jira('The user is not a member of the group'), 'unchanged'],
  ['removeFromGroup', 404, jira('The user is not a member of the group'), 'unchanged'],
  ['removeFromGroup', 404, jira(UNMET), 'USER_NOT_FOUND'],
  ['createUser', 400, jira('The licence count is exceeded'), 'LICENCE_LIMIT'],
  ['createUser', 400, jira('User has no access'), 'REQUEST_REFUSED'],
  ['findUsers', 400, jira('query is missing'), 'REQUEST_REFUSED'],
  ['groups', 403, jira('Browse users and groups permission is required to view groups.'), 'FORBIDDEN'],
  ['groups', 500, undefined, 'ATLASSIAN_ERROR'],
  ['user', 404, jira('no'), 'USER_NOT_FOUND'],

  ['suspend', 400, org('ADMIN-400-4'), 'REQUEST_REFUSED'],
  ['suspend', 401, org('ADMIN-401-2'), 'UNAUTHORIZED'],
  ['suspend', 401, gateway(401), 'UNAUTHORIZED'],
  ['suspend', 403, org('ADMIN-403-3'), 'FORBIDDEN'],
  ['suspend', 403, org('ADMIN-403-5'), 'GROUP_EXTERNAL'],
  ['suspend', 404, org('ADMIN-404-8'), 'USER_NOT_FOUND'],
  ['suspend', 404, org('ADMIN-404-10'), 'GROUP_NOT_FOUND'],
  ['suspend', 404, org('ADMIN-404-1'), 'REQUEST_REFUSED'],
  ['suspend', 404, org('ADMIN-404-2'), 'REQUEST_REFUSED'],
  ['suspend', 404, undefined, 'USER_NOT_FOUND'],
  ['suspend', 415, org('ADMIN-UAM-415-1'), 'REQUEST_REFUSED'],
  ['suspend', 410, undefined, 'REQUEST_REFUSED'],
  ['suspend', 400, { errors: [{ code: 'ADMIN-400-4', title: 'User is already suspended' }] }, 'unchanged'],
  ['restore', 409, { errors: [{ code: 'ADMIN-409-4', title: 'User is not suspended' }] }, 'unchanged'],
  ['restore', 400, org('ADMIN-400-32'), 'LICENCE_LIMIT'],
  ['restore', 409, org('ADMIN-409-3'), 'LICENCE_LIMIT'],
  ['restore', 409, org('ADMIN-409-5'), 'REQUEST_REFUSED'],
  ['restore', 500, org('ADMIN-500-1'), 'ATLASSIAN_ERROR'],
  ['invite', 400, org('ADMIN-UAM-400-1'), 'REQUEST_REFUSED'],
  ['invite', 400, org('ADMIN-UAM-400-2'), 'REQUEST_REFUSED'],
  ['invite', 400, org('ADMIN-UAM-400-3'), 'REQUEST_REFUSED'],
  ['invite', 400, org('ADMIN-UAM-400-4'), 'LICENCE_LIMIT'],
  ['invite', 401, org('ADMIN-UAM-401-1'), 'UNAUTHORIZED'],
  ['invite', 403, org('ADMIN-UAM-403-1'), 'FORBIDDEN'],
  ['invite', 404, org('ADMIN-UAM-404-1'), 'REQUEST_REFUSED'],
  ['invite', 409, org('ADMIN-UAM-409-1'), 'REQUEST_REFUSED'],
  ['invite', 500, org('ADMIN-UAM-500-1'), 'ATLASSIAN_ERROR'],
  ['invite', 402, undefined, 'LICENCE_LIMIT'],
  ['searchUsers', 400, org('ADMIN-400-24'), 'REQUEST_REFUSED'],
  ['searchUsers', 404, undefined, 'REQUEST_REFUSED'],
  ['domains', 400, org('ADMIN-400-1'), 'REQUEST_REFUSED'],
  [
    'domains',
    403,
    { timestamp: 't', path: '/x', status: 403, error: 'Forbidden', message: 'm', requestId: 'r' },
    'FORBIDDEN',
  ],
  ['domains', 404, org('ADMIN-404-3'), 'REQUEST_REFUSED'],
  ['directories', 408, undefined, 'ATLASSIAN_ERROR'],
  ['directories', 425, undefined, 'ATLASSIAN_ERROR'],

  ['setEmail', 400, { key: 'bodyParseFailure' }, 'REQUEST_REFUSED'],
  [
    'setEmail',
    400,
    {
      key: 'fieldConstraintsViolated',
      context: { fieldViolations: [{ field: 'email', violations: [{ key: 'maxLength' }] }] },
    },
    'REQUEST_REFUSED',
  ],
  [
    'setEmail',
    400,
    {
      key: 'fieldConstraintsViolated',
      context: { fieldViolations: [{ field: 'email', violations: [{ key: 'emailInUse' }] }] },
    },
    'EMAIL_IN_USE',
  ],
  ['setEmail', 400, { key: 'x', message: 'The address is already used by another account' }, 'EMAIL_IN_USE'],
  ['setEmail', 403, { key: 'forbidden.emailAlreadyExists' }, 'EMAIL_IN_USE'],
  ['setEmail', 403, { key: 'forbidden', message: 'An account with it already exists' }, 'EMAIL_IN_USE'],
  ['setEmail', 409, { key: 'conflict' }, 'EMAIL_IN_USE'],
  ['setEmail', 401, { key: 'unauthorized' }, 'UNAUTHORIZED'],
  ['setEmail', 403, { key: 'forbidden' }, 'FORBIDDEN'],
  ['setEmail', 403, { key: 'forbidden.unclaimedDomain', context: { domain: 'x.net' } }, 'DOMAIN_NOT_VERIFIED'],
  ['setEmail', 403, { key: 'forbidden.targetUnverified' }, 'USER_NOT_MANAGED'],
  ['setEmail', 403, { key: 'forbidden.insufficientScope', context: { scope: 'manage:org' } }, 'INSUFFICIENT_SCOPE'],
  ['setEmail', 403, { key: 'forbidden.fieldMutation' }, 'FORBIDDEN'],
  ['setEmail', 403, action('administrative'), 'PROTECTED'],
  ['setEmail', 403, action('administrative.notMyself'), 'PROTECTED'],
  ['setEmail', 403, action('myselfOnly'), 'PROTECTED'],
  ['setEmail', 403, action('managedAccount'), 'USER_NOT_MANAGED'],
  ['setEmail', 403, action('externalDirectory.scim'), 'SCIM_MANAGED'],
  ['setEmail', 403, action('externalDirectory.google'), 'SCIM_MANAGED'],
  ['setEmail', 403, action('authPolicy.saml'), 'SCIM_MANAGED'],
  ['setEmail', 403, action('blocked.exportControl'), 'PROTECTED'],
  ['setEmail', 404, { key: 'accountNotFound' }, 'USER_NOT_FOUND'],
  ['profile', 404, { key: 'notFound' }, 'USER_NOT_FOUND'],
  ['disable', 409, lifecycle('The account is already deactivated'), 'unchanged'],
  ['disable', 409, lifecycle('The account is being deleted'), 'REQUEST_REFUSED'],
  ['enable', 409, lifecycle('The account is already active'), 'unchanged'],
  ['enable', 409, lifecycle('no'), 'REQUEST_REFUSED'],

  ['dcAddToGroup', 400, jira("Cannot add user. 'x' is already a member of 'g'"), 'unchanged'],
  ['dcAddToGroup', 400, jira('The group name is empty'), 'REQUEST_REFUSED'],
  ['dcAddToGroup', 400, jira('The directory is read-only'), 'GROUP_EXTERNAL'],
  ['dcAddToGroup', 403, jira('The directory is read only'), 'GROUP_EXTERNAL'],
  ['dcAddToGroup', 401, '<html>log in</html>', 'UNAUTHORIZED'],
  ['dcAddToGroup', 403, jira('You are not an administrator'), 'FORBIDDEN'],
  ['dcAddToGroup', 404, jira("The group named 'g' does not exist"), 'GROUP_NOT_FOUND'],
  ['dcAddToGroup', 404, jira("The user named 'x' does not exist"), 'USER_NOT_FOUND'],
  ['dcAddToGroup', 404, undefined, 'USER_NOT_FOUND'],
  [
    'dcRemoveFromGroup',
    400,
    jira("Cannot remove user 'x' from group 'g' since user is not a member of 'g'"),
    'unchanged',
  ],
  [
    'dcCreateUser',
    400,
    { errorMessages: [], errors: { username: 'A user with that username already exists.' } },
    'CHANGED_SINCE_PLAN',
  ],
  ['dcCreateUser', 400, { errorMessages: [], errors: { email: 'The e-mail is already in use' } }, 'EMAIL_IN_USE'],
  ['dcCreateUser', 400, jira('The license limit is reached'), 'LICENCE_LIMIT'],
  ['dcUpdateUser', 400, jira('The user directory is read-only'), 'SCIM_MANAGED'],
  ['dcUpdateUser', 403, jira('The user directory is read-only'), 'SCIM_MANAGED'],
  ['dcUpdateUser', 404, jira("The user named 'x' does not exist"), 'USER_NOT_FOUND'],
];

const bodyOf = (body: unknown): Body =>
  body === undefined
    ? { type: 'none' }
    : typeof body === 'string'
      ? { type: 'text', text: body }
      : { type: 'json', value: body };

const ruleFor = ([call, status, body]: Example): ErrorRule | undefined => {
  const found = mapError(call, status, readErrorBody(bodyOf(body)));
  return ERROR_MAPPING.find((rule) => rule === found);
};

describe('the error mapping', () => {
  it.each(EXAMPLES)('%s answered %i %j means %s', (call, status, body, code) => {
    expect(mapError(call, status, readErrorBody(bodyOf(body))).code).toBe(code);
  });

  it.each(ERROR_MAPPING)(
    'uses the rule $api $calls $status $key $words → $code for at least one of the examples',
    (rule) => {
      expect(EXAMPLES.filter((example) => ruleFor(example) === rule)).not.toEqual([]);
    },
  );
});
