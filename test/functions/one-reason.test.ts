import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';

import { createCoordinator } from '../../functions/coordinator/coordinator.ts';
import { createReporter } from '../../functions/reporter/reporter.ts';
import type { JobEvent } from '../../shared/job/events.ts';
import { gateKey, planChunkKey, validationKey } from '../../shared/job/keys.ts';
import type { Outcome } from '../../shared/job/outcome.ts';
import { type Gate, packRowPlans, type RowPlan, sha256Of } from '../../shared/job/plan.ts';
import { packRowStatuses } from '../../shared/job/row-status.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { createRowChunkWriter } from '../../shared/manifest/row-chunks.ts';
import { memoryObjectStore, type MemoryObjectStore } from '../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../fakes/memory-queue.ts';
import { BOUNDS, eventOf, JOB, NOW_MS, outcomeOf, recorded, validationOf } from '../shared/job/building.ts';
import { sqsEvent } from './sqs-event.ts';
import { PAGE } from '../fakes/page-parts.ts';

const at = (seconds: number): string => new Date(NOW_MS + seconds * 1_000).toISOString();

const failure = (code: Outcome['code'], seconds: number, generation = 0): Outcome =>
  outcomeOf(0, { status: 'failed', code, generation, finishedAt: at(seconds) });

const PLAN: RowPlan = {
  row: 0,
  line: 2,
  at: JOB.startedAt,
  kind: 'change',
  subject: { accountId: 'ada' },
  before: { access: 'active' },
  after: { access: 'suspended' },
  keys: [],
};

const GATE: Gate = {
  version: 1,
  hash: 'f00d',
  rowStatuses: packRowStatuses(new Uint8Array(1)),
  outcomeChunks: [],
  dependencies: [],
  counts: { change: 1, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 },
  codes: {},
  reasons: [],
  twoPersons: false,
  mode: 'apply',
  takes: 1,
  policy: {},
};

/** What validation, planning and the gate store of a job of one row, and the events that tell of it. */
async function storeJob(results: MemoryObjectStore): Promise<readonly JobEvent[]> {
  const rowChunk = createRowChunkWriter(results, JOB.id);
  await rowChunk.add({ row: 0, line: 2, cells: ['ada@example.com'], flaw: undefined });
  const rowChunks = [...(await rowChunk.finish())];
  await results.write(validationKey(JOB.id), JSON.stringify({ ...validationOf(1), rowChunks }));
  const [plans, gate] = [packRowPlans([PLAN]), JSON.stringify(GATE)];
  await results.write(planChunkKey(JOB.id, 1, 0), plans);
  await results.write(gateKey(JOB.id, 1), gate);
  const calls = { sent: 1, rateLimited: 0, retried: 0 };
  return [
    eventOf({ type: 'validated', job: JOB }),
    eventOf({ type: 'planned', attempt: 1, chunk: 0, sha256: sha256Of(plans), calls }),
    eventOf({ type: 'gated', attempt: 1, sha256: sha256Of(gate) }),
  ];
}

/** Outcomes that are told one after the other and then reported; or a silence after which the row is given up. */
type Moment = readonly Outcome[] | 'silence';

/** What the files of a job of one row say of it, and its newest dead letter. */
async function reasonsAfter(...moments: readonly Moment[]) {
  const results = memoryObjectStore();
  const [reports, deadLetters, queue] = [memoryQueue(), memoryQueue(), memoryQueue()];
  const time = { nowMs: NOW_MS };
  const clock = { now: () => new Date(time.nowMs) };
  const chance = { uuid: () => crypto.randomUUID(), random: () => 0 };
  const ports = { results, page: PAGE, eventsQueue: memoryEventsQueue(), clock, chance, log: () => undefined };
  const queues = { validateQueue: queue, planQueue: queue, enqueueQueue: queue, reports, notices: queue };
  const coordinator = createCoordinator({ ...ports, ...queues, bounds: BOUNDS, approvalMs: 3_600_000 });
  const reporter = createReporter({ ...ports, deadLetters });
  const giveUp = async () => {
    for (let silences = 0; silences < 4; silences += 1) {
      time.nowMs += BOUNDS.overdueMs + 1;
      await coordinator(sqsEvent([eventOf({ type: 'reconcile' })]));
    }
  };

  for (const event of await storeJob(results)) await coordinator(sqsEvent([event]));
  for (const moment of moments) {
    if (moment === 'silence') await giveUp();
    else for (const outcome of moment) await coordinator(sqsEvent([recorded([outcome])]));
    await reporter(sqsEvent([{ version: 1, kind: 'report', jobId: JOB.id }]));
  }

  const json = (name: string) => JSON.parse(results.textOf(`acme/suspend/${JOB.id}/${name}`)) as Summary; // our own writing
  const rows = parse<Record<string, string>>(results.textOf(`acme/suspend/${JOB.id}/results.csv`), {
    bom: true,
    columns: true,
  });
  const summary = json('summary.json');
  return {
    state: summary.state,
    codes: [
      json('status.json').codes,
      summary.codes,
      { [rows[0]?.['rollcall_code'] ?? '']: rows.length },
      { [deadLetters.messages.at(-1)?.attributes?.['code'] ?? '']: 1 },
    ],
  };
}

const everywhere = (code: string) => ({ state: 'completed', codes: Array.from({ length: 4 }, () => ({ [code]: 1 })) });

const PAIRS: readonly (readonly [string, Outcome, Outcome, string])[] = [
  ['fails twice', failure('FORBIDDEN', 1), failure('TIMED_OUT', 2), 'FORBIDDEN'],
  ['fails twice at the same time', failure('TIMED_OUT', 1), failure('USER_NOT_FOUND', 1), 'USER_NOT_FOUND'],
  ['fails again when it is redriven', failure('TIMED_OUT', 1, 1), failure('USER_NOT_FOUND', 2), 'TIMED_OUT'],
];

it.each(PAIRS)(
  'promise 1: a row that %s has one reason in every file and its dead letter',
  async (_, one, other, code) => {
    const straight = await reasonsAfter([one, other]);
    const crossed = await reasonsAfter([other, one]);

    expect([straight, crossed]).toEqual([everywhere(code), everywhere(code)]);
  },
);

it('promise 1: a row that fails for another reason when it is redriven has that one everywhere', async () => {
  const reasons = await reasonsAfter([failure('FORBIDDEN', 1)], [failure('USER_NOT_FOUND', 2, 1)]);

  expect(reasons).toEqual(everywhere('USER_NOT_FOUND'));
});

it('promise 1: a row that was given up for lost takes the reason that a worker gives later', async () => {
  const givenUp = await reasonsAfter('silence');
  const reasons = await reasonsAfter('silence', [failure('FORBIDDEN', 1)]);

  expect(givenUp.codes).toContainEqual({ NOT_APPLIED: 1 });
  expect(reasons).toEqual(everywhere('FORBIDDEN'));
});
