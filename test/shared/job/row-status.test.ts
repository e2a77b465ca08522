import { describe, expect, it } from 'vitest';

import { CODES, type Code, type Status } from '../../../shared/job/outcome.ts';
import { attempted, rowStatusOf, settledStatus } from '../../../shared/job/row-status.ts';

/** As they are stored: a line is added here, none is changed. */
const STORED: Readonly<Record<number, string>> = {
  3: 'changed',
  4: 'unchanged',
  5: 'failed USER_NOT_FOUND',
  6: 'failed USER_AMBIGUOUS',
  7: 'failed GROUP_NOT_FOUND',
  8: 'failed GROUP_MISMATCH',
  9: 'failed EMAIL_MISMATCH',
  10: 'failed EMAIL_IN_USE',
  11: 'failed DOMAIN_NOT_VERIFIED',
  12: 'failed USER_NOT_MANAGED',
  13: 'failed SCIM_MANAGED',
  14: 'failed GROUP_EXTERNAL',
  15: 'failed LICENCE_LIMIT',
  16: 'failed PROTECTED',
  17: 'failed CONTRADICTION',
  18: 'invalid CONTRADICTION',
  19: 'failed CHANGED_SINCE_PLAN',
  20: 'failed UNAUTHORIZED',
  21: 'failed INSUFFICIENT_SCOPE',
  22: 'failed FORBIDDEN',
  23: 'failed RATE_LIMITED',
  24: 'failed ATLASSIAN_ERROR',
  25: 'failed TIMED_OUT',
  26: 'failed REQUEST_REFUSED',
  27: 'failed WORKER_DIED',
  28: 'invalid INVALID_ROW',
  29: 'unprocessed DUPLICATE',
  30: 'unprocessed HALTED',
  31: 'unprocessed CANCELLED',
  32: 'unprocessed EXPIRED',
  33: 'unprocessed NOT_APPROVED',
  34: 'unprocessed DRY_RUN',
  35: 'unprocessed NOT_APPLIED',
  36: 'unchanged untouched',
  37: 'failed USER_SUSPENDED',
  38: 'failed USER_DEACTIVATED',
  39: 'failed SITE_NOT_FOUND',
  40: 'failed DOMAIN_NOT_ALLOWED',
};

describe('a row status', () => {
  it('keeps the number that it is stored by, and no two share one', () => {
    const codes = Object.keys(CODES) as Code[]; // the keys of a const object
    const named = codes.flatMap((code) =>
      (Object.keys(CODES[code].numbers) as Status[]).map((status) => [rowStatusOf(status, code), `${status} ${code}`]),
    );

    expect(
      Object.fromEntries([
        [rowStatusOf('changed'), 'changed'],
        [rowStatusOf('unchanged'), 'unchanged'],
        [rowStatusOf('unchanged', undefined, true), 'unchanged untouched'],
        ...named,
      ]),
    ).toEqual(STORED);
    expect(named).toHaveLength(Object.keys(STORED).length - 3);
  });

  it('is read back as what was stored, with and without a mark', () => {
    const rowStatus = rowStatusOf('failed', 'FORBIDDEN');

    const read = [rowStatus, attempted(rowStatus), attempted(attempted(rowStatus))].map(settledStatus);

    expect(read).toEqual(Array(3).fill({ status: 'failed', code: 'FORBIDDEN' }));
  });

  it('is refused for a code that does not go with the status', () => {
    expect(() => rowStatusOf('invalid', 'FORBIDDEN')).toThrow('No row can be invalid with code FORBIDDEN');
  });
});
