import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';

import { createCoordinator } from '../../functions/coordinator/coordinator.ts';
import { createReporter } from '../../functions/reporter/reporter.ts';
import { validationKey } from '../../shared/job/keys.ts';
import type { Outcome } from '../../shared/job/outcome.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { createRowChunkWriter } from '../../shared/manifest/row-chunks.ts';
import { memoryObjectStore } from '../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../fakes/memory-queue.ts';
import { eventOf, JOB, NOW_MS, outcomeOf, POLICY, recorded, validationOf } from '../shared/job/building.ts';
import { sqsEvent } from './sqs-event.ts';

const at = (seconds: number): string => new Date(NOW_MS + seconds * 1_000).toISOString();

const failure = (code: Outcome['code'], seconds: number, generation = 0): Outcome =>
  outcomeOf(0, { status: 'failed', code, generation, finishedAt: at(seconds) });

/** A job of one row with these outcomes, some of them once the row was given up: what its files say of it. */
async function reasonsAfter(outcomes: readonly Outcome[], late: readonly Outcome[] = []) {
  const results = memoryObjectStore();
  const rowChunk = createRowChunkWriter(results, JOB.id);
  await rowChunk.add({ row: 0, line: 2, cells: ['ada@example.com'], flaw: undefined });
  const rowChunks = [...(await rowChunk.finish())];
  await results.write(validationKey(JOB.id), JSON.stringify({ ...validationOf(1), rowChunks }));
  const reports = memoryQueue();
  const time = { nowMs: NOW_MS };
  const clock = { now: () => new Date(time.nowMs) };
  const ports = { results, eventsQueue: memoryEventsQueue(), clock, log: () => undefined };
  const chance = { uuid: () => crypto.randomUUID(), random: () => 0 };
  const coordinator = createCoordinator({ ...ports, chance, reports, enqueueQueue: memoryQueue(), policy: POLICY });
  const reporter = createReporter(ports);

  await coordinator(sqsEvent([eventOf({ type: 'validated', job: JOB })]));
  for (const outcome of outcomes) await coordinator(sqsEvent([recorded([outcome])]));
  for (let silences = 0; silences < 4 && late.length > 0; silences += 1) {
    time.nowMs += POLICY.overdueMs + 1;
    await coordinator(sqsEvent([eventOf({ type: 'reconcile' })]));
  }
  for (const outcome of late) await coordinator(sqsEvent([recorded([outcome])]));
  await reporter(sqsEvent([{ version: 1, kind: 'report', jobId: JOB.id }]));

  const json = (name: string) => JSON.parse(results.textOf(`acme/suspend/${JOB.id}/${name}`)) as Summary; // our own writing
  const rows = parse<Record<string, string>>(results.textOf(`acme/suspend/${JOB.id}/results.csv`), {
    bom: true,
    columns: true,
  });
  const summary = json('summary.json');
  return {
    state: summary.state,
    codes: [json('status.json').codes, summary.codes, { [rows[0]?.['rollcall_code'] ?? '']: rows.length }],
  };
}

const PAIRS: readonly (readonly [string, Outcome, Outcome, string])[] = [
  ['fails twice', failure('FORBIDDEN', 1), failure('TIMED_OUT', 2), 'FORBIDDEN'],
  ['fails twice at the same time', failure('TIMED_OUT', 1), failure('USER_NOT_FOUND', 1), 'USER_NOT_FOUND'],
  ['fails again when it is redriven', failure('TIMED_OUT', 1, 1), failure('USER_NOT_FOUND', 2), 'TIMED_OUT'],
];

it.each(PAIRS)('promise 1: a row that %s has one reason in every file', async (_, one, other, code) => {
  const straight = await reasonsAfter([one, other]);
  const crossed = await reasonsAfter([other, one]);

  const everywhere = { state: 'completed', codes: [{ [code]: 1 }, { [code]: 1 }, { [code]: 1 }] };
  expect([straight, crossed]).toEqual([everywhere, everywhere]);
});

it('promise 1: a row that was given up for lost takes the reason that a worker gives later', async () => {
  const late = outcomeOf(0, { status: 'unprocessed', code: 'DUPLICATE' });

  const { codes } = await reasonsAfter([], [late]);

  expect(codes).toEqual([{ DUPLICATE: 1 }, { DUPLICATE: 1 }, { DUPLICATE: 1 }]);
});
