import { describe, expect, it } from 'vitest';

import {
  computeBackoffMs,
  computeNotBefore,
  readRateLimit,
  type Headers,
} from '../../../shared/atlassian/rate-limit-reading.ts';

const NOW_MS = Date.parse('2026-01-01T01:00:00Z');

describe('the rate limits in an answer', () => {
  it.each<[string, Headers, ReturnType<typeof readRateLimit>]>([
    ['nothing', {}, { near: false, scope: 'endpoint' }],
    [
      "Jira Cloud's own example of a 429",
      {
        'retry-after': '1',
        'x-ratelimit-limit': '350',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': '2026-01-01T01:01:01Z',
        'ratelimit-reason': 'jira-burst-based',
      },
      { limit: 350, remaining: 0, near: false, resetMs: NOW_MS + 61_000, retryAtMs: NOW_MS + 1_000, scope: 'endpoint' },
    ],
    ['a quota of the tenant', { 'ratelimit-reason': 'jira-quota-tenant-based' }, { near: false, scope: 'target' }],
    ['a quota of everybody', { 'ratelimit-reason': 'jira-quota-global-based' }, { near: false, scope: 'target' }],
    ['writes to one issue', { 'ratelimit-reason': 'jira-per-issue-on-write' }, { near: false, scope: 'endpoint' }],
    ['that little is left', { 'x-ratelimit-nearlimit': 'true' }, { near: true, scope: 'endpoint' }],
    [
      'structured headers to come',
      { 'beta-ratelimit-policy': '"jira-burst-based";q=100;w=1', 'beta-ratelimit': '"jira-burst-based";r=90;t=1' },
      {
        limit: 100,
        remaining: 90,
        perSecond: 100,
        near: false,
        stateEndsAtMs: NOW_MS + 1_000,
        scope: 'endpoint',
      },
    ],
    [
      'the state of the policy that is read',
      {
        'ratelimit-policy': '"jira-quota-tenant-based";q=65000;w=3600, "jira-burst-based";q=50;w=1',
        ratelimit: '"jira-quota-tenant-based";r=64000;t=1800, "jira-burst-based";r=7;t=1',
      },
      { limit: 50, remaining: 7, perSecond: 50, near: false, stateEndsAtMs: NOW_MS + 1_000, scope: 'endpoint' },
    ],
    [
      'a state of another policy only',
      { 'ratelimit-policy': '"jira-burst-based";q=50;w=1', ratelimit: '"jira-quota-tenant-based";r=64000;t=1800' },
      { limit: 50, perSecond: 50, near: false, scope: 'endpoint' },
    ],
    [
      'the state of the policy that refused',
      {
        'ratelimit-reason': 'jira-quota-tenant-based',
        'ratelimit-policy': '"jira-burst-based";q=50;w=1, "jira-quota-tenant-based";q=65000;w=3600',
        ratelimit: '"jira-burst-based";r=7;t=1, "jira-quota-tenant-based";r=0;t=1800',
      },
      {
        limit: 65_000,
        remaining: 0,
        perSecond: 65_000 / 3_600,
        near: false,
        stateEndsAtMs: NOW_MS + 1_800_000,
        scope: 'target',
      },
    ],
    [
      'headers in several lines',
      {
        'x-ratelimit-limit': ['100', '100'],
        'ratelimit-reason': ['jira-burst-based', 'jira-quota-tenant-based'],
        'ratelimit-policy': ['"jira-quota-tenant-based";q=65000;w=3600', '"jira-burst-based";q=50;w=1'],
      },
      { limit: 100, perSecond: 50, near: false, scope: 'target' },
    ],
    [
      'the burst policy beside a quota',
      { 'ratelimit-policy': '"jira-quota-tenant-based";q=65000;w=3600, "jira-burst-based";q=50;w=1' },
      { limit: 50, perSecond: 50, near: false, scope: 'endpoint' },
    ],
    [
      "Data Center's bucket, with tokens left",
      {
        'x-ratelimit-limit': '200',
        'x-ratelimit-remaining': '180',
        'x-ratelimit-interval-seconds': '5',
        'x-ratelimit-fillrate': '50',
        'retry-after': '0',
      },
      {
        limit: 200,
        remaining: 180,
        perSecond: 10,
        fill: { calls: 50, seconds: 5 },
        near: false,
        scope: 'endpoint',
      },
    ],
    [
      'a date to come back at',
      { 'retry-after': 'Thu, 01 Jan 2026 01:00:30 GMT' },
      { near: false, retryAtMs: NOW_MS + 30_000, scope: 'endpoint' },
    ],
    [
      'a reset that came while the answer was under way',
      { 'x-ratelimit-reset': '2026-01-01T00:59:59Z' },
      { near: false, resetMs: NOW_MS - 1_000, scope: 'endpoint' },
    ],
    ['a reset long ago', { 'x-ratelimit-reset': '2026-01-01T00:59:00Z' }, { near: false, scope: 'endpoint' }],
    ['a date that has passed', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, { near: false, scope: 'endpoint' }],
    [
      'nonsense',
      { 'retry-after': '-5', 'x-ratelimit-limit': 'many', 'x-ratelimit-reset': 'soon' },
      { near: false, scope: 'endpoint' },
    ],
  ])('are read from %s', (_, headers, reading) => {
    expect(readRateLimit(headers, NOW_MS)).toEqual(reading);
  });

  it.each<[string, Headers, number]>([
    ['Retry-After', { 'retry-after': '7' }, 7_000],
    [
      'Retry-After before the reset of a burst',
      { 'retry-after': '1', 'x-ratelimit-reset': '2026-01-01T01:01:00Z' },
      1_000,
    ],
    [
      'the reset of a quota, if that is later',
      {
        'retry-after': '1',
        'x-ratelimit-reset': '2026-01-01T01:01:00Z',
        'ratelimit-reason': 'jira-quota-tenant-based',
      },
      60_000,
    ],
    ['the reset where it stands alone', { 'x-ratelimit-reset': '2026-01-01T01:00:09Z' }, 9_000],
    ['at once when the reset came with the refusal', { 'x-ratelimit-reset': '2026-01-01T00:59:59Z' }, 0],
    ['the end of the state where nothing else is named', { ratelimit: '"jira-burst-based";r=0;t=3' }, 3_000],
    [
      'the reset before the end of the state',
      { ratelimit: '"jira-burst-based";r=0;t=3', 'x-ratelimit-reset': '2026-01-01T01:00:09Z' },
      9_000,
    ],
    ['a backoff where nothing is named', {}, 2_000],
    ['at most an hour', { 'retry-after': '999999' }, 3_600_000],
  ])('say when to come back: %s', (_, headers, ms) => {
    const reading = readRateLimit(headers, NOW_MS);

    expect(computeNotBefore(reading, { nowMs: NOW_MS, refusals: 1, random: 0.5 })).toBe(NOW_MS + ms);
  });

  it.each([
    [1, 0, 1_400],
    [1, 0.999_999, 2_600],
    [2, 0.5, 4_000],
    [4, 0.5, 16_000],
    [5, 0.5, 30_000],
    [60, 0.5, 30_000],
  ])('back off after %i refusals with the dice at %d for about %i ms', (refusals, random, ms) => {
    expect(Math.round(computeBackoffMs(refusals, random))).toBe(ms);
  });
});

describe('instants that an answer names', () => {
  it.each([
    ['the server is an hour ahead', 'Thu, 01 Jan 2026 02:00:00 GMT', '2026-01-01T02:00:10Z', 10_000],
    ['the server is an hour behind', 'Thu, 01 Jan 2026 00:00:00 GMT', '2026-01-01T00:00:10Z', 10_000],
    ['the clocks agree', 'Thu, 01 Jan 2026 01:00:01 GMT', '2026-01-01T01:00:10Z', 10_000],
    ['the answer has no date', undefined, '2026-01-01T01:00:10Z', 10_000],
    ['its date cannot be read', 'yesterday', '2026-01-01T01:00:10Z', 10_000],
  ])("are of the server's own clock: %s", (_, date, reset, afterMs) => {
    const reading = readRateLimit({ ...(date !== undefined && { date }), 'x-ratelimit-reset': reset }, NOW_MS);

    expect(reading.resetMs).toBe(NOW_MS + afterMs);
  });

  it.each([
    ['0', undefined],
    ['-5', undefined],
    ['-3600', undefined],
    ['soon', undefined],
    ['', undefined],
    ['1.5', 1_500],
    ['3600', 3_600_000],
    ['Thu, 01 Jan 2026 01:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2026 00:00:00 GMT', undefined],
  ])('Retry-After: %s asks for %s ms', (text, afterMs) => {
    expect(readRateLimit({ 'retry-after': text }, NOW_MS).retryAtMs).toBe(
      afterMs === undefined ? undefined : NOW_MS + afterMs,
    );
  });

  it('stop nothing where a refusal says itself that there is room', () => {
    const reading = readRateLimit(
      { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '90', 'x-ratelimit-reset': '2026-01-01T02:00:00Z' },
      NOW_MS,
    );

    expect(computeNotBefore(reading, { nowMs: NOW_MS, refusals: 1, random: 0.5 })).toBe(NOW_MS + 2_000);
  });
});
