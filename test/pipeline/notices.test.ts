import { readFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';

import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { type Notice, NOTICE_STATES, noticeSchema, renderLine } from '../../shared/notice.ts';
import type { Publication } from '../../shared/ports.ts';
import { emailOf } from '../bench/manifests.ts';
import { type MemoryPipeline, startMemoryPipeline } from '../fakes/memory-pipeline.ts';

const HOUR_MS = 3_600_000;

let simulator: Simulator;
let pipeline: MemoryPipeline;
let targets: Record<string, Record<string, unknown>>;

beforeEach(async () => {
  simulator = await startSimulator({
    seed: { users: 400, groups: 3, groupsPerUser: 0, domain: 'example.com', dataCenterUsers: 0, dataCenterGroups: 0 },
  });
  targets = { ...simulator.targets };
  pipeline = startMemoryPipeline({
    targets,
    policy: { rules: [{ operation: 'membership', above: { takes: 100, gives: 100 } }] },
  });
});
afterEach(async () => {
  await pipeline.close();
  await simulator.close();
});

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
const memberships = (count: number, group = 'group-001'): string =>
  ['email,group name,action', ...numbers(count).map((n) => `${emailOf(n)},${group},add`), ''].join('\n');
const people = (count: number): string => ['email', ...numbers(count).map(emailOf), ''].join('\n');

const notices = (): readonly Notice[] => pipeline.published.map(({ body }) => noticeSchema.parse(body));
const last = (): Notice => notices().at(-1) ?? expect.fail('nobody was told anything');
const told = (): readonly string[] => notices().map(({ state, urgency }) => `${state} ${urgency}`);

const drop = async (key: string, file: string): Promise<string> => {
  const job = pipeline.upload(key, file);
  await pipeline.settle(job);
  return job;
};

const behave = (behaviour: unknown): Promise<Response> =>
  fetch(`${simulator.url}/_simulator/behaviour`, { method: 'PATCH', body: JSON.stringify(behaviour) });
const failWrites = (): Promise<Response> =>
  behave({ refusedWrites: [{ method: 'POST', path: '/group/user', status: 500, body: 'down', times: 100 }] });

describe('what people are told of a job', () => {
  it('once, when every row is as the file asks, and nobody has to do anything', async () => {
    await drop('cloud/membership/joiners.csv', memberships(3));

    expect(told()).toEqual(['completed none']);
    expect(last()).toMatchObject({ target: 'cloud', operation: 'membership', counts: { rows: 3, changed: 3 } });
  });

  it('which rows failed for their own reasons, with their lines and what to do, and no dead letters besides', async () => {
    await drop('cloud/membership/joiners.csv', `${memberships(2)}nobody@example.com,group-001,add\n`);

    expect(told()).toEqual(['completed look']);
    expect(last().failures).toEqual([
      expect.objectContaining({
        code: 'USER_NOT_FOUND',
        rows: 1,
        lines: [4],
        remedy: expect.stringMatching(/address/),
      }),
    ]);
  });

  it('of rows that failed for reasons that are not their own, as dead letters besides', async () => {
    await failWrites();
    await drop('cloud/membership/joiners.csv', memberships(2));

    expect(told()).toEqual(['completed look', 'dead-letters act']);
    expect(last().next.map(({ command }) => command)).toContainEqual(expect.stringMatching(/dead-letters redrive/));
  });

  it('again when rows that were redriven fail again, and not when they succeed', async () => {
    await failWrites();
    const job = await drop('cloud/membership/joiners.csv', memberships(2));
    await pipeline.redrive();
    await pipeline.settle(job);
    expect(told()).toEqual(['completed look', 'dead-letters act', 'dead-letters act']);

    await behave({ refusedWrites: [] });
    await pipeline.redrive();
    await pipeline.settle(job);

    expect((await pipeline.summaryOf(job)).counts).toMatchObject({ changed: 2, failed: 0 });
    expect(told()).toHaveLength(3);
  });

  it('that it waits, why, and how to approve it', async () => {
    const job = await drop('cloud/suspend/leavers.csv', people(60));

    expect(told()).toEqual(['waiting act']);
    expect(last()).toMatchObject({ counts: { 'to change': 60 }, job: job.slice(-12) });
    expect(last().reasons.map(({ code }) => code)).toEqual(['APPROVAL_REQUIRED', 'TOO_MANY_PEOPLE']);
    expect(last().next.map(({ command }) => command)[1]).toBe(
      `npx rollcall approve ${job.slice(-12)} --accept TOO_MANY_PEOPLE --stack Rollcall`,
    );
  });

  it('that people who are to lose their access still have it, after 1, 4 and 24 hours, until somebody approves', async () => {
    const job = await drop('cloud/suspend/leavers.csv', people(60));
    for (const hours of [0.9, 0.2, 1, 2, 1, 18, 2, 30]) {
      await pipeline.advance(hours * HOUR_MS);
      await pipeline.settle(job);
    }

    expect(notices().map(({ title }) => title.split(',')[0])).toEqual([
      'Waits for approval',
      'Still waits after an hour',
      'Still waits after 4 hours',
      'Still waits after 24 hours',
    ]);
    expect(told().slice(1)).toEqual(['waiting overdue', 'waiting overdue', 'waiting overdue']);
  });

  it('no reminder of a job that gives access', async () => {
    const job = await drop('cloud/membership/joiners.csv', memberships(200));
    await pipeline.advance(30 * HOUR_MS);
    await pipeline.settle(job);

    expect(told()).toEqual(['waiting act']);
  });

  it('that it halted and why; and again when it is resumed into the same', async () => {
    const sound = targets['cloud'] ?? {};
    targets['cloud'] = { ...sound, apiToken: 'revoked', orgApiKey: 'revoked' };
    const job = await drop('cloud/membership/joiners.csv', memberships(3));
    expect(told()).toEqual(['halted act']);
    expect(last().reasons).toEqual([{ code: 'UNAUTHORIZED', message: expect.stringMatching(/\S/) }]);

    await pipeline.advance(60_000);
    pipeline.command(job, 'resume');
    await pipeline.settle(job);

    expect(told()).toEqual(['halted act', 'halted act']);
  });

  it('that a file was refused: the line and the remedy, and nothing that stands in a cell', async () => {
    await drop('cloud/membership/joiners.csv', 'Alice Archer,group-001\nBob Baker,group-002\n');

    expect(told()).toEqual(['rejected act']);
    expect(JSON.stringify(last())).not.toMatch(/Alice|Archer|Bob|Baker/);
    expect(last().reasons).not.toEqual([]);
  });

  it('that a file lay in no folder of a target', async () => {
    await drop('somewhere/joiners.csv', memberships(1));

    expect(last()).toMatchObject({ state: 'rejected', target: '' });
  });

  it('that it was cancelled, and how much was changed by then', async () => {
    const job = await drop('cloud/suspend/leavers.csv', people(60));
    pipeline.command(job, 'cancel');
    await pipeline.settle(job);

    expect(told()).toEqual(['waiting act', 'cancelled look']);
  });

  it('of each thing once, though the request comes twice', async () => {
    const job = await drop('cloud/membership/joiners.csv', memberships(3));
    await pipeline.advance(120_000);
    await pipeline.settle(job);

    expect(told()).toEqual(['completed none']);
  });
});

/** A day so many days from now, as a secret says it. */
const dayIn = (days: number): string => new Date(Date.now() + days * 24 * HOUR_MS).toISOString().slice(0, 10);

const check = async (target: Readonly<Record<string, unknown>>): Promise<readonly Notice[]> => {
  for (const name of Object.keys(targets)) delete targets[name];
  targets['prod'] = { ...simulator.targets.cloud, ...target };
  await pipeline.checkCredentials();
  return notices();
};

describe('the daily look at credentials', () => {
  it('says nothing of credentials that work and end in more than 30 days', async () => {
    expect(await check({ expires: dayIn(31) })).toEqual([]);
  });

  it.each([
    ['apiToken', { apiToken: 'revoked' }],
    ['orgApiKey', { orgApiKey: 'revoked' }],
  ])('names the %s that Atlassian refuses, once a day', async (field, changed) => {
    await check(changed);
    const found = await check(changed);

    expect(found.map(({ title }) => title)).toEqual(['Credentials do not work: prod']);
    expect(found[0]?.sentences[0]).toContain(`${field}: `);
    expect(JSON.stringify(found)).not.toContain('revoked');
  });

  it('names the token of a Data Center that is refused', async () => {
    for (const name of Object.keys(targets)) delete targets[name];
    targets['dc'] = { ...simulator.targets['data-center'], token: 'revoked' };
    await pipeline.checkCredentials();

    expect(notices().map(({ title }) => title)).toEqual(['Credentials do not work: dc']);
  });

  it('names the field of a secret that cannot be used', async () => {
    expect(await check({ siteUrl: undefined })).toMatchObject([
      { sentences: [expect.stringContaining('siteUrl: missing'), 'Correct the secret.'] },
    ]);
  });

  it.each([
    [30, 'Credentials end in 30 days: prod'],
    [12, 'Credentials end in 12 days: prod'],
    [7, 'Credentials end in 7 days: prod'],
    [1, 'Credentials end tomorrow: prod'],
    [0, 'Credentials end today: prod'],
    [-3, 'Credentials have ended: prod'],
  ])('tells %i days before the end', async (days, title) => {
    expect((await check({ expires: dayIn(days) })).map((notice) => notice.title)).toEqual([title]);
  });

  it('tells at 30, at 7 and at 1 day before the end, and not each day between', async () => {
    await check({ expires: dayIn(31) });
    for (let day = 0; day < 31; day += 1) {
      await pipeline.advance(24 * HOUR_MS);
      await pipeline.checkCredentials();
    }

    expect(notices().map(({ title }) => title.replace(/: .*/, ''))).toEqual([
      'Credentials end in 30 days',
      'Credentials end in 7 days',
      'Credentials end tomorrow',
      'Credentials end today',
    ]);
  });

  it('takes an Atlassian that is down for no finding', async () => {
    await behave({ outage: true });
    expect(await check({ siteUrl: 'http://127.0.0.1:9' })).toEqual([]);
  });
});

/** The occasions that docs/notices.md shows, each with what leads to it; the last notice is shown. */
const OCCASIONS: Readonly<Record<string, () => Promise<void>>> = {
  done: async () => void (await drop('cloud/membership/joiners.csv', memberships(43))),
  finished: async () =>
    void (await drop('cloud/membership/joiners.csv', `${memberships(41)}nobody@example.com,group-001,add\n`)),
  waiting: async () => void (await drop('cloud/suspend/leavers.csv', people(60))),
  overdue: async () => {
    const job = await drop('cloud/suspend/leavers.csv', people(60));
    await pipeline.advance(4 * HOUR_MS);
    await pipeline.settle(job);
  },
  halted: async () => {
    targets['cloud'] = { ...targets['cloud'], apiToken: 'revoked', orgApiKey: 'revoked' };
    await drop('cloud/membership/joiners.csv', memberships(43));
  },
  refused: async () =>
    void (await drop('cloud/membership/joiners.csv', 'emial,group name\nann@example.com,group-001\n')),
  cancelled: async () => {
    const job = await drop('cloud/suspend/leavers.csv', people(60));
    pipeline.command(job, 'cancel');
    await pipeline.settle(job);
  },
  'dry run': async () => void (await drop('cloud/membership/joiners.dry-run.csv', memberships(43))),
  'dead letters': async () => {
    await failWrites();
    await drop('cloud/membership/joiners.csv', memberships(2));
  },
  'credentials refused': async () => void (await check({ apiToken: 'revoked' })),
  'credentials that end': async () => void (await check({ expires: dayIn(7) })),
};

const PAGE = 'docs/notices.md';
const shown = new Map<string, Publication>();

describe.each(Object.keys(OCCASIONS))('the notice %s', (name) => {
  it('fits a screen, names nobody, and says what to type next', async () => {
    await OCCASIONS[name]?.();
    const publication = pipeline.published.at(-1) ?? expect.fail('nobody was told anything');
    shown.set(name, publication);
    const { subject, text, body, attributes } = publication;
    const notice = noticeSchema.parse(body);

    expect(subject).toMatch(/^Rollcall: [\x20-\x7e]{1,89}$/);
    // A phone shows about so many characters; a link is one line there.
    expect(text.replace(/https:\S+/g, 'link').length).toBeLessThan(1_300);
    expect(text).not.toMatch(/@|example\.com|user-?0/i);
    expect(notice.next).not.toEqual([]);
    for (const { command } of notice.next) expect(text).toContain(command);
    expect(attributes).toMatchObject({ target: notice.target, state: notice.state, urgency: notice.urgency });
    expect(renderLine(notice)).not.toContain('\n');
  });
});

it('stands in docs/notices.md as it is sent (npm test -- test/pipeline/notices.test.ts -u writes it)', async () => {
  const page = await readFile(PAGE, 'utf8');
  const blocks = page.replace(
    /(<!-- notice: (.+?) -->)[^]*?(<!-- \/notice -->)/g,
    (_whole, begin: string, name: string, end: string) => {
      const { subject, text } = shown.get(name) ?? expect.fail(`nothing leads to ${name}`);
      const settled = text.replaceAll(dayIn(7), '2027-01-31').trimEnd();
      return `${begin}\n\n\`\`\`\nSubject: ${subject}\n\n${settled}\n\`\`\`\n\n${end}`;
    },
  );
  const written = blocks.replace(/(<!-- table: notice -->\n)[^]*?(<!-- \/table -->)/, `$1\n${describeSchema()}\n\n$2`);
  const options = { ...(await resolveConfig(PAGE)), filepath: PAGE };

  for (const name of Object.keys(OCCASIONS)) expect(page).toContain(`<!-- notice: ${name} -->`);
  await expect(await format(written, options)).toMatchFileSnapshot(`../../${PAGE}`);
});

function describeSchema(): string {
  const schema = z.toJSONSchema(noticeSchema) as {
    readonly properties: Readonly<Record<string, { readonly type?: string; readonly description?: string }>>;
    readonly required: readonly string[];
  };
  const lines = Object.entries(schema.properties).map(
    ([name, { type = 'string', description = '' }]) =>
      `| \`${name}\` | ${type} | ${schema.required.includes(name) ? '' : 'optional; '}${description.replaceAll('|', '\\|')} |`,
  );
  return ['| field | type | meaning |', '| --- | --- | --- |', ...lines].join('\n');
}

it('knows each state of a notice', () => {
  const told = new Set([...shown.values()].map(({ attributes }) => attributes['state']));

  // A broken job takes a store that has lost something: shared/job/summary.ts says when.
  expect(NOTICE_STATES.filter((state) => !told.has(state))).toEqual(['broken']);
});
