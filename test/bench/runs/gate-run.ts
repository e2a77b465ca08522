// The gate of a plan of so many rows, whose chunks lie on disk: `gate-run.mjs <rows> [suspend|email-change]`. Atlassian is asked
// next to nothing, so what is measured is the pass over the plan.
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { createPlanner } from '../../../functions/planner/planner.ts';
import type { Cloud } from '../../../shared/atlassian/apis.ts';
import { systemChance, systemClock } from '../../../shared/aws/system.ts';
import type { Job } from '../../../shared/job/job.ts';
import { gateKey, planChunkKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import type { PlanRequest } from '../../../shared/job/messages.ts';
import { packRowPlans, type RowPlan, sha256Of } from '../../../shared/job/plan.ts';
import { packRowStatuses } from '../../../shared/job/row-status.ts';
import { newState, serializeState } from '../../../shared/job/state.ts';
import type { Validation } from '../../../shared/job/validation.ts';
import { findOperation } from '../../../shared/operations/index.ts';
import type { ObjectStore, StoredObject } from '../../../shared/ports.ts';
import { completeSettings } from '../../../shared/settings.ts';
import { BENCH_TARGET } from './bench-target.ts';
import { report } from './report.ts';

const [rowCount = '1000000', operation = 'suspend'] = process.argv.slice(2);
const rows = Number(rowCount);
const ROWS_A_CHUNK = 2_500;

const job: Job = {
  id: 'bench-0123456789ab',
  target: 'acme',
  operation,
  options: {},
  manifest: { bucket: 'inbox', key: `acme/${operation}/bench.csv`, bytes: rows * 45 },
  startedAt: '2026-11-21T08:00:00.000Z',
};
const folder = mkdtempSync(join(tmpdir(), 'rollcall-plan-'));
const pathOf = (key: string): string => join(folder, key.replaceAll('/', '_'));

/** Each row's change; of addresses, the last row of a hundred frees the one that the row before it takes, and so on. */
function planOf(row: number): RowPlan {
  const accountId = `712020:a0000000-0000-4000-8000-${row.toString(16).padStart(12, '0')}`;
  const which = { row, line: row + 2, at: '2026-11-21T08:00:00.000Z', kind: 'change' as const, subject: { accountId } };
  if (operation === 'suspend') {
    const keys = [{ subject: `account:${accountId}`, desired: 'suspended' }];
    return { ...which, before: { access: 'active' }, after: { access: 'suspended' }, keys };
  }
  const [email, taken] = [`person.number.${row}@acme.example`, `person.number.${row + 1}@acme.example`];
  const next = `account:712020:a0000000-0000-4000-8000-${(row + 1).toString(16).padStart(12, '0')}`;
  const blocked = { by: next, code: 'EMAIL_IN_USE' as const, message: 'Another account has the address.' };
  return {
    ...which,
    before: { email },
    after: { email: row % 100 === 99 ? `new.${row}@acme.example` : taken },
    keys: [
      { subject: `account:${accountId}`, desired: taken },
      { subject: `address:${taken}`, desired: accountId },
    ],
    ...(row % 100 !== 99 && { blocked }),
  };
}

const chunks: string[] = [];
for (let row = 0; row < rows; row += ROWS_A_CHUNK) {
  const plans = Array.from({ length: Math.min(ROWS_A_CHUNK, rows - row) }, (_, place) => planOf(row + place));
  const packed = packRowPlans(plans);
  writeFileSync(pathOf(planChunkKey(job.id, 1, chunks.length)), packed);
  chunks.push(sha256Of(packed));
}
const validation: Validation = {
  version: 3,
  rows,
  sha256: '',
  encoding: 'utf-8',
  delimiter: ',',
  header: ['email'],
  columns: ['email'],
  carriedColumns: [],
  escaped: false,
  rowStatuses: packRowStatuses(new Uint8Array(rows)),
  outcomeChunks: [],
  rowChunks: [],
};
writeFileSync(pathOf(validationKey(job.id)), JSON.stringify(validation));
const state = {
  ...newState(job, 0),
  state: 'planning' as const,
  rows,
  rowStatuses: new Uint8Array(rows),
  plan: { attempt: 1, chunks, sinceMs: 0, validated: '' },
};
writeFileSync(pathOf(stateKey(job.id)), serializeState(state));

const nothing = async (): Promise<never[]> => [];
// What is asked of a target besides its people.
const apis = {
  target: BENCH_TARGET,
  keep: (_name: string, ask: () => Promise<unknown>) => ask(),
  jira: { findMyself: async () => ({ accountId: 'owner', active: true }) },
  organisation: {
    findAdmins: nothing,
    findAdminGroups: nothing,
    findGroupsByName: nothing,
    findUsersByEmail: nothing,
    countActiveUsers: async () => rows,
  },
} as unknown as Cloud;

const read = async (key: string): Promise<StoredObject | undefined> => {
  const size = statSync(pathOf(key), { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  const body = createReadStream(pathOf(key));
  const text = async (): Promise<string> => Buffer.concat(await body.toArray()).toString();
  return { body: size === 0 ? Readable.from([]) : body, etag: '"1"', metadata: {}, bytes: size, text };
};
const results: ObjectStore = {
  read,
  readIfChanged: read,
  write: async (key, body) => {
    writeFileSync(pathOf(key), body);
    return { etag: '"1"' };
  },
  writeStream: async () => {},
  list: async function* () {},
  delete: async () => {},
};
const planner = createPlanner({
  results,
  planQueue: { send: async () => {} },
  eventsQueue: { post: async () => {} },
  targets: { secretNameOf: (one: string) => `rollcall/${one}`, find: async () => BENCH_TARGET },
  atlassian: { open: () => ({ type: 'cloud', apis, countCalls: () => ({ sent: 0, rateLimited: 0 }) }) },
  operations: findOperation,
  policy: completeSettings().policy,
  clock: systemClock,
  chance: systemChance,
  log: (event, fields) => {
    if (event.endsWith('failed') || event.endsWith('deferred')) console.error(event, fields);
  },
});

const request: PlanRequest = { version: 1, kind: 'gate', jobId: job.id, attempt: 1 };
const event = { Records: [{ messageId: '1', body: JSON.stringify(request), eventSourceARN: 'arn:aws:sqs:::plan' }] };
const started = performance.now();
await planner(
  event as unknown as Parameters<typeof planner>[0], // only what the planner reads
  { getRemainingTimeInMillis: () => 900_000 } as unknown as Parameters<typeof planner>[1], // likewise
);
const seconds = (performance.now() - started) / 1_000;
const isGated = statSync(pathOf(gateKey(job.id, 1)), { throwIfNoEntry: false }) !== undefined;
rmSync(folder, { recursive: true });
if (!isGated) throw new Error('The gate wrote nothing');
report({ seconds });
