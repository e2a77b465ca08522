import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportsOn, withReports, withSources } from './readme-sections.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = join(ROOT, 'README.md');

describe('npm start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-examples-'));
  const reports = join(folder, 'reports');
  let printed = '';

  beforeAll(async () => {
    const start = [join(ROOT, 'cli/rollcall.ts'), 'demo', '--folder', folder];
    // A run that fails, or makes a call that a role does not allow, exits with another code and rejects.
    printed = (await promisify(execFile)(process.execPath, start, { cwd: ROOT })).stdout;
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('says what became of every example and where its report lies', () => {
    for (const manifest of examples()) {
      const [target, operation] = manifest.split('/');
      expect(printed).toMatch(new RegExp(`│ ${target}/${operation} +│ completed`));
      expect(printed).toContain(join(reports, `${target}/${operation}/`));
    }
  });

  it('shows a plan that waits, why, and what approves it, in 100 columns', () => {
    expect(printed).toMatch(/: waiting\. \d+ rows: .*\n {2}Plan: \d+ to change/);
    expect(printed).toMatch(/TOO_MANY_PEOPLE: .*/);
    expect(printed).toMatch(/npx rollcall approve \S+ --accept TOO_MANY_PEOPLE/);
    expect(printed.split('\n').filter((line) => line.length > 100 && !line.includes(folder))).toEqual([]);
  });

  it('shows every example with its report in the README (npm test -- test/pipeline/examples.test.ts -u writes them)', async () => {
    const page = readFileSync(README, 'utf8');

    expect(reportsOn(page).toSorted()).toEqual(examples().toSorted());
    await expect(withSources(withReports(page, reports), ROOT)).toMatchFileSnapshot(README);
  });
});

const examples = (): readonly string[] =>
  readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.csv'));
