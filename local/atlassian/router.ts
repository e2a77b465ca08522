import type { Answer } from './answer.ts';
import type { Call } from './call.ts';

export type Api = 'jira' | 'organisation' | 'user-management' | 'data-center' | 'site';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One method of one path. */
export interface Route {
  readonly method: Method;
  /** Below the API's base; `{name}` stands for one segment. */
  readonly path: string;
  readonly api: Api;
  /** One sentence for the documentation. */
  readonly about: string;
  /** The query parameters that it has. */
  readonly query?: readonly string[];
  /** A POST that only reads; other methods than GET write. */
  readonly reads?: boolean;
  /** Shares the limit on user searches. */
  readonly userSearch?: boolean;
  /** Scoped credentials need all scopes of one of these sets. */
  readonly scopes?: readonly (readonly string[])[];
  readonly handle: (call: Call) => Answer;
}

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
export function router(routes: readonly Route[]): (method: string, path: string) => Found {
  const root = node();
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

const node = (): Node => ({ literals: new Map(), endpoints: new Map() });

function place(root: Node, path: string, endpoint: Endpoint): void {
  let at = root;
  for (const segment of path.split('/').slice(1)) {
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      const next = at.literals.get(segment) ?? node();
      at.literals.set(segment, next);
      at = next;
    } else {
      at.parameter ??= { name, node: node() };
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
