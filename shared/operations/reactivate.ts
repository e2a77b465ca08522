import { lifecycleOperation } from './account-lifecycle.ts';

/** Reactivates managed accounts that were deactivated. */
export const reactivate = lifecycleOperation({
  name: 'reactivate',
  about: 'Reactivates a deactivated managed account.',
  desired: 'active',
  columns: [],
});
