import { describe, expect, it } from 'vitest';

import { createCoordinator, type CoordinatorPorts } from '../../../functions/coordinator/coordinator.ts';
import { ConditionNotMet } from '../../../shared/ports.ts';
import { openKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import { parseState } from '../../../shared/job/state.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';
import { JOB, NOW_MS, POLICY, eventOf, outcomeOf, recorded, validationOf } from '../../shared/job/building.ts';
import { sqsEvent } from '../sqs-event.ts';

function start(rows = 10, more: Partial<CoordinatorPorts> = {}) {
  const results = memoryObjectStore({ [validationKey(JOB.id)]: JSON.stringify(validationOf(rows)) });
  const [enqueueQueue, reports, eventsQueue] = [memoryQueue(), memoryQueue(), memoryEventsQueue()];
  const time = { nowMs: NOW_MS };
  const logged: string[] = [];
  let uuids = 0;
  const coordinator = createCoordinator({
    results,
    enqueueQueue,
    reports,
    eventsQueue,
    clock: { now: () => new Date(time.nowMs) },
    chance: { uuid: () => `uuid-${(uuids += 1)}`, random: () => 0.5 },
    log: (event) => logged.push(event),
    policy: POLICY,
    ...more,
  });
  const state = () => parseState(results.textOf(stateKey(JOB.id)));
  const status = () => JSON.parse(results.textOf(`acme/suspend/${JOB.id}/status.json`)) as Record<string, unknown>;
  return { coordinator, results, enqueueQueue, reports, eventsQueue, time, logged, state, status };
}

const validated = () => eventOf({ type: 'validated', job: JOB });

describe('coordinator', () => {
  it('asks for the first enqueue request and marks the job as open once the manifest has been read', async () => {
    const { coordinator, enqueueQueue, results, status } = start();

    const response = await coordinator(sqsEvent([eventOf({ type: 'validating', job: JOB }), validated()]));

    expect(response.batchItemFailures).toEqual([]);
    expect(enqueueQueue.messages.map(({ body }) => body)).toMatchObject([
      { kind: 'enqueue', jobId: JOB.id, from: 0, to: 1 },
    ]);
    expect(results.objects.has(openKey(JOB.id))).toBe(true);
    expect(status()).toMatchObject({ state: 'running', counts: { rows: 10 } });
  });

  it('asks for the report when the last outcome has come, and closes the job when it is written', async () => {
    const { coordinator, reports, results, state } = start(1);

    await coordinator(sqsEvent([validated()]));
    await coordinator(sqsEvent([recorded([outcomeOf(0)])]));
    await coordinator(sqsEvent([eventOf({ type: 'reported', revision: 1 })]));

    expect(reports.messages).toMatchObject([{ body: { kind: 'report', jobId: JOB.id } }]);
    expect(state().state).toBe('completed');
    expect(results.objects.has(openKey(JOB.id))).toBe(false);
  });

  it('keeps a cancelled job open while a row may be in hand, and reports once silence says that none is', async () => {
    const { coordinator, reports, results, time } = start();
    await coordinator(sqsEvent([validated()]));
    await coordinator(sqsEvent([eventOf({ type: 'enqueued', enqueueId: 'to-1', reached: 1 })]));
    await coordinator(sqsEvent([eventOf({ type: 'commanded', command: 'cancel' })]));
    const openBefore = results.objects.has(openKey(JOB.id));
    time.nowMs += POLICY.overdueMs + 1;

    await coordinator(sqsEvent([eventOf({ type: 'reconcile' })]));

    expect({ openBefore, reports: reports.messages.length }).toEqual({ openBefore: true, reports: 1 });
  });

  it('opens a job again for the report of what came after its end', async () => {
    const { coordinator, results } = start(1);
    await coordinator(sqsEvent([validated(), eventOf({ type: 'commanded', command: 'cancel' })]));
    await coordinator(sqsEvent([eventOf({ type: 'reported', revision: 1 })]));
    const openBefore = results.objects.has(openKey(JOB.id));

    await coordinator(sqsEvent([recorded([outcomeOf(0)])]));

    expect({ openBefore, open: results.objects.has(openKey(JOB.id)) }).toEqual({ openBefore: false, open: true });
  });

  it('sends again what was not confirmed in time', async () => {
    const { coordinator, enqueueQueue, time } = start();
    await coordinator(sqsEvent([validated()]));
    time.nowMs += POLICY.resendMs;

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
    const { coordinator, state, results } = start();
    await coordinator(sqsEvent([validated()]));
    const { coordinator: rival } = start(10, { results });
    await rival(sqsEvent([recorded([outcomeOf(0)])]));

    await coordinator(sqsEvent([recorded([outcomeOf(1)])]));

    expect(state().outcomes).toBe(2);
  });

  it('moves a long tail into a chunk', async () => {
    const { coordinator, results, state } = start(2_000);
    await coordinator(sqsEvent([validated()]));

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

  it('reminds every open job when the schedule says so', async () => {
    const { coordinator, eventsQueue } = start();
    await coordinator(sqsEvent([validated()]));

    await coordinator({ source: 'aws.events' });

    expect(eventsQueue.events).toMatchObject([{ type: 'reconcile', jobId: JOB.id }]);
  });
});
