import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { rowOutcomes } from '../../../functions/reporter/row-outcomes.ts';
import { attempted, rowStatusOf, PENDING } from '../../../shared/job/row-status.ts';
import { type RowEvent } from '../../../shared/job/events.ts';
import type { Outcome } from '../../../shared/job/outcome.ts';
import type { RowPlan } from '../../../shared/job/plan.ts';
import type { State } from '../../../shared/job/state.ts';
import type { ObjectStore } from '../../../shared/ports.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';
import {
  attempting,
  change,
  chunkOf,
  noop,
  PLANNED_AT,
  refused,
  rowStatusesOf,
  outcome,
  stoppedState,
} from './stopped-job.ts';

const ROWS = 60;

describe('what became of the rows', () => {
  it('is the same however the entries are spread over chunks and tail, in whatever order', async () => {
    const entries = Array.from({ length: ROWS }, (_, row) => outcome({ row, traceId: `trace-${row}` }));
    const spread = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: ROWS, maxLength: ROWS });
    await fc.assert(
      fc.asyncProperty(spread, fc.shuffledSubarray(entries, { minLength: ROWS }), async (places, shuffled) => {
        const { state, results } = stored(shuffled, places);

        const outcomes = await takeAll(results, state);

        expect(outcomes.taken.map(({ row, traceId }) => [row, traceId])).toEqual(
          entries.map(({ row }) => [row, `trace-${row}`]),
        );
        expect(outcomes.findings).toEqual({ disagreeing: 0, firstDisagreeing: undefined, missingChunks: [] });
      }),
      { numRuns: 50 },
    );
  });

  it('is known after each chunk was read once, as long as none spans more rows than the reach', async () => {
    const entries = Array.from({ length: ROWS }, (_, row) => outcome({ row }));
    // Chunks overlap their neighbours, as they do when rows finish out of order.
    const places = entries.map(({ row }) => Math.floor((row + (row % 3) * 4) / 10) + 1);
    const { state, results } = stored(entries, places);

    const { reads } = await takeAll(results, state);

    expect(reads).toHaveLength(state.chunks.length);
    expect(new Set(reads).size).toBe(reads.length);
  });

  it('merges the outcomes of a row that has several, wherever they lie', async () => {
    const entries = [
      outcome({ row: 0, status: 'failed', code: 'TIMED_OUT' }),
      outcome({ row: 0, status: 'changed', generation: 1 }),
      outcome({ row: 0, status: 'unchanged', generation: 2 }),
    ];
    const { state, results } = stored(entries, [1, 0, 2], Uint8Array.of(rowStatusOf('changed')));

    const { taken } = await takeAll(results, state);

    expect(taken).toMatchObject([{ status: 'changed', generation: 1 }]);
  });

  it.each([
    ['before', [1, 2]],
    ['after', [2, 1]],
  ])(
    "is changed for a row found as wanted when an attempt stands %s that in the job's events",
    async (_when, places) => {
      const entries = [attempting(0), outcome({ row: 0, status: 'unchanged' })];
      const { state, results } = stored(entries, places, Uint8Array.of(attempted(rowStatusOf('unchanged'))));

      const { taken, findings } = await takeAll(results, state);

      expect(taken).toMatchObject([{ status: 'changed' }]);
      expect(findings.disagreeing).toBe(0);
    },
  );

  it('comes from the state for rows that the coordinator gave up on', async () => {
    const { state, results } = stored([], [], Uint8Array.of(rowStatusOf('unprocessed', 'NOT_APPLIED')));

    const { taken, findings } = await takeAll(results, state);

    expect(taken).toMatchObject([{ status: 'unprocessed', code: 'NOT_APPLIED', finishedAt: state.finishedAt }]);
    expect(findings.disagreeing).toBe(0);
  });

  it('comes from the plan for rows that it found as desired or refused', async () => {
    const rowStatuses = Uint8Array.of(rowStatusOf('unchanged'), rowStatusOf('failed', 'USER_NOT_FOUND'));
    const { state, results } = stored([], [], rowStatuses);

    const { taken, findings } = await takeAll(results, state, { plans: [noop(0, 'As it was.'), refused(1)] });

    const common = { generation: 0, attempts: 0, finishedAt: PLANNED_AT };
    expect(taken).toEqual([
      { ...common, row: 0, line: 2, status: 'unchanged', message: 'As it was.' },
      {
        ...common,
        row: 1,
        line: 3,
        status: 'failed',
        code: 'USER_NOT_FOUND',
        message: 'Nobody has this address.',
        httpStatus: 404,
        traceId: 'trace-1',
      },
    ]);
    expect(findings.disagreeing).toBe(0);
  });

  it.each([
    ['the row repeats another', outcome({ row: 0, status: 'unprocessed', code: 'DUPLICATE', attempts: 0 }), noop(0)],
    ['the row was redriven and changed', outcome({ row: 0, generation: 1 }), refused(0)],
    [
      'the row was redriven and failed',
      outcome({ row: 0, status: 'failed', code: 'FORBIDDEN', generation: 1 }),
      refused(0),
    ],
  ])('comes from the events rather than from the plan when %s', async (_what, event, plan) => {
    const { state, results } = stored([event], [1]);

    const { taken, findings } = await takeAll(results, state, { plans: [plan] });

    expect(taken).toEqual([event]);
    expect(findings.disagreeing).toBe(0);
  });

  it('is that the job stopped, for rows of a plan of which nothing was decided', async () => {
    const { state, results } = stored([], [], Uint8Array.of(PENDING, PENDING, PENDING));

    const cancelled = { ...state, state: 'cancelled' } as const;
    const { taken, findings } = await takeAll(results, cancelled, { plans: [noop(0), refused(1), change(2)] });

    expect(taken.map(({ code }) => code)).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED']);
    expect(findings.disagreeing).toBe(0);
  });

  it('tells what was given before anything was applied from what came of it', async () => {
    const entries = [outcome({ row: 0, status: 'invalid', code: 'CONTRADICTION', attempts: 0 }), outcome({ row: 1 })];
    const { state, results } = stored(entries, [1, 2]);

    const { taken, given } = await takeAll(results, state, { givenChunks: new Set(['chunk-1']) });

    expect(taken.map(({ status }) => status)).toEqual(['invalid', 'changed']);
    expect(given.map((one) => one?.status)).toEqual(['invalid', undefined]);
  });

  it('says of a row whose write was announced and has no answer no more than that it may have begun', async () => {
    const { state, results } = stored([attempting(0)], [1], Uint8Array.of(attempted(PENDING)));

    const { taken } = await takeAll(results, { ...state, state: 'cancelled' });

    expect(taken).toMatchObject([
      { status: 'unprocessed', code: 'CANCELLED', attempts: 1, message: expect.stringContaining('may have begun') },
    ]);
  });

  it.each([
    ['the eventsQueue has an outcome that the state has not', [outcome({ row: 0 })], PENDING],
    ['the eventsQueue has another outcome than the state', [outcome({ row: 0 })], rowStatusOf('unchanged')],
    ['the state has an outcome that the eventsQueue has not', [], rowStatusOf('changed')],
    ['a completed job has none', [], PENDING],
    ['the plan has another outcome than the state', [], rowStatusOf('failed', 'FORBIDDEN')],
    ['a write of a row may have begun that the plan found as desired', [], attempted(rowStatusOf('unchanged'))],
  ])('is questionable when %s', async (_what, entries, rowStatus) => {
    const { state, results } = stored(entries, [0], Uint8Array.of(rowStatus));

    const { findings } = await takeAll(results, state, { plans: [noop(0)] });

    expect(findings).toMatchObject({ disagreeing: 1, firstDisagreeing: 0 });
  });

  it('is named as missing with the chunk that held it', async () => {
    const { state } = stored([outcome({ row: 0, status: 'failed', code: 'FORBIDDEN' })], [1]);

    const { taken, findings } = await takeAll(memoryObjectStore(), state);

    expect(taken).toMatchObject([{ status: 'failed', code: 'FORBIDDEN' }]);
    expect(findings.missingChunks).toEqual(['chunk-1']);
  });
});

/** Entries spread over chunks by number; number 0 is the tail. */
function stored(
  entries: readonly RowEvent[],
  places: readonly number[],
  rowStatuses = rowStatusesOf(new Set(entries.map(({ row }) => row)).size, entries),
): { readonly state: State; readonly results: ObjectStore } {
  const byPlace = Map.groupBy(entries, (_entry) => places[entries.indexOf(_entry)] ?? 0);
  const chunks = [...byPlace].filter(([place]) => place > 0).map(([place, own]) => chunkOf(`chunk-${place}`, own));
  return {
    state: stoppedState({
      rows: rowStatuses.length,
      rowStatuses,
      tail: byPlace.get(0) ?? [],
      chunks: chunks.map(({ chunk }) => chunk),
    }),
    results: memoryObjectStore(Object.assign({}, ...chunks.map(({ object }) => object)) as Record<string, string>), // chunkOf's objects
  };
}

interface Planned {
  readonly plans?: readonly RowPlan[];
  readonly givenChunks?: ReadonlySet<string>;
}

async function takeAll(
  results: ObjectStore,
  state: State,
  { plans = [], givenChunks = new Set<string>() }: Planned = {},
) {
  const reads: string[] = [];
  const counting: ObjectStore = { ...results, read: (key) => (reads.push(key), results.read(key)) };
  const outcomes = rowOutcomes({ results: counting, state, givenChunks }, { step: 10, reach: 30 });
  const taken: Outcome[] = [];
  const given: (Outcome | undefined)[] = [];
  for (let row = 0; row < state.rows; row += 1) {
    while (row >= outcomes.loadedUpTo()) await outcomes.loadMore();
    const result = outcomes.take({ row, line: row + 2, plan: plans[row] });
    taken.push(result.outcome);
    given.push(result.given);
  }
  return { taken, given, reads, findings: outcomes.findings() };
}
