import { accessOperation } from './site-access.ts';

/** Takes a person's access to the organisation's products away; groups and roles are kept for a restore. */
export const suspend = accessOperation({
  name: 'suspend',
  about: "Suspends a person's access; their groups and roles are kept. On Data Center the user becomes inactive.",
  desired: 'suspended',
});
