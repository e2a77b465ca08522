import type { Cloud, Organisation, UserManagement } from '../atlassian/apis.ts';
import { Refusal, TargetUnusable } from '../atlassian/errors.ts';
import { secretName } from '../target.ts';

/** The organisation's APIs; throws TargetUnusable when the target has no keys for them. */
export function organisationOf({ target, organisation, userManagement }: Cloud): {
  readonly organisation: Organisation;
  readonly userManagement: UserManagement;
} {
  if (organisation && userManagement) return { organisation, userManagement };
  throw new TargetUnusable(CODE, `${remedy(target.name)}, then resume the job.`);
}

/** The Refusal of a row that needs them, in a job whose other rows do not. */
export const keysMissing = (target: string): Refusal =>
  new Refusal(CODE, `${remedy(target)}, then drop failed.csv in again. Nothing was sent to Atlassian.`);

// Since its remedy is the right one: the credentials that the target has are not enough for this change.
const CODE = 'FORBIDDEN';

const remedy = (target: string): string =>
  `The target ${target} has no organisation keys, which this change needs: ` +
  `add orgId and orgApiKey to its secret ${secretName(target)}`;
