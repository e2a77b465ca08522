import { gunzipSync } from 'node:zlib';

import type { Opened } from '../../shared/atlassian/atlassian.ts';
import { planChunkKey } from '../../shared/job/keys.ts';
import type { RowPlan } from '../../shared/job/plan.ts';
import type { Plan, State } from '../../shared/job/state.ts';
import { bindOperation } from '../../shared/operations/operation.ts';
import { findOperation } from '../../shared/operations/index.ts';
import type { Target } from '../../shared/target.ts';
import type { MemoryObjectStore } from '../fakes/memory-object-store.ts';
import { isPlanner, type Promises } from './promises.ts';
import { type Call, type Caller, isWrite, keyOf } from './simulated-atlassian.ts';
import type { Wishes } from './wishes.ts';

/** An approval that somebody gave: what its control object said. */
export interface GivenApproval {
  readonly jobId: string;
  readonly hash: string;
  readonly accepts: readonly string[];
  readonly step?: number | undefined;
  readonly principal: string;
}

export interface PlannedWork {
  readonly jobId: string;
  readonly wishes: Wishes;
  readonly target: Target;
  readonly uploadedBy: string;
  readonly notBeforeMs?: number | undefined;
}

interface Watched {
  readonly results: MemoryObjectStore;
  readonly promises: Promises;
  readonly nowMs: () => number;
  readonly approvals: readonly GivenApproval[];
}

/** Watches promise 3 (Plan first): gives what to call whenever a call of a job begins. */
export function watchPlanFirst(work: PlannedWork, { results, promises, nowMs, approvals }: Watched) {
  const { jobId } = work;
  const begun = new Set<string>();
  const writesOf = rememberWrites(work, results);
  const reasonsOf = rememberReasons(jobId, promises);

  /** Everything that is wrong with a write that begins now. */
  function findFaults(write: string, { process }: Caller): readonly string[] {
    const state = promises.states.get(jobId);
    const { plan, appliedAt } = state ?? {};
    if (isPlanner(process.name)) return ['it is a write, and planning only reads'];
    if (!state || !plan?.gate || appliedAt === undefined) return ['nothing of the plan is gated'];
    if (plan.chunks.includes(null)) return ['the manifest is not wholly planned'];
    if (plan.gate.mode === 'dry-run') return ['it is a dry run'];
    const planned = writesOf(plan);
    const change = planned.changes.get(write);
    if (promises.isRedriven()) return change || planned.refused.has(write) ? [] : ['no row of the plan holds it'];
    begun.add(write);
    return [
      ...(change ? ageFault(Date.parse(change.at), process.invocation.reads) : ['no row of the plan holds it']),
      ...approvalFaults(state, plan.gate),
    ];
  }

  /** A plan that is no longer fresh is read again; what was read may be some seconds old when the write begins. */
  function ageFault(plannedMs: number, reads: number): readonly string[] {
    const ageMs = nowMs() - plannedMs;
    return ageMs > FRESH_MS && reads === 0 ? [`its plan is ${ageMs} ms old, and nothing was read`] : [];
  }

  function approvalFaults(state: State, gate: NonNullable<Plan['gate']>): readonly string[] {
    const { hash, steps, twoPersons } = gate;
    const given = approvals.filter(
      (one) => one.jobId === jobId && one.hash === hash && !(twoPersons && one.principal === work.uploadedBy),
    );
    const reasons = [...new Set([...gate.reasons.map(({ code }) => code), ...reasonsOf(state.plan?.attempt ?? 0)])];
    const named = reasons.filter((code) => !BY_HASH.has(code));
    const isApproved = given.some(({ accepts }) => named.every((code) => accepts.includes(code)));
    if (reasons.length > 0 && !isApproved) return [`nobody approved ${hash} for ${reasons.join(', ')}`];
    const mostWrites = steps === undefined ? Infinity : steps * stepsIn(given);
    return begun.size > mostWrites ? [`${begun.size} changes are begun, and ${mostWrites} are approved`] : [];
  }

  return (call: Call, caller: Caller): void => {
    if (work.notBeforeMs !== undefined && nowMs() < work.notBeforeMs)
      promises.violate('Plan first', `${call.name} of ${jobId} began before the time that the file names`);
    if (!isWrite(call)) return;
    for (const fault of findFaults(keyOf(call), caller))
      promises.violate('Plan first', `${keyOf(call)} of ${jobId} began: ${fault}`);
  };
}

/** Ten minutes, and what a batch takes from its look at the clock to its last write. */
const FRESH_MS = 600_000 + 30_000;

/** Naming the plan is accepting these. */
const BY_HASH: ReadonlySet<string> = new Set(['APPROVAL_REQUIRED', 'STEP', 'CHANGED_PLAN']);

/** How many steps are approved, each after the one before. */
function stepsIn(given: readonly GivenApproval[]): number {
  let steps = 1;
  while (given.some(({ step }) => step === steps + 1)) steps += 1;
  return steps;
}

interface PlannedWrites {
  /** By the call that makes it: the row that the plan changes. */
  readonly changes: ReadonlyMap<string, RowPlan>;
  /** The calls of rows that the plan refused: redriven, a worker plans them. */
  readonly refused: ReadonlySet<string>;
}

/** The writes that a stored plan holds, found by its operation's own way from a change to a call. */
function rememberWrites({ jobId, wishes, target }: PlannedWork, results: MemoryObjectStore) {
  const known = new Map<number, PlannedWrites>();
  const read = ({ attempt, chunks }: Plan): PlannedWrites => {
    const rows = [...chunks.keys()].flatMap((index) => rowsIn(results, planChunkKey(jobId, attempt, index)));
    const changes = rows.flatMap((row) =>
      row.kind === 'change' ? [[writeOf(row, wishes.operation, target), row] as const] : [],
    );
    const refused = rows.flatMap(({ kind, row }) => (kind === 'refused' ? (wishes.rows[row]?.write ?? []) : []));
    return { changes: new Map(changes), refused: new Set(refused) };
  };
  return (plan: Plan): PlannedWrites => {
    const writes = known.get(plan.attempt) ?? read(plan);
    known.set(plan.attempt, writes);
    return writes;
  };
}

function rowsIn(results: MemoryObjectStore, key: string): readonly RowPlan[] {
  const text = gunzipSync(results.objects.get(key) ?? '')
    .toString()
    .trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as RowPlan); // the planner's own writing
}

function writeOf(change: Extract<RowPlan, { kind: 'change' }>, name: string, target: Target): string {
  const calls: string[] = [];
  const operation = findOperation(name);
  if (!operation) throw new Error(`There is no operation ${name}`);
  void bindOperation(operation, recordingApis(target, calls)).write(change, new AbortController().signal);
  return calls[0] ?? 'nothing';
}

/** APIs that only note what is called; each call is noted before it could wait for anything. */
function recordingApis(target: Target, calls: string[]): Opened {
  const api = (name: string): object =>
    new Proxy(
      { target },
      {
        get: (own, method) =>
          method === 'target'
            ? own.target
            : (...args: readonly unknown[]) => {
                calls.push(keyOf({ name: `${name}.${String(method)}`, args: args.slice(0, -1) }));
                return Promise.resolve({ status: 'changed' });
              },
      },
    );
  const apis =
    target.type === 'data-center'
      ? api('dataCenter')
      : { target, ...Object.fromEntries(CLOUD_APIS.map((name) => [name, api(name)])) };
  return { type: target.type, apis, countCalls: () => ({ sent: 0, rateLimited: 0 }) } as Opened; // the same methods
}

const CLOUD_APIS = ['jira', 'organisation', 'userManagement'] as const;

/** Why a job waited with each of its plans, but for the steps of one that had begun. */
function rememberReasons(jobId: string, { onState }: Promises): (attempt: number) => readonly string[] {
  const reasons = new Map<number, readonly string[]>();
  onState(({ job, state, plan, waitReasons, appliedAt }) => {
    if (job.id !== jobId || state !== 'waiting' || !plan?.gate || appliedAt !== undefined) return;
    const codes = waitReasons.map(({ code }) => code);
    reasons.set(plan.attempt, [...new Set([...(reasons.get(plan.attempt) ?? []), ...codes])]);
  });
  return (attempt) => reasons.get(attempt) ?? [];
}
