import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { watchDisk } from '../../../local/aws/disk.ts';
import { openMessageDatabase } from '../../../local/aws/sqs/message-database.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-disk-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const failed = (code: string): Error => Object.assign(new Error(`${code}: no, write`), { code });
const fail = (code: string) => (): never => {
  throw failed(code);
};

it.each([
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EROFS', 'read-only'],
])('answers 503 with what to do when the disk says %s', async (code, what) => {
  const said: string[] = [];
  const disk = watchDisk({ folder, say: (sentence) => said.push(sentence) });

  await expect(disk.serve('PUT', fail(code))).rejects.toMatchObject({
    status: 503,
    message: expect.stringMatching(`the disk is ${what}.+goes on by itself`) as string,
  });
  await expect(disk.serve('PUT', fail(code))).rejects.toMatchObject({ status: 503 });

  expect(said).toHaveLength(1);
});

it('leaves every other error as it is', async () => {
  const disk = watchDisk({ folder });

  await expect(disk.serve('PUT', fail('EIO'))).rejects.toThrow('EIO');
});

it('hands out no message until the disk takes something again, and says so', async () => {
  vi.useFakeTimers();
  let fault: Error | undefined = failed('ENOSPC');
  const said: string[] = [];
  const disk = watchDisk({ folder, fault: () => fault, say: (sentence) => said.push(sentence) });
  const receive = vi.fn<() => string>(() => 'messages');
  await expect(disk.serve('SendMessage', () => 'sent')).rejects.toMatchObject({ status: 503 });

  vi.advanceTimersByTime(1_000);
  await expect(disk.serve('ReceiveMessage', receive)).rejects.toMatchObject({ status: 503 });
  expect(await disk.serve('GET', () => 'content')).toBe('content');
  fault = undefined;
  await expect(disk.serve('ReceiveMessage', receive)).rejects.toMatchObject({ status: 503 }); // it is asked once a second
  expect(receive).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);

  expect(await disk.serve('ReceiveMessage', receive)).toBe('messages');
  expect(said).toEqual([expect.stringContaining('is full'), expect.stringContaining('goes on')]);
  expect(readdirSync(folder)).toEqual([]);
});

it('keeps the messages when SQLite finds no room for more, and takes more once there is', async () => {
  const disk = watchDisk({ folder });
  const database = openMessageDatabase(join(folder, 'messages.sqlite'), { nowMs: () => 1, changed: () => undefined });
  const text = 'x'.repeat(100_000);
  const insert = (id: number): void =>
    database.transact(() => {
      database.run("INSERT INTO sent VALUES ('q', '', :text, :id, 'm', 1)", { id, text: text + id });
    });
  const count = () => database.rows<{ n: number }>('SELECT count(*) AS n FROM sent', {});
  insert(1);
  const [pages] = database.rows<{ page_count: number }>('PRAGMA page_count', {});
  database.rows(`PRAGMA max_page_count = ${pages?.page_count}`, {});

  await expect(disk.serve('SendMessage', () => insert(2))).rejects.toMatchObject({ status: 503 });
  await expect(disk.serve('SendMessage', () => insert(3))).rejects.toMatchObject({ status: 503 });
  expect(count()).toEqual([{ n: 1 }]);
  database.rows('PRAGMA max_page_count = 100000', {});
  await disk.serve('SendMessage', () => insert(4));

  expect(count()).toEqual([{ n: 2 }]);
  database.close();
});
