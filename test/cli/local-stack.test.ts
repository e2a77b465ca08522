import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { claimFolder, findRunning } from '../../cli/local-stack.ts';

const CONNECTION = {
  s3: 'http://127.0.0.1:1',
  sqs: 'http://127.0.0.1:2',
  sns: 'http://127.0.0.1:5',
  secretsManager: 'http://127.0.0.1:3',
  lambda: 'http://127.0.0.1:4',
  region: 'us-east-1',
  accessKeyId: 'LOCAL',
  secretAccessKey: 'secret',
  inboxBucket: 'inbox',
  resultsBucket: 'results',
  deadLetterQueueUrl: 'http://127.0.0.1:2/000000000000/dead',
  intakeFunctionName: 'Rollcall-Intake:stop',
  secretPrefix: 'rollcall/',
  targets: ['cloud'],
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-running-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('lets other commands find a stack once it is up, until it is down', () => {
  const claim = claimFolder(folder);
  expect(findRunning(folder)).toBeUndefined();

  claim.announce(CONNECTION);
  expect(findRunning(folder)).toEqual(CONNECTION);

  claim.release();
  expect(findRunning(folder)).toBeUndefined();
});

it('keeps the key to itself', () => {
  claimFolder(folder).announce(CONNECTION);

  expect(statSync(join(folder, 'stack.json')).mode & 0o077).toBe(0);
});

it('takes a folder whose stack was killed while it wrote who it is', () => {
  writeFileSync(join(folder, 'stack.json'), '{"pid":1');

  claimFolder(folder).release();

  expect(findRunning(folder)).toBeUndefined();
});

it('leaves no claim where a full disk has taken its name alone', () => {
  const writeName: typeof writeFileSync = (path, _, options) => {
    writeFileSync(path, '', options);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };

  expect(() => claimFolder(folder, writeName)).toThrow('ENOSPC');

  expect(readdirSync(folder)).toEqual([]);
});

it('refuses a folder that a living stack has claimed, and takes one whose stack was killed', () => {
  writeFileSync(join(folder, 'stack.json'), JSON.stringify({ pid: process.ppid }));
  expect(() => claimFolder(folder)).toThrow(`process ${process.ppid}`);

  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  writeFileSync(join(folder, 'stack.json'), JSON.stringify({ pid: dead, connection: CONNECTION }));
  expect(findRunning(folder)).toBeUndefined();
  claimFolder(folder);
  expect(JSON.parse(readFileSync(join(folder, 'stack.json'), 'utf8'))).toEqual({ pid: process.pid });
});
