import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { measuredLog } from '../../shared/aws/metrics.ts';
import { measure, MEASURED } from '../../shared/metrics.ts';

const FUNCTIONS = fileURLToPath(new URL('../../functions/', import.meta.url));

it('counts every line that a function logs of a message which it gives back', () => {
  const logged = readdirSync(FUNCTIONS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(join(FUNCTIONS, file), 'utf8').matchAll(/log\('([\w.-]+)'/g)])
    .map(([, event = '']) => event);
  const failing = logged.filter((event) => /fail/.test(event));

  expect(new Set(failing).size).toBeGreaterThan(6);
  for (const event of failing) expect(measure(event)).toEqual({ stack: 'MessagesFailed' });
});

it.each([
  ['message.quarantined', {}, 'MessagesQuarantined'],
  ['dead-letters.infrastructure', { rows: 3 }, 'RowsFailedByOthers'],
  ['notice.published', { state: 'halted', urgency: 'act' }, 'JobsHalted'],
  ['notice.published', { state: 'waiting', urgency: 'overdue' }, 'ApprovalsOverdue'],
  ['notice.published', { state: 'credentials', urgency: 'act' }, 'CredentialsFailing'],
  ['credentials.unchecked', {}, 'MessagesFailed'],
] as const)('counts %s %j as %s', (event, fields, stack) => {
  expect(measure(event, fields)).toEqual({ stack });
});

it.each([
  ['notice.published', { state: 'completed', urgency: 'look' }],
  ['notice.published', { state: 'waiting', urgency: 'act' }],
  ['dead-letters.sent', { rows: 3 }],
  ['report.written', {}],
] as const)('wakes nobody for %s %j', (event, fields) => {
  expect(measure(event, fields)).toBeUndefined();
});

describe('the log of a function', () => {
  const lines: string[] = [];
  beforeEach(() => {
    lines.length = 0;
    vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
    vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line).trim()) > 0);
  });
  afterEach(() => vi.restoreAllMocks());

  it('writes figures of a target as CloudWatch reads them, and no job', () => {
    measuredLog('Rollcall')(MEASURED, { job: 'ann-0123456789ab', target: 'prod', rowsChanged: 3, planSeconds: 1.5 });

    const [line = '', metric = ''] = lines;
    expect(JSON.parse(line)).toEqual({
      event: MEASURED,
      job: '0123456789ab',
      target: 'prod',
      rowsChanged: 3,
      planSeconds: 1.5,
    });
    expect(JSON.parse(metric)).toMatchObject({
      _aws: {
        CloudWatchMetrics: [
          {
            Namespace: 'Rollcall',
            Dimensions: [['service', 'target']],
            Metrics: [
              { Name: 'rowsChanged', Unit: 'Count' },
              { Name: 'planSeconds', Unit: 'Seconds' },
            ],
          },
        ],
      },
      service: 'Rollcall',
      target: 'prod',
      rowsChanged: 3,
    });
    expect(metric).not.toMatch(/job|ann/);
  });

  it('keeps the metrics of the stack apart from those of targets', () => {
    const log = measuredLog('Rollcall');
    log(MEASURED, { target: 'prod', calls: 1 });
    log('message.quarantined', {});

    expect(JSON.parse(lines[3] ?? '')).toMatchObject({
      _aws: {
        CloudWatchMetrics: [{ Dimensions: [['service']], Metrics: [{ Name: 'MessagesQuarantined', Unit: 'Count' }] }],
      },
    });
  });

  it('writes nothing besides where nothing is counted', () => {
    measuredLog('Rollcall')('report.written', {});

    expect(lines).toEqual(['{"event":"report.written"}']);
  });
});
