import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { claimFolder } from '../../cli/local-stack.ts';
import { assemble } from '../../local/assembly.ts';
import { type LocalStack, startStack } from '../../local/stack.ts';
import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { completeSettings } from '../../shared/settings.ts';
import { commandsOn } from './commands-on-a-stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-target-'));
const rollcall = commandsOn(folder);
let simulator: Simulator;
let stack: LocalStack;

beforeAll(async () => {
  simulator = await startSimulator({});
  const { cloud } = simulator.targets;
  stack = await startStack({
    folder,
    synthesized: await assemble(completeSettings()),
    simulator: false,
    targets: { sound: cloud, revoked: { ...cloud, apiToken: 'revoked' }, ending: { ...cloud, expires: '2026-01-01' } },
  });
  claimFolder(folder).announce(stack);
}, 60_000);
afterAll(async () => {
  await stack.close();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const SECONDS = 30_000;

describe('target check', () => {
  it(
    'says of each target whether its credentials work, what is wrong and what to do',
    { timeout: SECONDS },
    async () => {
      const { code, stdout } = await rollcall('target', 'check');

      expect(code).toBe(2);
      expect(stdout).toMatch(/│ sound +│ work +│/);
      expect(stdout).toMatch(/^revoked: UNAUTHORIZED: apiToken: .*401/m);
      expect(stdout).toMatch(/^ending: They ended on 2026-01-01, as the secret says\.$/m);
      expect(stdout.split('\n').every((line) => !line.includes('revoked-') && !line.includes('"revoked"'))).toBe(true);
    },
  );

  it('gives JSON, and 0 where all work', { timeout: SECONDS }, async () => {
    const [bad, good] = [
      await rollcall('target', 'check', 'ending', '--json'),
      await rollcall('target', 'check', 'sound', '--json'),
    ];

    expect(JSON.parse(bad.stdout)).toMatchObject([{ target: 'ending', kind: 'expires' }]);
    expect([bad.code, good.code, JSON.parse(good.stdout)]).toEqual([2, 0, []]);
  });

  it('names the targets that there are where one is misspelt', { timeout: SECONDS }, async () => {
    const { code, stderr } = await rollcall('target', 'check', 'sond');

    expect(code).toBe(1);
    expect(stderr).toContain('There is no target sond; one of ending, revoked, sound was expected.');
  });
});

describe('target add', () => {
  const save = (name: string, secret: unknown): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(secret));
    return path;
  };

  it('stores a secret, replaces it, and lists it', { timeout: SECONDS }, async () => {
    const path = save('added.json', simulator.targets.cloud);
    const [first, second] = [await rollcall('target', 'add', path), await rollcall('target', 'add', path)];
    const listed = await rollcall('target', 'list', '--json');

    expect(first.stdout).toContain('Stored the secret rollcall/added.');
    expect(second.stdout).toContain('Replaced the secret rollcall/added.');
    expect(JSON.parse(listed.stdout)).toEqual(['added', 'ending', 'revoked', 'sound']);
    expect((await rollcall('target', 'check', 'added')).code).toBe(0);
  });

  it('refuses a secret that cannot be used, by its field and without its value', { timeout: SECONDS }, async () => {
    const { code, stderr } = await rollcall(
      'target',
      'add',
      save('odd.json', { ...simulator.targets.cloud, siteUrl: 'http://tea.example' }),
    );

    expect(code).toBe(1);
    expect(stderr).toMatch(/siteUrl: must be an https address/);
    expect(stderr).not.toContain('tea.example');
  });
});

describe('submit', () => {
  const leaver = (): string => {
    const path = join(folder, 'leaver.csv');
    writeFileSync(path, 'email\nnobody@example.com\n');
    return path;
  };

  it('uploads a file and names its job', { timeout: SECONDS }, async () => {
    const { code, stdout } = await rollcall(
      'submit',
      leaver(),
      '--target',
      'sound',
      '--operation',
      'suspend',
      '--json',
    );

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ job: expect.stringMatching(/^leaver-[0-9a-f]{12}$/) });
  });

  it('follows the job, and exits as its rows did', { timeout: SECONDS }, async () => {
    const { code, stdout } = await rollcall(
      'submit',
      leaver(),
      '--target',
      'sound',
      '--operation',
      'suspend',
      '--watch',
      '--json',
    );

    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'completed', codes: { USER_NOT_FOUND: 1 } });
  });

  it('refuses an operation that there is not, before anything is uploaded', { timeout: SECONDS }, async () => {
    const { code, stderr } = await rollcall('submit', leaver(), '--target', 'sound', '--operation', 'suspnd');

    expect(code).toBe(1);
    expect(stderr).toContain('There is no operation "suspnd"');
  });
});
