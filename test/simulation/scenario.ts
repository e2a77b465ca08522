import * as fc from 'fast-check';

import type { Command } from '../../shared/job/job.ts';
import { FAULT_KINDS, type Fault, type FaultKind } from './faults.ts';
import { type PlannedRow, ROW_KINDS, SIMULATED_OPERATIONS, type SimulatedOperation, TROUBLES } from './planned-rows.ts';

/** Everything that one run depends on. */
export interface Scenario {
  /** The seed of the schedule: of every delay, and of every choice that nothing else makes. */
  readonly schedule: number;
  readonly jobs: readonly { readonly operation: SimulatedOperation; readonly rows: readonly PlannedRow[] }[];
  readonly faults: readonly Fault[];
  readonly commands: readonly PlannedCommand[];
  /** How long Atlassian's reads do not show what was written. */
  readonly lagSeconds: number;
  readonly receiveCountGoesOn: boolean;
  /** Whether dead letters are put up again once the jobs have ended. */
  readonly redrive: boolean;
}

export interface PlannedCommand {
  readonly job: number;
  readonly command: Command;
  readonly atSeconds: number;
}

const faultKinds = Object.keys(FAULT_KINDS) as [FaultKind, ...FaultKind[]]; // the keys of a const object

const times = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4, max: 12 }) },
);

const fault: fc.Arbitrary<Fault> = fc
  .constantFrom(...faultKinds)
  .chain((kind) => fc.record({ kind: fc.constant(kind), at: fc.nat(FAULT_KINDS[kind].upTo), times }));

const row: fc.Arbitrary<PlannedRow> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('change' as const) },
    { weight: 6, arbitrary: fc.constantFrom(...ROW_KINDS) },
  ),
  trouble: fc.oneof(
    { weight: 15, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...TROUBLES) },
  ),
  ahead: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 29 }) }),
});

const job = fc.record({
  operation: fc.constantFrom(...SIMULATED_OPERATIONS),
  rows: fc.oneof(
    { weight: 6, arbitrary: fc.array(row, { minLength: 1, maxLength: 8 }) },
    { weight: 3, arbitrary: fc.array(row, { minLength: 9, maxLength: 30 }) },
  ),
});

const command: fc.Arbitrary<PlannedCommand> = fc.record({
  job: fc.nat(1),
  command: fc.constantFrom('pause', 'resume', 'cancel', 'resume', 'pause'),
  atSeconds: fc.oneof(fc.nat(12), fc.nat(120)),
});

/** Scenarios of up to two jobs; one that fails shrinks to few rows and few faults. */
export const scenarios: fc.Arbitrary<Scenario> = fc.noBias(
  fc.record({
    schedule: fc.noShrink(fc.integer()),
    jobs: fc.array(job, { minLength: 1, maxLength: 2 }),
    faults: fc.array(fault, { maxLength: 12 }),
    commands: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(command, { maxLength: 3 }) },
    ),
    lagSeconds: fc.constantFrom(0, 0, 3, 20),
    receiveCountGoesOn: fc.boolean(),
    redrive: fc.boolean(),
  }),
);
