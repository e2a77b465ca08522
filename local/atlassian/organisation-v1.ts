import { type Answer, ok } from './answer.ts';
import { type Call, queryValue } from './call.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { complain, requireOrganisation } from './organisation-objects.ts';
import type { Route } from './router.ts';

/** What of the organisation API v1 has no successor. */
export const organisationV1Routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/orgs/{orgId}/domains',
    api: 'organisation',
    about: 'Domains and their claims; `links.next` is a whole URL.',
    query: ['cursor'],
    scopes: [['read:domains:admin']],
    handle: domains,
  },
];

/** v1 pages have a size that nobody may choose. */
const PAGE = 100;

function domains(call: Call): Answer {
  requireOrganisation(call);
  const all = call.world.cloud.organisation.domains;
  const { at, next } = page(call, all.length);
  const data = all.slice(at, at + PAGE).map(({ name, type, status }, index) => ({
    id: `domain-${at + index + 1}`,
    type: 'domains',
    attributes: { name, claim: { type, status } },
    links: { self: `${selfOf(call)}/domain-${at + index + 1}` },
  }));
  return ok({ data, links: { self: selfOf(call), ...next } });
}

/** v1 gives whole URLs for the pages. */
function page(call: Call, total: number): { readonly at: number; readonly next: { readonly next?: string } } {
  const cursor = queryValue(call, 'cursor', complain);
  const at = cursor === undefined ? 0 : readCursor(cursor).at;
  if (at + PAGE >= total) return { at, next: {} };
  return { at, next: { next: `${selfOf(call)}?cursor=${writeCursor({ at: at + PAGE, search: {} })}` } };
}

const selfOf = ({ world, path }: Call): string => `${world.url}${path}`;
