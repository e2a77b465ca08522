import { expect, it } from 'vitest';

import { approvalOf, askFor, findMissing, followApproving, type Given } from '../../cli/approval.ts';
import type { WaitReasonCode } from '../../shared/job/outcome.ts';
import { newState } from '../../shared/job/state.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { memoryObjectStore } from '../fakes/memory-object-store.ts';
import { JOB } from '../shared/job/building.ts';

const HASH = 'a1'.repeat(32);

const waitingFor = (codes: readonly WaitReasonCode[], more: Partial<Summary> = {}): Summary => ({
  version: 2,
  job: 'leavers-1',
  revision: 1,
  target: 'cloud',
  operation: 'suspend',
  mode: 'apply',
  actors: [],
  state: 'waiting',
  manifest: { key: 'cloud/suspend/leavers.csv', bytes: 1, carriedColumns: [] },
  plan: { hash: HASH, change: 60, unchanged: 0, failed: 0, invalid: 0, codes: {} },
  waiting: { since: '2026-01-01T00:00:00.000Z', reasons: codes.map((code) => ({ code, message: 'because' })) },
  counts: { rows: 60, changed: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 60 },
  codes: { NOT_APPROVED: 60 },
  calls: { sent: 0, rateLimited: 0, retried: 0, perRow: 0 },
  startedAt: '2026-01-01T00:00:00.000Z',
  ...more,
});

it.each<[readonly WaitReasonCode[], Given, readonly string[]]>([
  [['APPROVAL_REQUIRED'], { accept: [] }, ['--yes']],
  [['APPROVAL_REQUIRED', 'STEP'], { yes: true, accept: [] }, []],
  [['TOO_MANY_PEOPLE'], { yes: true, accept: [] }, ['--accept TOO_MANY_PEOPLE']],
  [['TOO_MANY_PEOPLE'], { accept: ['TOO_MANY_PEOPLE'] }, []],
  [['CHANGED_PLAN'], { yes: true, accept: ['TOO_MANY_PEOPLE'] }, ['--accept CHANGED_PLAN']],
  [
    ['APPROVAL_REQUIRED', 'TOO_MANY_PEOPLE', 'TOO_MANY_PEOPLE', 'REPEATED_FILE'],
    { accept: ['REPEATED_FILE'] },
    ['--yes', '--accept TOO_MANY_PEOPLE'],
  ],
])('a job that waits for %j, with %j given, lacks %j', (codes, given, missing) => {
  expect(findMissing(waitingFor(codes), given)).toEqual(missing);
});

it.each<[string, Summary, Given, readonly string[]]>([
  ['the changes alone', waitingFor(['APPROVAL_REQUIRED']), { accept: [] }, ['Apply 60 changes?']],
  [
    'each other reason by its name first',
    waitingFor(['APPROVAL_REQUIRED', 'TOO_MANY_PEOPLE', 'REPEATED_FILE']),
    { accept: [] },
    ['Accept TOO_MANY_PEOPLE?', 'Accept REPEATED_FILE?', 'Apply 60 changes?'],
  ],
  ['what was not accepted', waitingFor(['STEP', 'WRONG_FOLDER']), { yes: true, accept: [] }, ['Accept WRONG_FOLDER?']],
  ['nothing when all is given', waitingFor(['STEP']), { yes: true, accept: [] }, []],
  ['the next step', waitingFor(['STEP'], { policy: { steps: 10 } }), { accept: [] }, ['Apply 10 of 60 changes?']],
  ['the last one', waitingFor(['STEP'], { codes: { NOT_APPROVED: 1 } }), { accept: [] }, ['Apply 1 change?']],
])('asks for %s', async (_, summary, given, questions) => {
  const asked: string[] = [];
  const ask = async (question: string): Promise<boolean> => {
    asked.push(question);
    return true;
  };

  expect(await askFor(summary, given, ask)).toBe(true);
  expect(asked).toEqual(questions);
});

it('asks no further after a no, and approves nothing', async () => {
  const asked: string[] = [];
  const ask = async (question: string): Promise<boolean> => {
    asked.push(question);
    return false;
  };

  expect(await askFor(waitingFor(['TOO_MANY_PEOPLE', 'REPEATED_FILE']), { accept: [] }, ask)).toBe(false);
  expect(asked).toEqual(['Accept TOO_MANY_PEOPLE?']);
});

it('names plan, reasons and, where there are steps, the step in an approval (promise 3)', () => {
  const state = newState({ ...JOB, id: 'leavers-1' }, 0);

  expect(approvalOf(state, { hash: HASH, accepts: ['REPEATED_FILE'] })).toBe(`${HASH} REPEATED_FILE`);
  expect(approvalOf(undefined, { hash: HASH, accepts: [] })).toBe(HASH);
});

it('approves the plan that was shown, and follows the job until nobody approves any more', async () => {
  const results = memoryObjectStore();
  const inbox = memoryObjectStore();
  const report = (summary: Summary) => results.write('cloud/suspend/j/summary.json', JSON.stringify(summary));
  const next = { ...waitingFor(['STEP']), revision: 2 };
  const seen: number[] = [];
  await report(waitingFor(['TOO_MANY_PEOPLE']));

  const followed = await followApproving({
    inbox,
    results,
    jobId: 'j',
    prefixes: ['cloud/suspend/j/'],
    consent: async ({ summary }) => {
      seen.push(summary.revision);
      if (summary.revision === 2) return undefined;
      setTimeout(() => void report(next), 300);
      return ['TOO_MANY_PEOPLE'];
    },
  });

  expect(followed.summary).toEqual(next);
  expect(seen).toEqual([1, 2]);
  expect(await (await inbox.read('control/j/approve'))?.text()).toBe(`${HASH} TOO_MANY_PEOPLE`);
});
