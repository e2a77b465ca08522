import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { readSettings } from '../../infra/stage.ts';
import {
  completeSettings,
  FUNCTIONS,
  type FunctionName,
  readEnvironment,
  type Resources,
  SettingsInvalid,
  stackNameOf,
  visibilitySeconds,
  writeEnvironment,
} from '../../shared/settings.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every resource, named for itself. */
const RESOURCES: Resources = {
  inbox: 'inbox',
  results: 'results',
  validate: 'validate',
  plan: 'plan',
  tasks: 'tasks',
  isolationArn: 'isolationArn',
  deadLetters: 'deadLetters',
  events: 'events',
  enqueue: 'enqueue',
  reports: 'reports',
  notices: 'notices',
  noticesTopic: 'noticesTopic',
};

const fault = (settings: unknown): string => {
  try {
    completeSettings(settings);
    return 'none';
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.message;
    throw error;
  }
};

describe('a stage', () => {
  it('is complete without a single setting', () => {
    expect(completeSettings()).toEqual(completeSettings({}));
  });

  it('names every fault at once', () => {
    const message = fault({
      name: 'Production',
      alarms: { emails: ['not an address'] },
      worker: { timeoutSeconds: 1_000, batchSize: 0 },
      retention: { logDays: 4 },
      limits: { rows: -1 },
    });

    for (const path of ['name', 'alarms.emails.0', 'worker.timeoutSeconds', 'worker.batchSize']) {
      expect(message).toContain(path);
    }
    expect(message).toContain('retention.logDays');
    expect(message).toContain('limits.rows');
  });

  it.each([
    ['a setting that does not exist', { worker: { retries: 3 } }, 'retries'],
    ['fewer reserved than its sources run', { worker: { tasksConcurrency: 10 } }, 'at least 12'],
    ['no reservation left for a stop', { intake: { reservedConcurrency: 2 } }, 'at least 3'],
    ['no reservation left for the reconcile', { coordinator: { reservedConcurrency: 2 } }, 'at least 3'],
    ['a source that runs one at a time', { splitter: { enqueueConcurrency: 1 } }, 'splitter.enqueueConcurrency'],
    ['a large batch without a window', { worker: { batchingWindowSeconds: 0 } }, 'worker.batchingWindowSeconds'],
    ['so few receives that throttling uses them up', { maxReceiveCount: 2 }, 'maxReceiveCount'],
    ['rows that no message can carry', { limits: { rowBytes: 2_000_000 } }, 'limits.rowBytes'],
    ['a bucket name that S3 refuses', { inboxBucketName: 'In_Box' }, 'inboxBucketName'],
    ['a bucket name that S3 keeps for itself', { resultsBucketName: 'people-s3alias' }, 'resultsBucketName'],
    ['one name for two buckets', { inboxBucketName: 'one', resultsBucketName: 'one' }, 'choose two names'],
    [
      'a name that its buckets have no room for',
      { name: 'a-stage-too-long-1' },
      'name: the stage "a-stage-too-long-1" has 18 characters, and a bucket\'s name has room for 17',
    ],
    [
      'a sender without its own number',
      { policy: { rules: [{ sender: 'hr', twoPersons: true }] } },
      'stated for a sender',
    ],
    ['an unlimited number', { policy: { rules: [{ above: 100_001 }] } }, 'policy.rules.0.above'],
    ['half a number', { policy: { rules: [{ above: { takes: 10 } }] } }, 'policy.rules.0.above'],
    ['a rule of no kind', { policy: { rules: [{ target: 'acme', unattended: true }] } }, 'unattended'],
    ['a rule that applies what a file wants dry', { policy: { rules: [{ dryRun: false }] } }, 'policy.rules.0.dryRun'],
    ['steps of nothing', { policy: { rules: [{ steps: 0 }] } }, 'policy.rules.0.steps'],
    ['no bound on people', { policy: { tooMany: { people: 1_000_000 } } }, 'policy.tooMany.people'],
    ['approvals that hold for ever', { policy: { approvalMinutes: 1_000_000 } }, 'policy.approvalMinutes'],
    [
      'more rules than fit into a variable',
      { policy: { rules: Array.from({ length: 100 }, (_, n) => ({ target: `target-${n}`, above: n })) } },
      'merge rules',
    ],
  ])('is refused with %s', (_, settings, words) => {
    expect(fault(settings)).toContain(words);
  });

  it('may run many at once when it reserves none', () => {
    expect(
      completeSettings({ worker: { tasksConcurrency: 50, reservedConcurrency: 'none' } }).worker.tasksConcurrency,
    ).toBe(50);
  });

  it('may have a long name when both its buckets have their own', () => {
    const named = { name: 'a-stage-too-long-1', inboxBucketName: 'inbox', resultsBucketName: 'results' };

    expect(fault(named)).toBe('none');
    expect(fault({ ...named, resultsBucketName: undefined })).toContain('name both buckets');
  });

  it.each([
    [{}, 'Rollcall'],
    [{ name: 'test' }, 'Rollcall-test'],
  ])('%j is the stack %s', (settings, name) => {
    expect(stackNameOf(completeSettings(settings))).toBe(name);
  });

  it.each([
    [{ timeoutSeconds: 30 }, 180],
    [{ timeoutSeconds: 3, batchingWindowSeconds: 1 }, 19],
  ])('with %j hides messages for %i seconds', (settings, seconds) => {
    expect(visibilitySeconds(settings)).toBe(seconds);
  });
});

it.each(settingsOf(completeSettings({ name: 'test', inboxBucketName: 'inbox', resultsBucketName: 'results' })))(
  'the setting %s is in the deployment guide',
  (setting) => {
    const guide = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');

    expect(guide).toMatch(new RegExp(`[\`.]${setting}\``));
  },
);

it.each(Object.keys(FUNCTIONS) as FunctionName[])('fits into the 4 KB of the %s, whatever the stage sets', (name) => {
  const rules = Array.from({ length: 30 }, (_, n) => ({ target: `target-${n}`, above: n }));
  const long = Object.fromEntries(Object.keys(RESOURCES).map((resource) => [resource, 'x'.repeat(120)]));

  const text = writeEnvironment(name, completeSettings({ policy: { rules } }), long as unknown as Resources); // its own keys

  expect(Buffer.byteLength(text)).toBeLessThan(3_900);
});

it('takes the stages that the deployment guide shows', () => {
  const guide = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');
  const [, section = ''] = guide.split('\n## 3. Choose the stage\n');
  const shown = [...(section.split('\n## ')[0] ?? '').matchAll(/^```json$(.*?)^```$/gms)];

  expect(shown).toHaveLength(2);
  for (const [, json = ''] of shown) expect(fault(JSON.parse(json))).toBe('none');
});

describe('a stage file', () => {
  const file = (text: string): string => {
    const path = join(mkdtempSync(join(tmpdir(), 'rollcall-stage-')), 'stage.json');
    writeFileSync(path, text);
    return path;
  };

  it('holds settings as JSON', () => {
    expect(readSettings(file('{"name":"test"}')).name).toBe('test');
  });

  it('has no rule for an operation that there is not, which would hold for no file', () => {
    const path = file('{"policy":{"rules":[{"operation":"suspnd","twoPersons":true}]}}');

    expect(() => readSettings(path)).toThrow(/policy\.rules.*suspnd.*suspend/);
  });

  it.each([
    ['is not there', () => '/nowhere/stage.json'],
    ['is not JSON', () => file('name: test')],
  ])('that %s is named in the refusal', (_, path) => {
    const named = path();

    expect(() => readSettings(named)).toThrow(named);
  });
});

it('takes a new setting in one line: its function finds it', async () => {
  // Inside the project, where its packages are found.
  mkdirSync(join(ROOT, '.rollcall'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, '.rollcall', 'settings-'));
  const own = readFileSync(join(ROOT, 'shared/settings.ts'), 'utf8');
  const line = '    callsUnderWay: count.default(100),\n';
  writeFileSync(join(folder, 'settings.ts'), own.replace(line, `${line}    tea: z.string().default('green'),\n`));
  for (const imported of ['errors.ts', 'network-settings.ts', 'notice.ts'])
    writeFileSync(join(folder, imported), readFileSync(join(ROOT, 'shared', imported)));

  const changed = (await import(join(folder, 'settings.ts'))) as typeof import('../../shared/settings.ts');
  const text = changed.writeEnvironment('worker', changed.completeSettings({ worker: { tea: 'black' } }), RESOURCES);

  expect(changed.readEnvironment('worker', { ROLLCALL: text }).settings.worker).toHaveProperty('tea', 'black');
  rmSync(folder, { recursive: true });
});

describe('a function', () => {
  it('finds the sections and resources that it uses, and no others', () => {
    const environment = { ROLLCALL: writeEnvironment('worker', completeSettings(), RESOURCES) };

    const { settings, resources } = readEnvironment('worker', environment);

    expect(settings).toEqual({ worker: completeSettings().worker });
    expect(resources).not.toHaveProperty('inbox');
    expect(resources.tasks).toBe('tasks');
  });

  it.each([
    ['no variable', undefined],
    ['a variable that is no JSON', 'green'],
    ['a setting of another version', JSON.stringify({ settings: { worker: { tea: 'green' } }, resources: RESOURCES })],
    ['a resource too few', JSON.stringify({ settings: {}, resources: { results: 'results' } })],
  ])('says what to do about %s', (_, text) => {
    expect(() => readEnvironment('worker', { ROLLCALL: text })).toThrow(
      /worker's environment variable ROLLCALL.*Deploy the stack again/,
    );
  });
});

function settingsOf(settings: object): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'object' && !Array.isArray(value) ? settingsOf(value as object) : [name],
  );
}
