// The real worker with a poisonous membership: what is deployed has no hook for this.
import { membership } from '../../shared/operations/membership.ts';
import { poison } from './poisonous-rows.ts';

export { handler } from '../../functions/worker/handler.ts';

Object.assign(membership, { cloud: membership.cloud && poison(membership.cloud) });
