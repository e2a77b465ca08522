import type { CloudTarget, DataCenterTarget } from '../../../shared/target.ts';

export const SITE = 'https://acme.example';
export const API = 'https://api.example';
export const CENTER = 'https://jira.example/context';

/** A Cloud target with everything; what is given is different. */
export const cloudTarget = (changes: Partial<CloudTarget> = {}): CloudTarget => ({
  type: 'cloud',
  name: 'acme',
  secretName: 'rollcall/acme',
  siteUrl: SITE,
  email: 'admin@acme.example',
  apiToken: 'jira-secret',
  orgId: 'org-1',
  orgApiKey: 'org-secret',
  directoryId: 'dir-1',
  apiUrl: API,
  ...changes,
});

export const dataCenterTarget = (changes: Partial<DataCenterTarget> = {}): DataCenterTarget => ({
  type: 'data-center',
  name: 'center',
  secretName: 'rollcall/center',
  baseUrl: CENTER,
  token: 'pat-secret',
  ...changes,
});
