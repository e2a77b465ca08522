import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { createApiClients } from '../../../shared/atlassian/api-client.ts';
import { ENDPOINTS, type Call } from '../../../shared/atlassian/endpoints.ts';
import type { Body, HttpAnswer } from '../../../shared/atlassian/http.ts';
import { CODES } from '../../../shared/job/outcome.ts';
import { EXAMPLES } from './error-examples.ts';

const CALLS = Object.keys(ENDPOINTS) as readonly Call[]; // its own keys
const IDS = { orgId: 'o', directoryId: 'd', accountId: 'a' };

const text = (page: string): Body => ({ type: 'text', text: page });
const json = (value: unknown): Body => ({ type: 'json', value });
const OUTAGE =
  '<!DOCTYPE html><html><head><title>Page Unavailable</title></head><body>currently unavailable</body></html>';

/** What stands in Atlassian's place, as public logs show it. */
const FOREIGN: readonly (readonly [string, number, Body])[] = [
  ['the page of an outage', 404, text(OUTAGE)],
  ["a firewall's page", 403, text('<html><body>Access denied</body></html>')],
  ["a proxy's text", 404, text('404 page not found')],
  ['a wrong cloudId', 404, json({ timestamp: '2026-11-26T00:00:00Z', status: 404, error: 'Not Found', path: '/x' })],
  ["a gateway's JSON", 404, json({ code: 404, message: 'Not Found' })],
  ['nothing', 404, { type: 'none' }],
  ['a page for a success', 200, text('<!doctype html><p>Sign in</p>')],
  ['a login elsewhere', 302, { type: 'none' }],
  ['a page for a refusal', 400, text('  <html>Bad request</html>')],
];

interface Ending {
  readonly code: string;
  readonly temporary?: boolean;
  readonly uncertain?: boolean;
  readonly message: string;
}

/** What a call comes to that is answered so: an error, or that there is none. */
async function ask(
  call: Call,
  answer: Pick<HttpAnswer, 'status' | 'body'>,
  isKnown: boolean,
): Promise<Ending | undefined> {
  const unlimited = { acquire: async () => undefined, recordAnswer: () => undefined, recordRefusal: () => 0 };
  const { open } = createApiClients({
    http: { send: async () => ({ type: 'answer', headers: {}, ...answer }), close: async () => undefined },
    rateLimiters: { find: () => unlimited },
    clock: { now: () => new Date(0) },
    deadlineMs: Infinity,
    beforeCall: async () => undefined,
    answered: new Set(),
    isKnown: async () => isKnown,
  });
  const client = open({ target: 'acme', baseUrl: 'https://acme.example/jira', secrets: [], checks: 'siteUrl' });
  const signal = new AbortController().signal;
  const asked =
    ENDPOINTS[call].access === 'write'
      ? client.write(call, { path: IDS, body: {} }, signal)
      : client.find(call, { path: IDS, schema: z.unknown() }, signal);
  return asked.then(
    () => undefined,
    (error: unknown) => error as Ending, // what the client throws has these
  );
}

describe.each(FOREIGN)('%s (%i) in the place of Atlassian', (_, status, body) => {
  it.each(CALLS)(
    'to %s is a wrong address at first contact, and an outage where it has answered before',
    async (call) => {
      const { access } = ENDPOINTS[call];

      expect(await ask(call, { status, body }, false)).toMatchObject({
        code: 'SITE_NOT_FOUND',
        temporary: false,
        message: expect.stringMatching(
          /at https:\/\/acme\.example\/jira .*Check siteUrl in the target's secret/,
        ) as unknown,
      });
      expect(await ask(call, { status, body }, true)).toMatchObject({
        code: 'ATLASSIAN_ERROR',
        temporary: true,
        uncertain: access === 'write',
      });
    },
  );
});

describe('a success that confirms nothing', () => {
  const writes = CALLS.filter((call) => ENDPOINTS[call].access === 'write');
  const EMPTY: Body = { type: 'none' };

  it.each(writes)('of %s is looked at again', async (call) => {
    const confirmed = ENDPOINTS[call].confirmedBy ?? [];
    for (const status of [200, 201, 202, 204])
      for (const body of [EMPTY, json({}), text('OK'), text(OUTAGE)]) {
        const isConfirmed = confirmed.some((one) => one.status === status && one.body === body.type);
        const ending = await ask(call, { status, body }, true);
        expect({ status, body, code: ending?.code }).toEqual({
          status,
          body,
          code: isConfirmed ? undefined : 'ATLASSIAN_ERROR',
        });
        if (ending) expect(ending).toMatchObject({ temporary: true, uncertain: true });
      }
  });
});

describe("an API's own answers", () => {
  const bodyOf = (body: unknown): Body =>
    body === undefined ? { type: 'none' } : typeof body === 'string' ? text(body) : json(body);

  it.each(EXAMPLES.filter(([, , , code]) => code !== 'unchanged'))(
    '%s answered %i %j comes to %s, temporary or not as the code is, with a remedy',
    async (call, status, body, code) => {
      if (code === 'unchanged') return;
      const ending = await ask(call, { status, body: bodyOf(body) }, true);
      if (status === 404 && ENDPOINTS[call].access === 'read') return expect(ending).toBeUndefined(); // a look-up found nobody
      expect(ending).toMatchObject({ code, temporary: CODES[code].temporary });
      expect(CODES[code].remedy).toMatch(/[.)]$/);
    },
  );
});
