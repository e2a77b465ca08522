import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

import { isAlive } from '../../cli/temporary-folder.ts';

const CLI = fileURLToPath(new URL('../../cli', import.meta.url));
const ROWS = 20_000;
const POLL = { timeout: 30_000 };
const folder = mkdtempSync(join(tmpdir(), 'rollcall-interrupted-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('cancels the job at Ctrl-C, leaves the report so far, and nothing of the secrets', async () => {
  const run = startRun('under-way');
  await expect.poll(() => run.hasBegun(), { timeout: 30_000 }).toBe(true);

  const { code, said } = await run.interrupt();

  expect(said).not.toContain('Unexpected error');
  expect(said).toContain('To continue, run the file again: rows that are done come out unchanged.');
  expect(code).toBe(130);
  expect(run.leftBehind()).toEqual([]);
  const summary = JSON.parse(readFileSync(join(run.out, 'summary.json'), 'utf8')) as { counts: { rows: number } }; // a Summary
  expect(summary).toMatchObject({ state: 'cancelled', counts: { failed: 0 } });
  expect(summary.counts.rows).toBe(ROWS);
}, 90_000);

it('leaves nothing behind when Ctrl-C comes while the stack starts', async () => {
  const run = startRun('starting');
  await expect.poll(() => run.leftBehind().length, { timeout: 30_000, interval: 5 }).toBe(1);

  const { code, said } = await run.interrupt();

  expect(said).not.toContain('Unexpected error');
  expect(code).toBe(130);
  expect(run.leftBehind()).toEqual([]);
}, 90_000);

it('leaves nothing that the next start does not remove when it is killed, and lets the living alone', async () => {
  const killed = startRun('killed');
  await expect.poll(() => killed.leftBehind().length, { timeout: 30_000, interval: 5 }).toBe(1);
  await killed.kill();
  const left = killed.leftBehind();
  expect(left).toHaveLength(1);

  const next = startRun('next', 'killed');
  await expect.poll(() => next.leftBehind().some((entry) => !left.includes(entry)), { timeout: 30_000 }).toBe(true);
  await expect.poll(() => next.leftBehind().length, { timeout: 30_000 }).toBe(1);
  const other = startRun('other', 'killed');
  await expect.poll(() => other.leftBehind().length, { timeout: 30_000 }).toBe(2);

  await Promise.all([next.interrupt(), other.interrupt()]);
  expect(next.leftBehind()).toEqual([]);
}, 90_000);

/** A run of many rows, in a process group and a temporary folder of its own. */
function startRun(name: string, place = name) {
  const temporary = join(folder, place);
  const out = join(folder, `${name}-report`);
  const manifest = join(folder, `${name}.csv`);
  mkdirSync(temporary, { recursive: true });
  const rows = Array.from({ length: ROWS }, (_, index) => `person.${index}@example.com,jira-software\n`);
  writeFileSync(manifest, `emailAddress,products\n${rows.join('')}`);
  const words = [join(CLI, 'node24.mjs'), join(CLI, 'rollcall.ts')];
  const child = spawn(process.execPath, [...words, 'run', manifest, '--operation', 'creation', '--yes', '--out', out], {
    cwd: folder,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const leftBehind = (): readonly string[] => readdirSync(temporary).filter((entry) => entry.startsWith('rollcall-'));
  return {
    out,
    leftBehind,
    /** Whether the worker has said what became of a batch. */
    hasBegun: () => leftBehind().some((entry) => sizeOf(join(temporary, entry, 'logs', 'worker.log')) > 0),
    /** Ends every process of the group at once. */
    kill: async () => {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await ended;
      // A process whose parent was killed with it is there until init has looked.
      await expect.poll(() => leftBehind().some((entry) => isAlive(Number(entry.split('-')[2]))), POLL).toBe(false);
    },
    /** Sends SIGINT as a terminal does: to every process of the group. */
    interrupt: async () => {
      process.kill(-(child.pid ?? 0), 'SIGINT');
      const [stdout, stderr, [code]] = await ended;
      return { code: code as number | null, said: stdout + stderr }; // what 'exit' gives
    },
  };
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
