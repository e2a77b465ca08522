import { isActive } from '../engine/cloud-state.ts';
import { type Answer, because, gatewayError, jiraError, manageError, Refused } from '../routes/answer.ts';
import type { Caller, Route, World } from '../routes/call.ts';

interface Credentials {
  readonly world: World;
  readonly route: Route;
  readonly authorization: string;
  /** In the path of a call through Atlassian's gateway. */
  readonly cloudId: string | undefined;
}

const ANYBODY: Caller = { name: 'anybody', may: () => true };

/** Lets through who may call this route at all; refuses the others as the API in question does. */
export function authenticate(credentials: Credentials): Caller {
  switch (credentials.route.api) {
    case 'site':
      return ANYBODY;
    case 'jira':
      return jiraCaller(credentials);
    case 'organisation':
      return organisationCaller(credentials);
    case 'user-management':
      return manageCaller(credentials);
    case 'data-center':
      return dataCenterCaller(credentials);
  }
}

function jiraCaller({ world, route, authorization, cloudId }: Credentials): Caller {
  if (cloudId !== undefined && cloudId !== world.cloud.site.cloudId) {
    throw new Refused(because('there is no site with this cloudId', gatewayError(404, 'Not Found')));
  }
  const { user: email, secret } = basic(authorization);
  const known = world.cloud.credentials.jira.find((entry) => entry.email === email && entry.token === secret);
  if (!known) throw new Refused(because('Jira wants Basic <email>:<API token>', unauthorized(world)));
  const owner = world.cloud.withEmail(known.email)[0];
  if (owner && !isActive(owner)) {
    throw new Refused(because('the account that owns the token is not active', unauthorized(world)));
  }
  const scopesMissing = missingScopes(known.scopes, route);
  if (cloudId === undefined) {
    // Measured: a scoped token at the site's own host is answered as a wrong one is.
    if (known.scopes)
      throw new Refused(because('a scoped token works at /ex/jira/{cloudId} only', unauthorized(world)));
  } else if (!known.scopes && world.behaviour.switches.unscopedTokenAtGateway === 'refused') {
    throw new Refused(because('an unscoped token works at the site only', unauthorized(world)));
  } else if (scopesMissing) {
    throw new Refused(because(scopesMissing, gatewayError(401, 'Unauthorized; scope does not match')));
  }
  return { name: email, may: (permission) => known.permissions.includes(permission) };
}

function organisationCaller({ world, route, authorization }: Credentials): Caller {
  const known = organisationKey(world, authorization);
  if (!known) {
    throw new Refused(because('the organisation API wants Bearer <API key>', gatewayError(401, 'Unauthorized')));
  }
  const scopesMissing = missingScopes(known.scopes, route);
  if (scopesMissing) {
    throw new Refused(because(scopesMissing, gatewayError(401, 'Unauthorized; scope does not match')));
  }
  return { ...ANYBODY, name: 'organisation' };
}

function manageCaller({ world, authorization }: Credentials): Caller {
  const known = organisationKey(world, authorization);
  if (!known) {
    throw new Refused(because('user management wants Bearer <API key>', manageError(401, 'unauthorized')));
  }
  if (known.scopes) {
    const context = { requiredScopes: ['manage:org'] };
    throw new Refused(
      because(
        'manage wants a key that was created without scopes',
        manageError(403, 'forbidden.insufficientScope', context),
      ),
    );
  }
  return { ...ANYBODY, name: 'organisation' };
}

function dataCenterCaller({ world, authorization }: Credentials): Caller {
  const token = bearer(authorization);
  const { user: username, secret } = basic(authorization);
  const known = world.dataCenter.credentials.find((entry) =>
    'token' in entry ? entry.token === token : entry.username === username && entry.password === secret,
  );
  if (!known)
    throw new Refused(because('Data Center wants Bearer <personal access token> or Basic', unauthorized(world)));
  return { name: known.username, may: () => known.admin };
}

const organisationKey = (world: World, authorization: string) =>
  world.cloud.credentials.organisation.find(({ key }) => key === bearer(authorization));

/** Jira's 401: plain text in some captures, JSON in others. */
function unauthorized(world: World): Answer {
  const text = 'Client must be authenticated to access this resource.';
  return world.behaviour.switches.unauthorizedBody === 'text' ? { status: 401, text } : jiraError(401, [text]);
}

function missingScopes(scopes: readonly string[] | undefined, { scopes: sets }: Route): string | undefined {
  if (!scopes || !sets || sets.some((set) => set.every((scope) => scopes.includes(scope)))) return undefined;
  return `needs the scopes ${sets.map((set) => set.join(' ')).join(', or ')}`;
}

const bearer = (authorization: string): string | undefined => /^Bearer (\S+)$/.exec(authorization)?.[1];

function basic(authorization: string): { readonly user: string; readonly secret: string } {
  const encoded = /^Basic (\S+)$/.exec(authorization)?.[1] ?? '';
  const decoded = Buffer.from(encoded, 'base64').toString();
  const colon = decoded.indexOf(':');
  return { user: decoded.slice(0, Math.max(colon, 0)), secret: decoded.slice(colon + 1) };
}
