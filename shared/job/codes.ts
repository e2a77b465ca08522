import type { Status } from './outcome.ts';

interface CodeEntry {
  /** The statuses that the code goes with, each with its number in a row-status byte: stored, so none is changed or used again. */
  readonly numbers: Readonly<Partial<Record<Status, number>>>;
  /** Whether the same row may succeed later without anybody changing anything: the worker tries such a row again. */
  readonly temporary: boolean;
  readonly remedy: string;
}

/** Every reason that an outcome can have: a closed list, each with its remedy. */
export const CODES = {
  USER_NOT_FOUND: failed(5, 'Check the account id or e-mail address; invite the user first if they are new.'),
  USER_AMBIGUOUS: failed(6, 'More than one account answers to this; put the account id in the row.'),
  GROUP_NOT_FOUND: failed(7, 'Check the group name or id; names must match to the letter.'),
  GROUP_MISMATCH: failed(8, 'The group id belongs to a group of another name; correct one of the two.'),
  EMAIL_MISMATCH: failed(
    9,
    "The account has another e-mail address than the row says; correct the row's id or address.",
  ),
  EMAIL_IN_USE: failed(10, 'Another Atlassian account has this address; free it there first.'),
  DOMAIN_NOT_VERIFIED: failed(
    11,
    "Verify the address's domain for the organisation, or use an address of a verified one.",
  ),
  USER_NOT_MANAGED: failed(12, 'The organisation does not manage this account; claim its domain first.'),
  SCIM_MANAGED: failed(13, 'The account is provisioned by an identity provider; make the change there.'),
  GROUP_EXTERNAL: failed(14, 'The group is synchronised from an identity provider; change its members there.'),
  LICENCE_LIMIT: failed(15, 'No licence is free; add seats or free one, then drop failed.csv in again.'),
  PROTECTED: failed(16, 'Atlassian protects this account from the change; ask an organisation admin.'),
  CONTRADICTION: {
    numbers: { failed: 17, invalid: 18 },
    temporary: false,
    remedy: 'Two rows ask different things of the same person or group; keep the one that is meant.',
  },
  CHANGED_SINCE_PLAN: failed(19, 'Somebody changed this since the plan was made; make a new plan.'),
  UNAUTHORIZED: failed(
    20,
    "Atlassian refuses the credentials; put valid ones into the target's secret and resume the job.",
  ),
  INSUFFICIENT_SCOPE: failed(
    21,
    "The token lacks a scope; replace it in the target's secret (manage calls want an unscoped key).",
  ),
  FORBIDDEN: failed(22, 'The credentials may not make this change; give their owner the admin role that it needs.'),
  RATE_LIMITED: temporary(23, 'Atlassian kept asking to wait; drop failed.csv in again when it is quieter.'),
  ATLASSIAN_ERROR: temporary(24, 'Atlassian kept failing; see status.atlassian.com, then drop failed.csv in again.'),
  TIMED_OUT: temporary(25, 'Atlassian did not answer in time; drop failed.csv in again, done rows come out unchanged.'),
  REQUEST_REFUSED: failed(26, 'Atlassian refused the request; its own words are in the message.'),
  WORKER_DIED: failed(27, 'Processing this row ended its worker each time; report it with the row that caused it.'),
  INVALID_ROW: { numbers: { invalid: 28 }, temporary: false, remedy: 'Correct the cells that the message names.' },
  DUPLICATE: unprocessed(29, 'An earlier row asks the same; nothing to do.'),
  HALTED: unprocessed(30, 'The job stopped before this row; mend what stopped it and resume the job.'),
  CANCELLED: unprocessed(31, 'The job was cancelled before this row; drop unprocessed.csv in to carry it out.'),
  EXPIRED: unprocessed(32, 'The job waited for seven days and was cancelled; drop unprocessed.csv in to carry it out.'),
  NOT_APPROVED: unprocessed(33, 'Nobody approved the job; approve it, or drop unprocessed.csv in again.'),
  DRY_RUN: unprocessed(34, 'This was a dry run; nothing was changed.'),
  LOST: unprocessed(35, 'The row was sent three times and nothing came back; drop unprocessed.csv in again.'),
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof CODES;

/** Whether a text is one of the closed list. */
export const isCode = (text: string): text is Code => Object.hasOwn(CODES, text);

function failed(number: number, remedy: string) {
  return { numbers: { failed: number }, temporary: false, remedy } as const;
}

function temporary(number: number, remedy: string) {
  return { numbers: { failed: number }, temporary: true, remedy } as const;
}

function unprocessed(number: number, remedy: string) {
  return { numbers: { unprocessed: number }, temporary: false, remedy } as const;
}
