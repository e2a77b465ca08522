import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));
const THIS_FILE = fileURLToPath(import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'rollcall-refusals-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.concurrent.each([
  [['run', THIS_FILE], '--operation'],
  [['run', 'missing.csv', '--operation', 'suspend'], 'missing.csv is not a file'],
  [['run', THIS_FILE, '--operation', 'suspend', '--target', 'moon'], 'cloud or data-center was expected'],
  [['run', THIS_FILE, '--operation', 'suspend', '--target-file', 'missing.json'], 'missing.json'],
  [['run', THIS_FILE, '--operation', 'suspnd'], 'There is no operation "suspnd" for a target of type cloud'],
  [
    ['run', THIS_FILE, '--operation', 'deactivate', '--target', 'data-center'],
    'for a target of type data-center; one of',
  ],
  [['run', THIS_FILE, '--operation', 'suspend', '--stage', 'nope.json'], 'nope.json'],
  [['run', THIS_FILE, '--operation', 'suspend', '--out', THIS_FILE], 'a folder that can be written to was expected'],
  [['run', THIS_FILE, '--operation', 'suspend', '--out', join(THIS_FILE, 'sub')], 'Choose one with --out'],
  [
    ['run', THIS_FILE, '--operation', 'suspend', '--accept', 'ALL'],
    'There is no reason "ALL" to wait; one of APPROVAL_REQUIRED, TOO_MANY_PEOPLE,',
  ],
  [['run', THIS_FILE, '--operation', 'suspend', '--reason', 'Kündigung'], 'write it without accents'],
  [['approve', 'job-1', '--accept', 'too_many_people'], 'There is no reason "too_many_people" to wait'],
  [['show', 'job-1'], 'No local stack is running'],
  [['local', '--port', 'any'], 'a number from 1 to 65530'],
  [['status', 'job-1'], 'No local stack is running'],
  [['pause', 'job-1'], 'No local stack is running'],
  [['verify', 'job-1'], 'No local stack is running'],
  [['presign', 'cloud/suspend'], '<target>/<operation>/<name>.csv was expected'],
  [['presign', 'cloud/suspnd/a.csv'], 'There is no operation "suspnd"'],
  [['nonsense'], 'nonsense'],
] as const)(
  'exits with 1 and says what to do: %j',
  async (words, said) => {
    const child = spawn(process.execPath, [COMMAND, ...words], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);

    expect(errors).toContain(said);
    expect(errors).not.toContain('Unexpected error');
    expect(code).toBe(1);
  },
  30_000,
);
