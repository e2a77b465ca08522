import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

import { buildFolder, buildOnce } from '../../infra/build-cache.ts';

const BUILD = { kind: 'bundles', sources: ['infra', 'package-lock.json'], settings: 'worker' };

it('names a build by what it is made of', () => {
  expect(buildFolder(BUILD)).toBe(buildFolder({ ...BUILD }));
  expect(buildFolder(BUILD)).not.toBe(buildFolder({ ...BUILD, settings: 'splitter' }));
  expect(buildFolder(BUILD)).not.toBe(buildFolder({ ...BUILD, sources: ['infra'] }));
});

it('builds what does not exist, and only that', () => {
  const folder = join(temporaryFolder(), 'kind', 'build');

  buildOnce(folder, writing('first'));
  buildOnce(folder, writing('second'));

  expect(readFileSync(join(folder, 'text'), 'utf8')).toBe('first');
});

it('leaves nothing of a build that failed', () => {
  const parent = temporaryFolder();
  const failing = (unfinished: string): void => {
    writing('half')(unfinished);
    throw new Error('out of paper');
  };

  expect(() => buildOnce(join(parent, 'build'), failing)).toThrow('out of paper');

  expect(readdirSync(parent)).toEqual([]);
});

it('takes what another process has built in the meantime', () => {
  const folder = join(temporaryFolder(), 'build');
  const overtaken = (unfinished: string): void => {
    writing('ours')(unfinished);
    writing('theirs')(folder);
  };

  buildOnce(folder, overtaken);

  expect(readFileSync(join(folder, 'text'), 'utf8')).toBe('theirs');
});

const writing =
  (text: string) =>
  (folder: string): void => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'text'), text);
  };

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-build-cache-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
