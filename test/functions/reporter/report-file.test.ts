import { describe, expect, it } from 'vitest';

import { openReportFile } from '../../../functions/reporter/report-file.ts';
import type { ObjectStore } from '../../../shared/ports.ts';
import { memoryObjectStore } from '../../fakes/memory-object-store.ts';

const LONG_LINE = `${'x'.repeat(99_998)}\r\n`;

describe('a file of a report', () => {
  it('holds what was written, however long', async () => {
    const store = memoryObjectStore();
    const file = openReportFile(store, 'results.csv');

    for (let line = 0; line < 50; line += 1) await file.write(LONG_LINE);
    await file.close();

    expect(store.textOf('results.csv')).toBe(LONG_LINE.repeat(50));
  });

  it('lets its writer wait for a store that does not keep up', async () => {
    const { promise: mayRead, resolve: readNow } = Promise.withResolvers<void>();
    const memory = memoryObjectStore();
    const store: ObjectStore = {
      ...memory,
      writeStream: async (key, body) => (await mayRead, memory.writeStream(key, body)),
    };
    const file = openReportFile(store, 'results.csv');
    let written = 0;

    const writing = (async () => {
      for (; written < 50; written += 1) await file.write(LONG_LINE);
      await file.close();
    })();
    await new Promise(setImmediate);
    const writtenUnread = written;
    readNow();
    await writing;

    expect(writtenUnread).toBeLessThan(10);
    expect(memory.textOf('results.csv')).toHaveLength(50 * LONG_LINE.length);
  });

  it('fails its writer with the reason when the store fails without reading', async () => {
    const store: ObjectStore = {
      ...memoryObjectStore(),
      writeStream: async () => {
        throw new Error('no such bucket');
      },
    };
    const file = openReportFile(store, 'results.csv');

    const writing = (async () => {
      for (let line = 0; line < 50; line += 1) await file.write(LONG_LINE);
      await file.close();
    })();

    await expect(writing).rejects.toThrow('no such bucket');
  });

  it('leaves what was stored before when it is abandoned', async () => {
    const store = memoryObjectStore({ 'results.csv': 'before' });
    const file = openReportFile(store, 'results.csv');

    await file.write(LONG_LINE);
    await file.abandon(new Error('the manifest broke off'));

    expect(store.textOf('results.csv')).toBe('before');
  });
});
