import { gzipSync } from 'node:zlib';
import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';

import { createPlanner } from '../../../functions/planner/planner.ts';
import { NoAnswer, RateLimited, Refusal } from '../../../shared/atlassian/errors.ts';
import { gateKey, planChunkKey, planPartKey, stateKey, validationKey } from '../../../shared/job/keys.ts';
import type { PlanRequest } from '../../../shared/job/messages.ts';
import { packRowPlans, type RowPlan, sha256Of } from '../../../shared/job/plan.ts';
import { newState, serializeState, type State } from '../../../shared/job/state.ts';
import { createRowChunkWriter } from '../../../shared/manifest/row-chunks.ts';
import type { Cells, Operation, PlannedRow } from '../../../shared/operations/operation.ts';
import { suspend } from '../../../shared/operations/suspend.ts';
import { completeSettings } from '../../../shared/settings.ts';
import { fakeCloud } from '../../fakes/atlassian-cloud.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import { memoryEventsQueue, memoryQueue } from '../../fakes/memory-queue.ts';
import { JOB, NOW_MS, validationOf } from '../../shared/job/building.ts';
import { sqsEvent } from '../sqs-event.ts';

const HOUR_MS = 3_600_000;
const EMAILS = ['ann', 'bob', 'cid'].map((name) => `${name}@acme.example`);

type Plan = (rows: readonly Cells[]) => Promise<readonly PlannedRow[]>;

/** A planner of a job of three rows in one chunk, which are planned by `plan` instead of by the operation, where it is given. */
async function start({ plan, state = {} }: { readonly plan?: Plan; readonly state?: Partial<State> } = {}) {
  const results = memoryObjectStore();
  const writer = createRowChunkWriter(results, JOB.id);
  for (const [row, email] of EMAILS.entries())
    await writer.add({ row, line: row + 2, cells: [email], flaw: undefined });
  const rowChunks = [...(await writer.finish())];
  await results.write(validationKey(JOB.id), JSON.stringify({ ...validationOf(3), rowChunks }));
  const putState = (more: Partial<State>) =>
    results.write(
      stateKey(JOB.id),
      serializeState({
        ...newState(JOB, NOW_MS),
        state: 'planning',
        rows: 3,
        rowStatuses: new Uint8Array(3),
        plan: { attempt: 1, chunks: [null], sinceMs: NOW_MS, validated: '' },
        ...more,
      }),
    );
  await putState(state);
  const { apis } = fakeCloud({
    users: EMAILS.map((email) => ({ accountId: email.slice(0, 3), email })),
    target: { email: 'owner@acme.example' },
  });
  const [planQueue, eventsQueue] = [memoryQueue(), memoryEventsQueue()];
  const time = { nowMs: NOW_MS };
  const operation: Operation = plan && suspend.cloud ? { ...suspend, cloud: { ...suspend.cloud, plan } } : suspend;
  const planner = createPlanner({
    results,
    planQueue,
    eventsQueue,
    targets: { secretNameOf: (one: string) => `rollcall/${one}`, find: async () => apis.target },
    atlassian: { open: () => ({ type: 'cloud', apis, countCalls: () => ({ sent: 2, rateLimited: 0 }) }) },
    operations: () => operation,
    policy: completeSettings().policy,
    clock: { now: () => new Date(time.nowMs) },
    chance: { uuid: () => 'uuid', random: () => 0.5 },
    log: () => undefined,
  });
  const ask = (request: Partial<PlanRequest> = {}) => {
    const body = { version: 1, kind: 'plan', jobId: JOB.id, attempt: 1, chunk: 0, done: 0, ...request };
    const context = { getRemainingTimeInMillis: () => 120_000 } as unknown as Context; // all that it reads
    return planner(sqsEvent([body], { queue: 'plan' }), context);
  };
  return { results, ask, putState, time, sent: planQueue.messages, events: eventsQueue.events };
}

const chunk = planChunkKey(JOB.id, 1, 0);

describe('a plan request', () => {
  it('plans the rows of its chunk, stores that, and tells its hash', async () => {
    const { ask, results, events } = await start();

    expect(await ask()).toEqual({ batchItemFailures: [] });

    const stored = results.objects.get(chunk) ?? new Uint8Array();
    expect(events).toMatchObject([
      { type: 'planned', attempt: 1, chunk: 0, sha256: sha256Of(stored), calls: { sent: 2 } },
    ]);
  });

  it('is void for another attempt, and for a job that is not being planned', async () => {
    const { ask, putState, events } = await start();
    await ask({ attempt: 2 });
    await putState({ state: 'paused' });
    await ask();

    expect(events).toEqual([]);
  });

  it('that comes again tells of what is stored, and plans nothing', async () => {
    const { ask, results, events } = await start({ plan: () => Promise.reject(new Error('not again')) });
    const there = gzipSync('{}\n');
    await results.write(chunk, there);

    await ask();

    expect(events).toMatchObject([{ type: 'planned', sha256: sha256Of(there), calls: { sent: 0 } }]);
    expect(Buffer.from(results.objects.get(chunk) ?? [])).toEqual(there);
  });

  it('refuses a row alone that is why a look-up of many is refused', async () => {
    const refusal = new Refusal('REQUEST_REFUSED', 'bad address');
    const plan: Plan = async (rows) => {
      if (rows.some(({ email }) => email === EMAILS[1])) throw refusal;
      return rows.map(() => ({ kind: 'noop', subject: {}, before: {}, keys: [] }));
    };
    const { ask, results } = await start({ plan });

    await ask();

    const packed = results.objects.get(chunk) ?? new Uint8Array();
    expect(packed).toEqual(
      packRowPlans(
        EMAILS.map((_, row): RowPlan => {
          const which = { row, line: row + 2, at: new Date(NOW_MS).toISOString() };
          return row === 1
            ? { ...which, kind: 'refused', code: 'REQUEST_REFUSED', message: 'bad address' }
            : { ...which, kind: 'noop', subject: {}, before: {}, keys: [] };
        }),
      ),
    );
  });
});

describe('what cannot be planned now', () => {
  const limited = new RateLimited('too many', { notBeforeMs: NOW_MS + 30_000, sent: true });

  it('promise 5: is sent on, delayed as long as Atlassian asks, with what is planned stored beside it', async () => {
    const plan: Plan = async (rows) =>
      rows.map(({ email }) =>
        email === EMAILS[2] ? { kind: 'unread', error: limited } : { kind: 'noop', subject: {}, before: {}, keys: [] },
      );
    const { ask, results, sent, events } = await start({ plan });

    expect(await ask()).toEqual({ batchItemFailures: [] });

    expect(sent).toMatchObject([{ body: { kind: 'plan', chunk: 0, done: 2 }, delaySeconds: 30 }]);
    expect(events).toMatchObject([{ type: 'deferred', until: new Date(NOW_MS + 30_000).toISOString() }]);
    expect(results.objects.has(planPartKey(JOB.id, 1, 0))).toBe(true);
    expect(results.objects.has(chunk)).toBe(false);
  });

  it('goes on with the rows that are left', async () => {
    const asked: string[] = [];
    let answers = false;
    const plan: Plan = async (rows) =>
      rows.map(({ email = '' }) => {
        asked.push(email);
        return email === EMAILS[2] && !answers
          ? { kind: 'unread', error: limited }
          : { kind: 'noop', subject: {}, before: {}, keys: [] };
      });
    const { ask, events } = await start({ plan });
    await ask();
    answers = true;

    await ask({ done: 2 });

    expect(asked).toEqual([...EMAILS, EMAILS[2]]);
    expect(events.at(-1)).toMatchObject({ type: 'planned' });
  });

  it.each([
    ['no answer', new NoAnswer('silence')],
    ['a server error', new Refusal('ATLASSIAN_ERROR', 'answered 500', { httpStatus: 500 })],
    ['what nobody foresaw', new Error('oops')],
  ])('is tried again after %s, and halts the job after six hours of it', async (_, error) => {
    const { ask, sent, events, time } = await start({ plan: () => Promise.reject(error) });
    await ask();
    time.nowMs += 6 * HOUR_MS + 1;
    await ask();

    expect(sent).toHaveLength(1);
    expect(events.map(({ type }) => type)).toEqual(['deferred', 'halted']);
  });

  it.each(['UNAUTHORIZED', 'INSUFFICIENT_SCOPE', 'SITE_NOT_FOUND'] as const)(
    'halts the job at once for %s',
    async (code) => {
      const { ask, sent, events } = await start({ plan: () => Promise.reject(new Refusal(code, 'no')) });

      await ask();

      expect(sent).toEqual([]);
      expect(events).toMatchObject([{ type: 'halted', code }]);
    },
  );
});

describe('a gate request', () => {
  it('writes what it decided, once, and tells its hash', async () => {
    const { ask, results, putState, events } = await start();
    await ask();
    const [planned] = events;
    const chunks = planned?.type === 'planned' ? [planned.sha256] : [];
    await putState({ plan: { attempt: 1, chunks, sinceMs: NOW_MS, validated: '' } });

    await ask({ kind: 'gate' });
    const written = results.textOf(gateKey(JOB.id, 1));
    await ask({ kind: 'gate' });

    expect(JSON.parse(written)).toMatchObject({ counts: { change: 3 }, takes: 3, reasons: [], mode: 'apply' });
    expect(results.textOf(gateKey(JOB.id, 1))).toBe(written);
    expect(events.slice(1)).toMatchObject(Array(2).fill({ type: 'gated', attempt: 1, sha256: sha256Of(written) }));
  });

  it('promise 3: decides nothing of a plan chunk that is not what planning wrote', async () => {
    const { ask, results, putState, events } = await start();
    await ask();
    await putState({ plan: { attempt: 1, chunks: ['another'], sinceMs: NOW_MS, validated: '' } });

    await ask({ kind: 'gate' });

    expect(results.objects.has(gateKey(JOB.id, 1))).toBe(false);
    expect(events.at(-1)).toMatchObject({ type: 'deferred' });
  });
});
