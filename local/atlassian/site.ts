import { ok } from './answer.ts';
import type { Route } from './router.ts';

/** What a site says to anybody. */
export const siteRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/_edge/tenant_info',
    api: 'site',
    about:
      'The cloudId of the site, without credentials (support.atlassian.com, “Retrieve my Atlassian site’s Cloud ID”).',
    handle: ({ world }) => ok({ cloudId: world.cloud.site.cloudId }),
  },
];
