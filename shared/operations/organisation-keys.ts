import type { Cloud, Organisation, UserManagement } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import { secretName } from '../target.ts';

/** The organisation's APIs, or the Refusal of all rows that need them. */
export function organisationOf({ target, organisation, userManagement }: Cloud): {
  readonly organisation: Organisation;
  readonly userManagement: UserManagement;
} {
  if (organisation && userManagement) return { organisation, userManagement };
  throw keysMissing(target.name);
}

// FORBIDDEN, since its remedy is the right one: the credentials that the target has are not enough for this change.
export const keysMissing = (target: string): Refusal =>
  new Refusal(
    'FORBIDDEN',
    `The target ${target} has no organisation keys, which this change needs: ` +
      `add orgId and orgApiKey to its secret ${secretName(target)}, then resume the job. Nothing was sent to Atlassian.`,
  );
