import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { CommandFailed } from '../../cli/failures.ts';
import { saveReport, makeReportFolder } from '../../cli/files.ts';
import { memoryObjectStore } from '../fakes/memory-object-store.ts';

const PREFIX = 'cloud/suspend/job-1/';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-report-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it.each(['taken', 'taken/sub'])('refuses %s, of which a part is a file', (path) => {
  writeFileSync(join(folder, 'taken'), '');

  expect(() => makeReportFolder(join(folder, path))).toThrow(CommandFailed);
});

it('leaves a report in the folder it was made for', async () => {
  const out = join(folder, 'new', 'out');
  const results = memoryObjectStore({ [`${PREFIX}results.csv`]: 'email\n' });

  makeReportFolder(out);
  const left = await saveReport(results, PREFIX, out);

  expect(left).toBe(out);
  expect(readFileSync(join(out, 'results.csv'), 'utf8')).toBe('email\n');
});

it('leaves a report elsewhere rather than nowhere when its folder cannot be written after all', async () => {
  const results = memoryObjectStore({ [`${PREFIX}results.csv`]: 'email\n' });
  mkdirSync(join(folder, 'results.csv'));

  const left = await saveReport(results, PREFIX, folder);

  expect(left).not.toBe(folder);
  expect(readFileSync(join(left, 'results.csv'), 'utf8')).toBe('email\n');
  rmSync(left, { recursive: true });
});
