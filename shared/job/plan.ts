import { createHash } from 'node:crypto';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';

import { JobNotReadable, type ObjectStore } from '../ports.ts';
import { codeSchema } from './events.ts';
import { gateKey, planChunkKey } from './keys.ts';
import { WAIT_REASONS } from './outcome.ts';

const keySchema = z.object({ subject: z.string(), desired: z.string(), inTurn: z.literal(true).optional() });

const rowFields = {
  row: z.int().nonnegative(),
  line: z.int().positive(),
  /** When the row was planned; ISO 8601, UTC. */
  at: z.string(),
};

const reasonFields = {
  code: codeSchema,
  message: z.string(),
  httpStatus: z.int().optional(),
  traceId: z.string().optional(),
};

/** What applying one row would do: one line of a plan chunk. `keys` name its subject by immutable ids; rows with equal ones are compared. */
export const rowPlanSchema = z.discriminatedUnion('kind', [
  z.object({
    ...rowFields,
    kind: z.literal('noop'),
    subject: z.unknown(),
    /** The state that was found, which is as desired. */
    before: z.unknown(),
    keys: z.array(keySchema),
    message: z.string().optional(),
  }),
  z.object({
    ...rowFields,
    kind: z.literal('change'),
    subject: z.unknown(),
    before: z.unknown(),
    after: z.unknown(),
    keys: z.array(keySchema),
    message: z.string().optional(),
    /** The change can be made only once whoever this key names has been changed; if no row does so, it is refused with this code. */
    blocked: z.object({ by: z.string(), ...reasonFields }).optional(),
  }),
  z.object({ ...rowFields, kind: z.literal('refused'), ...reasonFields }),
]);

/** What applying one row would do, as planning found it: nothing, a change, or a refusal. */
export type RowPlan = Readonly<z.infer<typeof rowPlanSchema>>;

/** A row that planning found to need a change. */
export type RowChange = Extract<RowPlan, { readonly kind: 'change' }>;

const reasonSchema = z.object({ code: z.enum(WAIT_REASONS), message: z.string() });

/** Why a job waits, with what a person should look at. */
export type WaitReason = Readonly<z.infer<typeof reasonSchema>>;

const counts = z.object({
  change: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  invalid: z.int().nonnegative(),
  unprocessed: z.int().nonnegative(),
});

/** What the gate made of a whole plan: `plan/<id>/<attempt>/gate.json`, written once. */
export const gateSchema = z.object({
  version: z.literal(1),
  /** SHA-256 over row, subject, before, after, code and dependency of every row in order, and the policy: what an approval names. */
  hash: z.string(),
  /** A byte a row (see row-status.ts), deflated, base64: rows that are not applied have theirs already. */
  rowStatuses: z.string(),
  /** Chunks of the outcomes that the gate gave, in row order; those of planning stand in the plan chunks. */
  outcomeChunks: z.array(z.object({ name: z.string(), firstRow: z.int(), lastRow: z.int() })),
  /** `[row, line, onRow, onLine]`: the first can be applied once the second is as desired. */
  dependencies: z.array(z.tuple([z.int(), z.int(), z.int(), z.int()])),
  /** Of those rows, by number, the ones that can be applied whatever became of the other: they only take turns. */
  inTurn: z.array(z.int()).optional(),
  counts,
  codes: z.partialRecord(codeSchema, z.int()),
  /** Seats of products that the changes take (positive) or free, where that is known; by product. */
  seats: z.record(z.string(), z.int()).optional(),
  /** Domains of people whom the changes create: how many of each. */
  domains: z.record(z.string(), z.int()).optional(),
  /** Why the job must wait for a person; empty when it may run. */
  reasons: z.array(reasonSchema),
  /** After so many changes it waits again. */
  steps: z.int().positive().optional(),
  twoPersons: z.boolean(),
  /** A dry run ends with its plan. */
  mode: z.enum(['apply', 'dry-run']),
  /** The operation that the changes are of, where it is not the job's own: an undo performs the one that it takes back. */
  operation: z.string().optional(),
  /** How many of the changes take access away or rename. */
  takes: z.int().nonnegative(),
  /** The policy as it held for this job, for the summary. */
  policy: z.record(z.string(), z.unknown()),
});

/** What the gate made of a whole plan: its hash, what becomes of each row, and whether the job may run. */
export type Gate = Readonly<z.infer<typeof gateSchema>>;

/** The SHA-256 of an object, by which an event names it. */
export const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** A plan chunk as it is stored. */
export const packRowPlans = (plans: readonly RowPlan[]): Uint8Array =>
  gzipSync(plans.map((plan) => `${JSON.stringify(plan)}\n`).join(''), { level: constants.Z_BEST_SPEED });

/** Which plan of a job: its attempt, and the SHA-256 of each chunk. */
export interface StoredPlan {
  readonly jobId: string;
  readonly attempt: number;
  readonly chunks: readonly string[];
}

/** The plan of one row chunk, in row order. Throws JobNotReadable when it is gone or is not what planning wrote. */
export async function readRowPlans(
  results: ObjectStore,
  { jobId, attempt, chunks }: StoredPlan,
  index: number,
): Promise<readonly RowPlan[]> {
  const packed = await readChecked(results, planChunkKey(jobId, attempt, index), chunks[index] ?? '');
  const text = gunzipSync(packed).toString().trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as RowPlan); // the planner's, as the hash shows
}

/** What the gate decided. Throws JobNotReadable when it is gone or is not what the gate wrote. */
export async function readGate(
  results: ObjectStore,
  { jobId, attempt, sha256 }: { readonly jobId: string; readonly attempt: number; readonly sha256: string },
): Promise<Gate> {
  const stored = await readChecked(results, gateKey(jobId, attempt), sha256);
  return gateSchema.parse(JSON.parse(stored.toString()));
}

async function readChecked(results: ObjectStore, key: string, sha256: string): Promise<Buffer> {
  const stored = await results.read(key);
  if (!stored) throw new JobNotReadable(`${key} is not there; upload the file again`);
  const bytes = Buffer.concat(await stored.body.toArray());
  if (sha256Of(bytes) !== sha256)
    throw new JobNotReadable(`${key} is not what the planner wrote; upload the file again`);
  return bytes;
}
