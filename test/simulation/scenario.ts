import * as fc from 'fast-check';

import type { Command } from '../../shared/job/job.ts';
import { FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
import { type PlannedRow, ROW_KINDS, SIMULATED_OPERATIONS, type SimulatedOperation, TROUBLES } from './planned-rows.ts';

/** Everything that one run depends on. */
export interface Scenario {
  /** The seed of the schedule: of every delay, and of every choice that nothing else makes. */
  readonly schedule: number;
  readonly jobs: readonly PlannedJob[];
  readonly faults: readonly Fault[];
  readonly commands: readonly PlannedCommand[];
  readonly others: readonly PlannedOther[];
  /** How many rows a row chunk has, so that a small file is planned in many. */
  readonly chunkRows: number;
  /** A job that takes access away from more people than this waits, as one does of whose rows as many are refused. */
  readonly mostPeople: number;
  /** How long a job waits before somebody attends to it. */
  readonly attendsAfterMinutes: number;
  /** How long Atlassian's reads do not show what was written. */
  readonly lagSeconds: number;
  readonly receiveCountGoesOn: boolean;
  /** Whether dead letters are put up again once the jobs have ended. */
  readonly redrive: boolean;
}

/** A file, and the rules that are to hold for it. */
export interface PlannedJob {
  readonly operation: SimulatedOperation;
  readonly rows: readonly PlannedRow[];
  readonly dryRun?: boolean | undefined;
  /** The file comes with `rollcall-approval: required`. */
  readonly approvalRequired?: boolean | undefined;
  readonly steps?: number | undefined;
  readonly notBeforeMinutes?: number | undefined;
  /** More changes than this need approval. */
  readonly above?: number | undefined;
  readonly twoPersons?: boolean | undefined;
  /** The same file is put there once more so much later. */
  readonly copyAfterSeconds?: number | undefined;
}

/** What an approval gets right, or wrong. */
export const APPROVALS = [
  'right',
  'another hash',
  'another job',
  'accepts nothing',
  'another step',
  'no hash',
] as const;

export type ApprovalKind = (typeof APPROVALS)[number];

export interface PlannedCommand {
  readonly job: number;
  readonly command: Command;
  readonly atSeconds: number;
  /** By invoking intake, where that takes the command; by a control object else. */
  readonly isInvoked?: boolean | undefined;
  readonly approval?: ApprovalKind | undefined;
  /** Whoever uploaded the file asks. */
  readonly isByUploader?: boolean | undefined;
}

/** Somebody else changes the subject of a row. */
export interface PlannedOther {
  readonly job: number;
  readonly row: number;
  readonly does: 'same' | 'against';
  /** So much after the start, or after the job is planned. */
  readonly after: 'start' | 'plan';
  readonly seconds: number;
}

const faultKinds = Object.keys(FAULT_KINDS) as [FaultKind, ...FaultKind[]]; // the keys of a const object

const times = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4, max: 12 }) },
);

const fault: fc.Arbitrary<Fault> = fc
  .constantFrom(...faultKinds)
  .chain((kind) => fc.record({ kind: fc.constant(kind), at: fc.nat(FAULT_KINDS[kind].upTo), times }));

/** Mostly not there. */
const seldom = <Value>(arbitrary: fc.Arbitrary<Value>, oneIn: number): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const row: fc.Arbitrary<PlannedRow> = fc.record({
  kind: fc.oneof(
    { weight: 7, arbitrary: fc.constant('change' as const) },
    { weight: 7, arbitrary: fc.constantFrom(...ROW_KINDS) },
  ),
  trouble: seldom(fc.constantFrom(...TROUBLES), 16),
  ahead: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 29 }) }),
  respelt: fc.boolean(),
});

const job: fc.Arbitrary<PlannedJob> = fc.record({
  operation: fc.constantFrom(...SIMULATED_OPERATIONS),
  rows: fc.oneof(
    { weight: 6, arbitrary: fc.array(row, { minLength: 1, maxLength: 8 }) },
    { weight: 3, arbitrary: fc.array(row, { minLength: 9, maxLength: 30 }) },
  ),
  dryRun: seldom(fc.constant(true), 12),
  approvalRequired: seldom(fc.constant(true), 6),
  steps: seldom(fc.integer({ min: 1, max: 6 }), 7),
  notBeforeMinutes: seldom(fc.constantFrom(1, 4, 70), 12),
  above: seldom(fc.integer({ min: 0, max: 4 }), 4),
  twoPersons: seldom(fc.constant(true), 5),
  copyAfterSeconds: seldom(fc.oneof(fc.nat(3), fc.nat(200)), 7),
});

const command: fc.Arbitrary<PlannedCommand> = fc.record({
  job: fc.nat(2),
  command: fc.constantFrom('pause', 'resume', 'cancel', 'resume', 'pause', 'approve', 'approve'),
  atSeconds: fc.oneof(fc.nat(12), fc.nat(120)),
  isInvoked: fc.boolean(),
  approval: fc.constantFrom(...APPROVALS, 'right'),
  isByUploader: seldom(fc.constant(true), 4),
});

const other: fc.Arbitrary<PlannedOther> = fc.record({
  job: fc.nat(1),
  row: fc.nat(29),
  does: fc.constantFrom('same', 'against'),
  after: fc.constantFrom('start', 'plan', 'plan'),
  seconds: fc.oneof(fc.nat(3), fc.nat(120)),
});

/** Scenarios of up to two files, each perhaps put there twice; one that fails shrinks to few rows and few faults. */
export const scenarios: fc.Arbitrary<Scenario> = fc.noBias(
  fc.record({
    schedule: fc.noShrink(fc.integer()),
    jobs: fc.array(job, { minLength: 1, maxLength: 2 }),
    faults: fc.array(fault, { maxLength: 12 }),
    commands: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(command, { maxLength: 4 }) },
    ),
    others: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(other, { minLength: 1, maxLength: 4 }) },
    ),
    chunkRows: fc.constantFrom(1, 2, 3, 5, 30),
    mostPeople: fc.constantFrom(1_000, 1_000, 1_000, 2),
    attendsAfterMinutes: fc.constantFrom(0, 0, 3, 12, 20),
    lagSeconds: fc.constantFrom(0, 0, 3, 20),
    receiveCountGoesOn: fc.boolean(),
    redrive: fc.boolean(),
  }),
);
