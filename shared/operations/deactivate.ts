import { lifecycleOperation } from './account-lifecycle.ts';
import { column, telling } from './columns.ts';

/** Deactivates managed accounts: nobody can log in with them until they are reactivated. */
export const deactivate = lifecycleOperation({
  name: 'deactivate',
  about: 'Deactivates a managed account: nobody can log in with it.',
  desired: 'inactive',
  columns: [telling(column('message', [], 'Why, for Atlassian to show at the account.'))],
});
