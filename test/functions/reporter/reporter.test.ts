import { describe, expect, it } from 'vitest';

import { rowStatusOf } from '../../../shared/job/row-status.ts';
import { stateKey } from '../../../shared/job/keys.ts';
import { serializeState } from '../../../shared/job/state.ts';
import { delivery, request, start, summaryIn, table } from './start.ts';
import { FOLDER, JOB, outcome, stoppedState } from './stopped-job.ts';

describe('a request for a report', () => {
  it('of a revision that is not the newest writes the newest, for who was asked before may have died over its files', async () => {
    const { reporter, results, eventsQueue } = start({ entries: [], state: { revision: 3 } });

    await reporter(request(2));

    expect(summaryIn(results).revision).toBe(3);
    expect(eventsQueue.events).toMatchObject([{ type: 'reported', revision: 3 }]);
  });

  it('of a job that goes on again is answered without a report', async () => {
    const { reporter, results, eventsQueue } = start({ entries: [], state: { state: 'running' } });
    const before = [...results.objects.keys()];

    await reporter(request(1));

    expect([...results.objects.keys()]).toEqual(before);
    expect(eventsQueue.events).toMatchObject([{ type: 'reported', revision: 1 }]);
  });

  it.each(['results.csv', 'summary.json'])(
    'leaves the newest report when a newer one is asked for right after %s is written',
    async (file) => {
      const { reporter, results, eventsQueue } = start({
        manifest: 'email\na@x.test\n',
        entries: [outcome({ row: 0 })],
        whenStored: file,
        onStored: (store) => {
          const newer = stoppedState({
            revision: 2,
            rows: 1,
            rowStatuses: Uint8Array.of(rowStatusOf('unchanged')),
            tail: [outcome({ row: 0, status: 'unchanged' })],
          });
          return store.write(stateKey(JOB.id), serializeState(newer));
        },
      });

      await reporter(request(1));

      expect(summaryIn(results)).toMatchObject({ revision: 2, counts: { unchanged: 1 } });
      expect(table(results, 'results.csv')[1]?.[3]).toBe('unchanged');
      expect(eventsQueue.events).toMatchObject([{ type: 'reported', revision: 2 }]);
    },
  );

  it.each([
    ['that is not JSON', '{'],
    ['of a version that we do not know', JSON.stringify({ version: 2, kind: 'report', jobId: JOB.id, revision: 1 })],
    ['that is something else', JSON.stringify({ version: 1, kind: 'enqueue' })],
    ['for a job that is not there', JSON.stringify({ version: 1, kind: 'report', jobId: 'nobody', revision: 1 })],
  ])('%s is quarantined', async (_what, body) => {
    const { reporter, results, eventsQueue } = start({ entries: [] });

    const answer = await reporter(delivery(body));

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(JSON.parse(results.textOf('quarantine/reports/message-1.json'))).toMatchObject({ body });
    expect(eventsQueue.events).toEqual([]);
  });

  it('that fails comes back, alone, and the report of before stays', async () => {
    const { reporter, results, eventsQueue } = start({
      manifest: 'email\na@x.test\n',
      entries: [outcome({ row: 0 })],
      failReadsOf: 'chunks/',
    });
    await results.write(`${FOLDER}results.csv`, 'before');

    const answer = await reporter({ Records: [...request(1).Records, ...delivery('{', 'message-2').Records] });

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(results.textOf(`${FOLDER}results.csv`)).toBe('before');
    expect(results.objects.has(`${FOLDER}summary.json`)).toBe(false);
    expect(eventsQueue.events).toEqual([]);
  });
});
