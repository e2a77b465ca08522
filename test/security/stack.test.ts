import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { assemble } from '../../local/assembly.ts';
import type { RequestCount, Violation } from '../../local/aws/access-control.ts';
import { startSimulator } from '../../local/atlassian/server/simulator.ts';
import { startStack } from '../../local/stack.ts';
import type { StackDescription } from '../../local/aws/template/description.ts';
import { completeSettings } from '../../shared/settings.ts';
import { allowed, used } from './allowed.ts';
import { CANARY, canariesIn, leaksIn } from './canaries.ts';
import { EXCEPTIONS } from './exceptions.ts';
import { exercise, type Ended } from './exercise.ts';
import { STOLEN } from './manifests.ts';

const ENDS_MS = 90_000;
const folder = mkdtempSync(join(tmpdir(), 'rollcall-security-'));
let ended: readonly Ended[];
let requests: readonly RequestCount[];
let violations: readonly Violation[];
let description: StackDescription;
let printed = '';

beforeAll(async () => {
  const spies = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  for (const spy of spies) spy.mockImplementation((text) => ((printed += String(text)), true));
  const atlassian = await startSimulator({});
  const stack = await startStack({
    folder,
    synthesized: await assemble(completeSettings()),
    simulator: false,
    targets: { ...atlassian.targets, stolen: STOLEN(atlassian.url) },
    reconcileEveryMs: ENDS_MS,
  });
  try {
    ended = await exercise(stack, atlassian.url, AbortSignal.timeout(ENDS_MS));
    [requests, violations, description] = [stack.requests(), stack.violations(), stack.description];
  } finally {
    await stack.close();
    await atlassian.close();
    for (const spy of spies) spy.mockRestore();
  }
}, ENDS_MS + 10_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a stack with which everything is done that can be done', () => {
  it('comes to every kind of ending', () => {
    expect(ended.map(({ errand, summary }) => [errand.operation, summary.state])).toEqual(
      ended.map(({ errand }) => [errand.operation, errand.ends]),
    );
    const codes = new Set(ended.flatMap(({ summary }) => Object.keys(summary.codes)));
    expect([...codes]).toEqual(expect.arrayContaining(ENDINGS));
    expect(ended.flatMap(({ summary }) => summary.halt?.code ?? [])).toEqual(['UNAUTHORIZED']);
    const counts = ended.map(({ summary }) => summary.counts);
    for (const status of ['changed', 'unchanged', 'failed', 'invalid', 'unprocessed'] as const)
      expect(counts.some((count) => count[status] > 0)).toBe(true);
  });

  it('keeps aside, with its reason, a message on each queue that is not ours', () => {
    const kept = requests.filter(
      ({ action, resource }) => action === 's3:PutObject' && resource.endsWith('/quarantine/*'),
    );

    expect(kept.map(({ caller, requests: times }) => [caller, times]).toSorted()).toEqual([
      ['coordinator', 1],
      ['intake', 1],
      ['notifier', 1],
      ['planner', 1],
      ['reporter', 2],
      ['splitter', 2],
      ['worker', 2],
    ]);
  });
});

const ENDINGS = [
  'USER_NOT_FOUND',
  'GROUP_NOT_FOUND',
  'GROUP_EXTERNAL',
  'DUPLICATE',
  'CONTRADICTION',
  'INVALID_ROW',
  'LICENCE_LIMIT',
  'SCIM_MANAGED',
  'DOMAIN_NOT_VERIFIED',
  'EMAIL_IN_USE',
  'PROTECTED',
  'HALTED',
];

describe('the roles of the template', () => {
  it('suffice: nothing was refused', () => {
    expect(violations).toEqual([]);
    const may = allowed(description);
    expect(used(requests).filter((use) => !may.includes(use))).toEqual([]);
  });

  it('are minimal: what they allow was done, or is listed with its reason', () => {
    const did = used(requests);
    const unused = allowed(description).filter((use) => !did.includes(use));

    expect(unused.filter((use) => !EXCEPTIONS.some((exception) => exception.use.test(use)))).toEqual([]);
    expect(EXCEPTIONS.filter((exception) => !unused.some((use) => exception.use.test(use)))).toEqual([]);
  });
});

describe('promise 10, no secrets and no people in the logs', () => {
  it('keeps every planted secret, address and name out of every log', () => {
    expect(readdirSync(join(folder, 'logs')).toSorted()).toEqual([
      'coordinator.log',
      'intake.log',
      'notifier.log',
      'planner.log',
      'reporter.log',
      'splitter.log',
      'worker.log',
    ]);
    expect(canariesIn(folder)).toEqual([]);
  });

  it('keeps them out of what the stack prints', () => {
    expect(leaksIn('stdout and stderr', printed)).toEqual([]);
  });

  it('logs what happened all the same', () => {
    const lines = readFileSync(join(folder, 'logs', 'coordinator.log'), 'utf8');

    expect(lines).toContain('"event":"events.folded"');
  });

  it('would find one', () => {
    expect(leaksIn('log', `{"event":"x","email":"ann.lee@example.com","token":"${CANARY}-token"}`)).toEqual([
      { file: 'log', canary: CANARY, times: 1 },
      { file: 'log', canary: 'ann.lee@example.com', times: 1 },
    ]);
  });
});
