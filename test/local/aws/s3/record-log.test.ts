import { mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { openRecordLog } from '../../../../local/aws/s3/record-log.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-log-'));
  path = join(folder, 'log.jsonl');
  writeFileSync(path, 'first\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

it.each(['a short one', 'one that is longer than what the disk has taken of the other'])(
  'writes over what a full disk has taken of a line: %s',
  (next) => {
    let room = 10;
    const log = openRecordLog(path, (file, bytes, offset, length, position) => {
      if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const written = writeSync(file, bytes, offset, Math.min(length, room), position);
      room -= written;
      return written;
    });

    expect(() => log.append('a line for which there is no room')).toThrow('ENOSPC');
    room = 1_000;
    log.append(next);
    log.append('last');
    log.close();

    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1); // what has no end was never whole
    expect(lines).toEqual(['first', next, 'last']);
  },
);

it('goes on after what the file holds', () => {
  for (const line of ['second', 'third']) {
    const log = openRecordLog(path);
    log.append(line);
    log.close();
  }

  expect(readFileSync(path, 'utf8')).toBe('first\nsecond\nthird\n');
});
