export const STATUSES = ['changed', 'unchanged', 'failed', 'invalid', 'unprocessed'] as const;

/** What became of a row. */
export type Status = (typeof STATUSES)[number];

/** The most that an outcome's message has. */
export const MESSAGE_CHARACTERS = 1_000;

/** What became of one row, as its event keeps it and the report shows it. */
export interface Outcome {
  /** The row's place in the manifest, counted from 0 without header and blank lines. */
  readonly row: number;
  /** The line in the manifest on which the row begins, counted from 1. */
  readonly line: number;
  readonly generation: number;
  readonly status: Status;
  readonly code?: Code | undefined;
  /** For a person; at most MESSAGE_CHARACTERS, no secret, no cell but the one at fault. */
  readonly message?: string | undefined;
  readonly httpStatus?: number | undefined;
  readonly attempts: number;
  /** On an `unchanged` row: Atlassian itself answered its first write that it was so already, so no write of ours made it so. */
  readonly untouched?: true | undefined;
  /** Atlassian's own id of the request, for its support. */
  readonly traceId?: string | undefined;
  /** ISO 8601, UTC. */
  readonly finishedAt: string;
}

interface CodeEntry {
  /** The statuses that it goes with, each by its number in a row-status byte. They are stored: none is changed or used again. */
  readonly numbers: Readonly<Partial<Record<Status, number>>>;
  /** Whether the same row may succeed later without anybody changing anything: the worker tries such a row again. */
  readonly temporary: boolean;
  /** Whether the row itself is why, or something that would meet any row. */
  readonly class: 'row' | 'infrastructure';
  readonly remedy: string;
}

/** Every reason that an outcome can have: a closed list, each with its remedy. */
export const CODES = {
  USER_NOT_FOUND: failed(5, 'Check the account id or e-mail address; invite the user first if they are new.'),
  USER_AMBIGUOUS: failed(6, 'More than one account matches; put the account id in the row.'),
  GROUP_NOT_FOUND: failed(7, 'Check the name or id of the group.'),
  GROUP_MISMATCH: failed(8, 'The group id belongs to a group with another name; correct one of the two.'),
  EMAIL_MISMATCH: failed(
    9,
    "The account has a different e-mail address from the row's; correct the id or the address.",
  ),
  EMAIL_IN_USE: failed(10, 'Another Atlassian account uses this address; give that account another address first.'),
  DOMAIN_NOT_VERIFIED: failed(
    11,
    "Verify the address's domain for the organisation, or use an address of a verified one.",
  ),
  USER_NOT_MANAGED: failed(12, 'The organisation does not manage this account; claim its domain first.'),
  SCIM_MANAGED: failed(13, 'The account is provisioned by an identity provider; make the change there.'),
  GROUP_EXTERNAL: failed(14, 'The group is synchronised from an identity provider; change its members there.'),
  LICENCE_LIMIT: failed(15, 'No licence is free; add seats or free one, then drop failed.csv in again.'),
  PROTECTED: failed(
    16,
    "This account or group is protected from files; an organisation admin must make the change by hand, or take it from the secret's list.",
  ),
  CONTRADICTION: {
    numbers: { failed: 17, invalid: 18 },
    temporary: false,
    class: 'row',
    remedy: 'Two rows ask for different things for the same person or group; keep the right one.',
  },
  CHANGED_SINCE_PLAN: failed(19, 'Somebody changed this since the plan was made; make a new plan.'),
  UNAUTHORIZED: refused(
    20,
    "Atlassian refuses the credentials: they are wrong or have expired (a token lives a year at most), or their owner is suspended or deactivated. Put valid ones into the target's secret and resume the job; where it has ended, redrive the row.",
  ),
  INSUFFICIENT_SCOPE: refused(
    21,
    "The token lacks a scope; replace it in the target's secret (user management needs an API key without scopes).",
  ),
  FORBIDDEN: refused(22, 'The credentials may not make this change; give their owner the admin role that it needs.'),
  RATE_LIMITED: temporary(23, 'Atlassian kept limiting the rate; drop failed.csv in again at a quieter time.'),
  ATLASSIAN_ERROR: temporary(24, 'Atlassian kept failing; see status.atlassian.com, then drop failed.csv in again.'),
  TIMED_OUT: temporary(
    25,
    'Atlassian did not answer in time; drop failed.csv in again. Rows that are done come out unchanged.',
  ),
  REQUEST_REFUSED: failed(26, 'Atlassian refused the request; its reason is in the message.'),
  WORKER_DIED: refused(27, 'Processing this row crashed the worker each time; report it, with the row.'),
  INVALID_ROW: {
    numbers: { invalid: 28 },
    temporary: false,
    class: 'row',
    remedy: 'Correct the cells that the message names.',
  },
  DUPLICATE: unprocessed(29, 'An earlier row asks for the same; nothing to do.'),
  HALTED: unprocessed(30, 'The job stopped before this row; fix what stopped it and resume the job.'),
  CANCELLED: unprocessed(31, 'The job was cancelled before this row; drop unprocessed.csv in to run its rows.'),
  EXPIRED: unprocessed(
    32,
    'Nobody resumed the job in time, so it was cancelled; drop unprocessed.csv in to run its rows.',
  ),
  NOT_APPROVED: unprocessed(33, 'Nobody approved the job; approve it, or drop unprocessed.csv in again.'),
  DRY_RUN: unprocessed(34, 'This was a dry run; nothing was changed.'),
  NOT_APPLIED: unprocessed(
    35,
    'The row was sent several times and no result came back; drop unprocessed.csv in again.',
  ),
  // 36 is an `unchanged` of row-status.ts.
  USER_SUSPENDED: failed(37, 'The person is suspended; restore their access first (operation restore).'),
  USER_DEACTIVATED: failed(38, 'The account is deactivated; reactivate it first (operation reactivate).'),
  SITE_NOT_FOUND: refused(
    39,
    "No Atlassian answers at the target's address, or not for this organisation; correct the address, its context path, the cloudId or the orgId in the secret and resume the job; where it has ended, redrive the row.",
  ),
  DOMAIN_NOT_ALLOWED: failed(
    40,
    "Use an address of an allowed domain, verify this one for the organisation, or add it to allowedDomains in the target's secret.",
  ),
} as const satisfies Record<string, CodeEntry>;

/** Why a job waits for a person before anything, or anything more, is applied. */
export const WAIT_REASONS = [
  'APPROVAL_REQUIRED',
  'TOO_MANY_PEOPLE',
  'MANY_REFUSED',
  'REPEATED_FILE',
  'WRONG_FOLDER',
  'CHANGED_PLAN',
  'STEP',
  'NOT_BEFORE',
] as const;

/** One of WAIT_REASONS. */
export type WaitReasonCode = (typeof WAIT_REASONS)[number];

/** One of CODES: why a row has the status that it has. */
export type Code = keyof typeof CODES;

/** What a row is that planning refuses: invalid where its own cells are why, otherwise failed. */
export const statusOfRefusal = (code: Code): 'failed' | 'invalid' =>
  'failed' in CODES[code].numbers ? 'failed' : 'invalid';

/** Whether a text is one of the closed list. */
export const isCode = (text: string): text is Code => Object.hasOwn(CODES, text);

function failed(number: number, remedy: string) {
  return { numbers: { failed: number }, temporary: false, class: 'row', remedy } as const;
}

function refused(number: number, remedy: string) {
  return { numbers: { failed: number }, temporary: false, class: 'infrastructure', remedy } as const;
}

function temporary(number: number, remedy: string) {
  return { numbers: { failed: number }, temporary: true, class: 'infrastructure', remedy } as const;
}

function unprocessed(number: number, remedy: string) {
  return { numbers: { unprocessed: number }, temporary: false, class: 'row', remedy } as const;
}

/** As much of an outcome as a job's state keeps: it alone decides which status, code and generation a row has. */
export type Standing = Pick<Outcome, 'status' | 'code' | 'untouched' | 'generation'> & Partial<Outcome>;

/**
 * The one of two outcomes of a row that counts: changed > unchanged > failed > unprocessed, whatever their order, number or
 * generation; of two failures the higher generation's; then the one whose code has the lower number. Of outcomes that are alike
 * so far, the earlier success and the later failure count, for what else they say. Commutative, associative and idempotent.
 */
export const join = <Of extends Standing>(a: Of, b: Of): Of => (precedence(a, b) >= 0 ? a : b);

/**
 * A row that is found as it should be after a write of it had begun was changed by this job (promise 2), unless that was
 * the only one and Atlassian answered it that the row was so already.
 */
export const settleStatus = ({ status, untouched }: Pick<Outcome, 'status' | 'untouched'>, attempts: number): Status =>
  status === 'unchanged' && attempts > (untouched ? 1 : 0) ? 'changed' : status;

/** The same rule for a whole outcome; give it the merged one, with how many `attempting` entries name its row. */
export function settleOutcome(outcome: Outcome, attempts: number): Outcome {
  const status = settleStatus(outcome, attempts);
  return status === outcome.status ? outcome : { ...outcome, status, message: CHANGED_UNSEEN };
}

const CHANGED_UNSEEN = 'Found as the row asks, after a write of this row had begun.';

/** Positive when `a` counts, negative when `b` does, 0 when they are alike. */
function precedence(a: Standing, b: Standing): number {
  const byStatus = rankOf(a) - rankOf(b);
  if (byStatus !== 0) return byStatus;
  const byGeneration = a.generation - b.generation;
  if (a.status === 'failed' && byGeneration !== 0) return byGeneration;
  const byCode = placeOf(b.code) - placeOf(a.code);
  if (byCode !== 0) return byCode;
  const later = byGeneration || compareText(a.finishedAt ?? '', b.finishedAt ?? '');
  if (later !== 0) return isSuccess(a.status) ? -later : later;
  return compareText(textOf(a), textOf(b));
}

/** A code's place in the order that is stored; it never changes, so a job comes to the same result under any version. */
const placeOf = (code: Code | undefined): number =>
  code === undefined ? 0 : Math.min(...Object.values(CODES[code].numbers));

/**
 * The higher counts. That Atlassian answered a write so comes before what was only read. `invalid` rows are never sent and
 * meet no other outcome; they have a rank only so that the order is total.
 */
const rankOf = ({ status, untouched }: Pick<Outcome, 'status' | 'untouched'>): number =>
  (untouched ? 0.5 : 0) - STATUSES.indexOf(status);

const isSuccess = (status: Status): boolean => status === 'changed' || status === 'unchanged';

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** Of outcomes alike in all that matters any may count, so long as it is always the same one. */
const textOf = ({ row, line, message, httpStatus, attempts, traceId }: Partial<Outcome>): string =>
  JSON.stringify([row, line, message, httpStatus, attempts, traceId]);
