import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

import { PEOPLE } from '../../local/atlassian/seeds/default-people.ts';
import type { Ended } from './commands-on-a-stack.ts';

const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-run-approval-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ADMIN_NAME = 'Emil Sorensen'; // of the group org-admins, so protected
const active = PEOPLE.filter(({ name }) => name !== ADMIN_NAME).slice(-12);

/** More than may go at once: 12 of 37 active people. */
const TOO_MANY = write('too-many.csv', active);
const FEW = write('few.csv', active.slice(0, 3));

it('shows the plan of a dry run, changes nothing, and exits with 0 when no row would be refused', async () => {
  const { code, stdout } = await run(FEW, '--dry-run', '--reason', 'they left', '--out', join(folder, 'dry'));

  expect(code).toBe(0);
  expect(stdout).toMatch(/^few-\w{12}: completed \(dry run\)\. 3 rows: 3 unprocessed\.\n {2}Plan: 3 to change\./);
  expect(stdout).toContain(`    line 2  ${active[0]?.email}: access: active -> suspended\n`);
  expect(readSummary('dry')).toMatchObject({ mode: 'dry-run', reason: 'they left', counts: { changed: 0 } });
}, 60_000);

it('exits with 2 when a dry run would refuse a row', async () => {
  const path = write('refused.csv', [...active.slice(0, 1), { email: 'nobody.knows@example.com' }]);

  expect((await run(path, '--dry-run', '--out', join(folder, 'refused'))).code).toBe(2);
}, 60_000);

it('ends with 3 and says what approves it, where nobody can be asked (promise 3)', async () => {
  const { code, stdout } = await run(TOO_MANY, '--yes', '--out', join(folder, 'waits'));

  expect(code).toBe(3);
  expect(stdout).toContain('TOO_MANY_PEOPLE: The job takes access away from, or renames, 12 people');
  expect(stdout).toContain('nothing was changed.');
  expect(stdout).toContain('run the command again with\n    --accept TOO_MANY_PEOPLE\n');
  expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  expect(readSummary('waits')).toMatchObject({ state: 'waiting', counts: { changed: 0 } });
  expect(readdirSync(join(folder, 'waits'))).toContain('plan.csv');
}, 60_000);

it('applies a plan whose reasons to wait are accepted by name', async () => {
  const words = ['--yes', '--accept', 'TOO_MANY_PEOPLE', '--out', join(folder, 'accepted')];

  const { code, stdout } = await run(TOO_MANY, ...words);

  expect(code).toBe(0);
  expect(stdout.indexOf('Plan: 12 to change')).toBeLessThan(stdout.indexOf('completed. 12 rows: 12 changed.'));
  expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  expect(readSummary('accepted')).toMatchObject({ state: 'completed', counts: { changed: 12 } });
}, 60_000);

it('runs what the policy lets run without being asked', async () => {
  const { code, stdout } = await run(FEW, '--out', join(folder, 'few'));

  expect(code).toBe(0);
  expect(stdout).toMatch(/completed\. 3 rows: 3 changed\.\n {2}Plan: 3 to change\..*\n/);
  expect(readSummary('few')).toMatchObject({ actors: [{ action: 'upload' }] });
}, 60_000);

it('cannot approve its own file where the policy asks for two persons, and says so', async () => {
  const stage = join(folder, 'two-persons.json');
  writeFileSync(stage, JSON.stringify({ policy: { rules: [{ twoPersons: true }] } }));
  const words = ['--yes', '--accept', 'TOO_MANY_PEOPLE', '--stage', stage, '--out', join(folder, 'two')];

  const { code, stdout } = await run(TOO_MANY, ...words);

  expect(code).toBe(3);
  expect(stdout).toContain('The policy asks for two persons: use a pipeline where another can `approve` it.');
}, 60_000);

const SCRIPT = '/usr/bin/script';

it.skipIf(process.platform !== 'linux' || !existsSync(SCRIPT)).each([
  ['applies it after each yes', ['y', 'yes'], 'completed. 12 rows: 12 changed.', 0],
  ['does nothing after a no', ['n'], 'waits for approval', 3],
])(
  'asks on a terminal, first for the reason by its name and then for the changes, and %s',
  async (_, answers, said, code) => {
    const command = [process.execPath, COMMAND, 'run', TOO_MANY, '--operation', 'suspend'];
    const child = spawn(SCRIPT, ['-qec', command.join(' '), '/dev/null'], { cwd: folder });
    const left = [...answers];
    let [screen, questions] = ['', 0];
    child.stdout.on('data', (bytes: Buffer) => {
      screen += bytes.toString();
      if (screen.split('(y/N)').length - 1 === questions) return;
      questions += 1;
      child.stdin.write(`${left.shift()}\n`);
    });

    const [exitCode] = await once(child, 'exit');

    expect(screen.indexOf('Plan: 12 to change')).toBeLessThan(screen.indexOf('Accept TOO_MANY_PEOPLE? (y/N)'));
    expect(screen.includes('Apply 12 changes? (y/N)')).toBe(code === 0);
    expect(screen).toContain(said);
    expect(exitCode).toBe(code);
  },
  60_000,
);

function write(name: string, people: readonly { readonly email: string }[]): string {
  const path = join(folder, name);
  writeFileSync(path, ['email', ...people.map(({ email }) => email), ''].join('\n'));
  return path;
}

const readSummary = (out: string): unknown => JSON.parse(readFileSync(join(folder, out, 'summary.json'), 'utf8'));

function run(path: string, ...words: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const all = [COMMAND, 'run', path, '--operation', 'suspend', ...words];
    const child = execFile(process.execPath, all, { cwd: folder }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
