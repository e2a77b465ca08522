import { accessOperation } from './site-access.ts';

/** Gives back the access that a suspension took. */
export const restore = accessOperation({
  name: 'restore',
  about: "Restores a suspended person's access. On Data Center the user becomes active.",
  desired: 'active',
});
