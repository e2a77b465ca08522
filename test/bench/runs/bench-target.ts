import type { CloudTarget } from '../../../shared/target.ts';

/** A target that nothing is sent to. */
export const BENCH_TARGET: CloudTarget = {
  type: 'cloud',
  name: 'acme',
  secretName: 'rollcall/acme',
  siteUrl: 'https://acme.atlassian.net',
  email: 'admin@acme.example',
  apiToken: 'token',
  orgId: 'org',
  orgApiKey: 'key',
  apiUrl: 'https://api.atlassian.com',
};
