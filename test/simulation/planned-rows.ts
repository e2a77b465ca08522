/** What a row asks for, seen from how things are. */
export const ROW_KINDS = [
  'change',
  'already',
  'unknown',
  'invalid',
  'external',
  'takes',
  'repeat',
  'contradicts',
] as const;

/** What is special about a row's write: it ends its worker, or Atlassian always answers it so. */
export const TROUBLES = ['poison', 'forbidden', 'failing', 'lost before', 'lost after'] as const;

export interface PlannedRow {
  readonly kind: (typeof ROW_KINDS)[number];
  readonly trouble?: (typeof TROUBLES)[number] | undefined;
  /** How many rows further on that row is whose address one that `takes` is to have; the next unless given. */
  readonly ahead?: number | undefined;
  /** A row that repeats or contradicts another names its person the other way: by address what that one names by id. */
  readonly respelt?: boolean | undefined;
}

export const SIMULATED_OPERATIONS = [
  'membership',
  'creation',
  'email-change',
  'suspend',
  'restore',
  'deactivate',
  'reactivate',
  'data-center/membership',
  'data-center/creation',
  'data-center/email-change',
  'data-center/suspend',
] as const;

export type SimulatedOperation = (typeof SIMULATED_OPERATIONS)[number];

/** The plan of one row in its place; a repeat, or a row that contradicts, has the place of its original. */
export interface Place extends PlannedRow {
  readonly index: number;
  readonly rows: readonly PlannedRow[];
  /** The row wants the opposite of what its original wants. */
  readonly isOpposed: boolean;
  /** The row names its person by an address that they have given up already. */
  readonly isOutdated: boolean;
}

/** The row whose address a row takes. */
export const takenFrom = ({ index, kind, rows, ahead = 1 }: Place): number | undefined =>
  kind === 'takes' ? (index + ahead) % rows.length : undefined;
