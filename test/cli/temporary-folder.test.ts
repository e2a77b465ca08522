import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { makeTemporaryFolder, removeLeftovers } from '../../cli/temporary-folder.ts';

let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'rollcall-leftovers-'));
  vi.stubEnv('TMPDIR', temporary);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true });
});

it('removes what dead processes have left, and nothing else', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const left = join(temporary, `rollcall-run-${dead}-abc123`);
  const living = join(temporary, `rollcall-run-${process.ppid}-abc123`);
  const foreign = join(temporary, `rollcall-report-${dead}`);
  for (const folder of [left, living, foreign]) mkdirSync(join(folder, 'secrets'), { recursive: true });
  const own = makeTemporaryFolder();

  removeLeftovers();

  expect([left, living, foreign, own].map((folder) => existsSync(folder))).toEqual([false, true, true, true]);
});
