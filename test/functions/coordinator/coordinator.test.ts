import { describe, expect, it } from 'vitest';

import { createCoordinator, type CoordinatorPorts } from '../../../functions/coordinator/coordinator.ts';
import { ConditionNotMet } from '../../../shared/ports.ts';
import { gateKey, openKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import { validateRequestSchema } from '../../../shared/job/messages.ts';
import { sha256Of } from '../../../shared/job/plan.ts';
import { AWAITING_ROW, packRowStatuses } from '../../../shared/job/row-status.ts';
import { parseState } from '../../../shared/job/state.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';
import {
  BOUNDS,
  eventOf,
  gateOf,
  JOB,
  NOW_MS,
  outcomeOf,
  recorded,
  validated,
  validationOf,
} from '../../shared/job/building.ts';
import { sqsEvent } from '../sqs-event.ts';
import { PAGE } from '../../fakes/page-parts.ts';

function start(rows = 10, more: Partial<CoordinatorPorts> = {}) {
  const gate = JSON.stringify(gateOf(rows));
  const results = memoryObjectStore({
    [validationKey(JOB.id)]: JSON.stringify(validationOf(rows)),
    [gateKey(JOB.id, 1)]: gate,
  });
  const [enqueueQueue, reports, eventsQueue] = [memoryQueue(), memoryQueue(), memoryEventsQueue()];
  const [validateQueue, planQueue, notices] = [memoryQueue(), memoryQueue(), memoryQueue()];
  const time = { nowMs: NOW_MS };
  const logged: string[] = [];
  let uuids = 0;
  const coordinator = createCoordinator({
    results,
    validateQueue,
    planQueue,
    enqueueQueue,
    reports,
    notices,
    page: PAGE,
    eventsQueue,
    clock: { now: () => new Date(time.nowMs) },
    chance: { uuid: () => `uuid-${(uuids += 1)}`, random: () => 0.5 },
    log: (event) => logged.push(event),
    bounds: BOUNDS,
    approvalMs: 3_600_000,
    ...more,
  });
  const state = () => parseState(results.textOf(stateKey(JOB.id)));
  const status = () => JSON.parse(results.textOf(`acme/suspend/${JOB.id}/status.json`)) as Record<string, unknown>;
  const gated = eventOf({ type: 'gated', attempt: 1, sha256: sha256Of(gate) });
  /** Brings the job so far that it is applied. */
  const begin = async (): Promise<void> => {
    await coordinator(sqsEvent([validated()]));
    await coordinator(sqsEvent([gated]));
  };
  return {
    coordinator,
    begin,
    gated,
    results,
    planQueue,
    validateQueue,
    enqueueQueue,
    reports,
    eventsQueue,
    time,
    logged,
    state,
    status,
  };
}

it('asks for a validation that does not come as intake did, with the same facts of the target', async () => {
  const { coordinator, validateQueue, time } = start();
  const targetFacts = { type: 'cloud' as const, name: 'acme', orgId: 'org-1' };
  await coordinator(sqsEvent([eventOf({ type: 'validating', job: { ...JOB, targetFacts } })]));

  time.nowMs += BOUNDS.overdueMs + 1;
  await coordinator(sqsEvent([eventOf({ type: 'reconcile' })]));

  expect(validateQueue.messages.map(({ body }) => validateRequestSchema.parse(body))).toEqual([
    {
      version: 2,
      kind: 'validate',
      ...JOB.manifest,
      at: JOB.startedAt,
      principal: JOB.uploadedBy,
      target: targetFacts,
    },
  ]);
});

describe('coordinator', () => {
  it('asks for the plan and marks the job as open once the manifest has been read', async () => {
    const rowChunks = [0, 4].map((firstRow) => ({ firstRow, sha256: 'r' }));
    const { coordinator, planQueue, enqueueQueue, results, status } = start();
    await results.write(validationKey(JOB.id), JSON.stringify({ ...validationOf(10), rowChunks }));

    const response = await coordinator(sqsEvent([eventOf({ type: 'validating', job: JOB }), validated()]));

    expect(response.batchItemFailures).toEqual([]);
    expect(planQueue.messages).toMatchObject([
      { body: { kind: 'plan', jobId: JOB.id, attempt: 1, chunk: 0 }, groupId: JOB.id },
      { body: { kind: 'plan', jobId: JOB.id, attempt: 1, chunk: 1 }, groupId: JOB.id },
    ]);
    expect(enqueueQueue.messages).toEqual([]);
    expect(results.objects.has(openKey(JOB.id))).toBe(true);
    expect(status()).toMatchObject({ state: 'planning', counts: { rows: 10 } });
  });

  it('asks for the gate once all is planned, and for the first enqueue request once the gate lets it run', async () => {
    const { coordinator, gated, planQueue, enqueueQueue, status } = start();

    await coordinator(sqsEvent([validated()]));
    expect(planQueue.messages).toMatchObject([{ body: { kind: 'gate', jobId: JOB.id, attempt: 1 } }]);
    expect(enqueueQueue.messages).toEqual([]);
    await coordinator(sqsEvent([gated]));

    expect(enqueueQueue.messages.map(({ body }) => body)).toMatchObject([
      { kind: 'enqueue', jobId: JOB.id, from: 0, to: 1 },
    ]);
    expect(status()).toMatchObject({ state: 'running', plan: { change: 10 } });
  });

  it('promise 3: believes no gate but the one whose hash the event names', async () => {
    const { coordinator, gated, results, enqueueQueue } = start();
    await coordinator(sqsEvent([validated()]));
    await results.write(
      gateKey(JOB.id, 1),
      JSON.stringify(gateOf(10, { counts: { ...gateOf(10).counts, change: 9 } })),
    );

    const response = await coordinator(sqsEvent([gated]));

    expect(response.batchItemFailures).toHaveLength(1);
    expect(enqueueQueue.messages).toEqual([]);
  });

  it('asks for rows that are let go all at once, whatever their order', async () => {
    const dependencies: [number, number, number, number][] = [
      [2, 4, 0, 2],
      [7, 9, 1, 3],
    ];
    const rowStatuses = packRowStatuses(Uint8Array.of(0, 0, AWAITING_ROW, 0, 0, 0, 0, AWAITING_ROW, 0, 0));
    const gate = JSON.stringify(gateOf(10, { dependencies, rowStatuses }));
    const { coordinator, results, enqueueQueue, state } = start();
    await results.write(gateKey(JOB.id, 1), gate);
    await coordinator(sqsEvent([validated()]));
    await coordinator(sqsEvent([eventOf({ type: 'gated', attempt: 1, sha256: sha256Of(gate) })]));
    await coordinator(
      sqsEvent([eventOf({ type: 'enqueued', enqueueId: 'to-1', reached: 1 }), recorded([outcomeOf(9)])]),
    );
    expect(state().released).toBe(10);

    await coordinator(sqsEvent([recorded([outcomeOf(1), outcomeOf(0)])]));

    expect(enqueueQueue.messages.at(-1)?.body).toMatchObject({ from: 2, to: 8, freed: [7, 2] });
  });

  it('asks for the report when the last outcome has come, and closes the job when it is written', async () => {
    const { coordinator, begin, reports, results, state } = start(1);

    await begin();
    await coordinator(sqsEvent([recorded([outcomeOf(0)])]));
    await coordinator(sqsEvent([eventOf({ type: 'reported', revision: 1 })]));

    expect(reports.messages).toMatchObject([{ body: { kind: 'report', jobId: JOB.id } }]);
    expect(state().state).toBe('completed');
    expect(results.objects.has(openKey(JOB.id))).toBe(false);
  });

  it('keeps a cancelled job open while a row may be in hand, and reports once silence says that none is', async () => {
    const { coordinator, begin, reports, results, time } = start();
    await begin();
    await coordinator(sqsEvent([eventOf({ type: 'enqueued', enqueueId: 'to-1', reached: 1 })]));
    await coordinator(sqsEvent([eventOf({ type: 'commanded', command: 'cancel' })]));
    const openBefore = results.objects.has(openKey(JOB.id));
    time.nowMs += BOUNDS.overdueMs + 1;

    await coordinator(sqsEvent([eventOf({ type: 'reconcile' })]));

    expect({ openBefore, reports: reports.messages.length }).toEqual({ openBefore: true, reports: 1 });
  });

  it('opens a job again for the report of what came after its end', async () => {
    const { coordinator, begin, results } = start(1);
    await begin();
    await coordinator(sqsEvent([eventOf({ type: 'commanded', command: 'cancel' })]));
    await coordinator(sqsEvent([eventOf({ type: 'reported', revision: 1 })]));
    const openBefore = results.objects.has(openKey(JOB.id));

    await coordinator(sqsEvent([recorded([outcomeOf(0)])]));

    expect({ openBefore, open: results.objects.has(openKey(JOB.id)) }).toEqual({ openBefore: false, open: true });
  });

  it('sends again what was not confirmed in time', async () => {
    const { coordinator, begin, enqueueQueue, time } = start();
    await begin();
    time.nowMs += BOUNDS.resendMs;

    await coordinator(sqsEvent([eventOf({ type: 'reconcile' })]));

    expect(enqueueQueue.messages).toHaveLength(2);
  });

  it('gives every event of a job back when its state cannot be written, and those of no other job', async () => {
    const { results } = start();
    const others = { ...JOB, id: 'other-0123456789ab' };
    const failing = {
      ...results,
      write: async (key: string, body: string | Uint8Array) => {
        if (key === stateKey(JOB.id)) throw new ConditionNotMet(key);
        return results.write(key, body);
      },
    };
    const { coordinator: stuck } = start(10, { results: failing });

    const other = { ...validated(), jobId: others.id, job: others, type: 'validating' as const };
    const response = await stuck(sqsEvent([validated(), other, recorded([])]));

    expect(response.batchItemFailures).toEqual([{ itemIdentifier: 'message-1' }, { itemIdentifier: 'message-3' }]);
  });

  it('folds into the newer state when another run was faster', async () => {
    const { coordinator, begin, state, results } = start();
    await begin();
    const { coordinator: rival } = start(10, { results });
    await rival(sqsEvent([recorded([outcomeOf(0)])]));

    await coordinator(sqsEvent([recorded([outcomeOf(1)])]));

    expect(state().outcomes).toBe(2);
  });

  it('moves a long tail into a chunk', async () => {
    const { coordinator, begin, results, state } = start(2_000);
    await begin();

    await coordinator(sqsEvent([recorded(Array.from({ length: 1_000 }, (_, row) => outcomeOf(row)))]));

    expect(state()).toMatchObject({ tail: [], chunks: [{ name: '000000-uuid-1', firstRow: 0, lastRow: 999 }] });
    expect(results.textOf(`jobs/${JOB.id}/chunks/000000-uuid-1.jsonl`).split('\n')).toHaveLength(1_000);
  });

  it.each([
    ['is no JSON', '{'],
    ['is of another version', { ...eventOf({ type: 'reconcile' }), version: 2 }],
    ['speaks of a job that is not there', recorded([outcomeOf(0)])],
  ])('quarantines a message that %s', async (_, body) => {
    const { coordinator, results, logged } = start();

    const response = await coordinator(sqsEvent([body], { queue: 'events.fifo' }));

    expect(response.batchItemFailures).toEqual([]);
    expect(JSON.parse(results.textOf('quarantine/events.fifo/message-1.json'))).toHaveProperty('reason');
    expect(logged).toContain('message.quarantined');
  });

  describe('a command for a job that is not there', () => {
    const pause = eventOf({ type: 'commanded', command: 'pause', versionId: 'v1' });

    it.each(['pause', 'cancel', 'resume', 'approve'] as const)('is answered under its name: %s', async (command) => {
      const { coordinator, results, logged } = start();

      const response = await coordinator(
        sqsEvent([eventOf({ type: 'commanded', command })], { sentMs: NOW_MS - 120_001 }),
      );

      expect(response.batchItemFailures).toEqual([]);
      expect(results.textOf(`rejected/control/${JOB.id}/${command}.txt`)).toMatch(
        new RegExp(`^There is no job ${JOB.id}, so ${command} did nothing\\. .*rollcall status`),
      );
      expect(logged).toEqual(['command.refused']);
    });

    it('waits for its job, where it stops one', async () => {
      const { coordinator, logged, state, results } = start();

      const response = await coordinator(sqsEvent([pause], { sentMs: NOW_MS - 60_000 }));
      await coordinator(sqsEvent([pause, validated()], { sentMs: NOW_MS - 61_000, receiveCount: 2 }));

      expect(response.batchItemFailures).toHaveLength(1);
      expect(state()).toMatchObject({ state: 'paused', former: 'planning' });
      expect(logged).toEqual(['events.folded']);
      expect([...results.objects.keys()].filter((key) => key.startsWith('rejected/'))).toEqual([]);
    });
  });

  it('reminds every open job when the schedule says so', async () => {
    const { coordinator, begin, eventsQueue } = start();
    await begin();

    await coordinator({ source: 'aws.events' });

    expect(eventsQueue.events).toMatchObject([{ type: 'reconcile', jobId: JOB.id }]);
  });
});
