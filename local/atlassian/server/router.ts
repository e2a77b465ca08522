import { dataCenterRoutes } from '../routes/data-center.ts';
import type { Api, Query, Route } from '../routes/call.ts';
import { jiraRoutes } from '../routes/jira.ts';
import { organisationRoutes } from '../routes/organisation.ts';
import type { Switches } from '../routes/switches.ts';
import { userManagementRoutes } from '../routes/user-management.ts';

/** Everything of Atlassian that the simulator answers. */
export const ROUTES: readonly Route[] = [
  ...jiraRoutes,
  ...organisationRoutes,
  ...userManagementRoutes,
  ...dataCenterRoutes,
];

/** Where each API stands on the one server. */
export const BASES: Readonly<Record<Api, readonly string[]>> = {
  site: [''],
  jira: ['/rest/api/3', '/rest/api/2', '/ex/jira/{cloudId}/rest/api/3', '/ex/jira/{cloudId}/rest/api/2'],
  organisation: ['/admin'],
  'user-management': [''],
  'data-center': ['/jira/rest/api/2', '/jira/rest/api/latest'],
};

export interface Endpoint {
  readonly route: Route;
  /** Names it in limits and counts: one name for all bases of an API. */
  readonly name: string;
}

export type Found =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'method-unknown'; readonly allowed: readonly string[] }
  | { readonly kind: 'unknown' };

interface Node {
  readonly literals: Map<string, Node>;
  parameter?: { readonly name: string; readonly node: Node };
  readonly endpoints: Map<string, Endpoint>;
}

/** Finds the endpoint of a method and a path; segments are decoded one by one. Throws URIError on a broken escape. */
export function createRouter(routes: readonly Route[]): (method: string, path: string) => Found {
  const root = createNode();
  for (const route of routes) {
    const endpoint = { route, name: endpointName(route) };
    for (const base of BASES[route.api]) place(root, `${base}${route.path}`, endpoint);
  }
  return (method, path) => {
    const params: Record<string, string> = {};
    const end = walk(root, path.split('/').slice(1), params);
    if (!end || end.endpoints.size === 0) return { kind: 'unknown' };
    const endpoint = end.endpoints.get(method);
    return endpoint
      ? { kind: 'endpoint', endpoint, params }
      : { kind: 'method-unknown', allowed: [...end.endpoints.keys()] };
  };
}

const SHORT_BASES: Readonly<Record<Api, string>> = {
  site: '',
  jira: '/rest/api/{version}',
  organisation: '/admin',
  'user-management': '',
  'data-center': '/jira/rest/api/{version}',
};

/** As in `POST /rest/api/{version}/group/user`. */
export const endpointName = ({ method, api, path }: Route): string => `${method} ${SHORT_BASES[api]}${path}`;

const createNode = (): Node => ({ literals: new Map(), endpoints: new Map() });

function place(root: Node, path: string, endpoint: Endpoint): void {
  let at = root;
  for (const segment of path.split('/').slice(1)) {
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      const next = at.literals.get(segment) ?? createNode();
      at.literals.set(segment, next);
      at = next;
    } else {
      at.parameter ??= { name, node: createNode() };
      if (at.parameter.name !== name) throw new Error(`${path}: {${name}} is {${at.parameter.name}} in another route`);
      at = at.parameter.node;
    }
  }
  at.endpoints.set(endpoint.route.method, endpoint);
}

/** A literal wins over a parameter, and an empty segment is no value of one. */
function walk(root: Node, segments: readonly string[], params: Record<string, string>): Node | undefined {
  let at: Node | undefined = root;
  for (const segment of segments) {
    const literal: Node | undefined = at.literals.get(segment);
    if (literal) {
      at = literal;
    } else if (at.parameter && segment !== '') {
      params[at.parameter.name] = decodeURIComponent(segment);
      at = at.parameter.node;
    } else {
      return undefined;
    }
  }
  return at;
}

/** Whether a request to this route may change something. */
export const isWrite = ({ method, reads }: Route): boolean => method !== 'GET' && reads !== true;

const NOTHING: Query = new Map();

/** A query string's parameters, decoded. Throws URIError on a broken escape, or on a bare `+` where that is refused. */
export function parseQuery(text: string, plus: Switches['plusInQuery']): Query {
  if (text === '') return NOTHING;
  if (plus === 'refuse' && text.includes('+')) throw new URIError('a bare + in a query is refused; send %20 or %2B');
  const decode = (part: string): string => decodeURIComponent(plus === 'space' ? part.replaceAll('+', ' ') : part);
  const query = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decode(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decode(pair.slice(at + 1));
    const values = query.get(name);
    if (values) values.push(value);
    else query.set(name, [value]);
  }
  return query;
}
