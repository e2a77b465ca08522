import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { ConditionNotMet, type ObjectStore, type StoredObject } from '../../shared/ports.ts';

/** What everything that calls itself an ObjectStore does; each test gets an empty one. */
export function objectStoreContract(name: string, make: () => Promise<ObjectStore> | ObjectStore): void {
  describe(name, () => {
    it('gives back what was written, with its etag and size', async () => {
      const store = await make();

      const { etag } = await store.write('a/b.json', '{"ü":1}');

      const found = expectObject(await store.read('a/b.json'));
      expect(found).toMatchObject({ etag, bytes: 8 });
      expect(await found.text()).toBe('{"ü":1}');
    });

    it('gives a body that can be streamed', async () => {
      const store = await make();
      await store.write('bytes', Uint8Array.of(0, 255, 10, 13));

      const { body } = expectObject(await store.read('bytes'));

      expect(Buffer.concat(await body.toArray())).toEqual(Buffer.of(0, 255, 10, 13));
    });

    it('reads a key that is not there as undefined', async () => {
      const store = await make();

      expect(await store.read('nothing')).toBeUndefined();
      expect(await store.read('nothing', { from: 5 })).toBeUndefined();
      expect(await store.readIfChanged('nothing', '"etag"')).toBeUndefined();
    });

    it.each([
      [0, 'abcdef'],
      [2, 'cdef'],
      [5, 'f'],
      [6, ''],
      [600, ''],
    ])('reads from byte %i to the end', async (from, rest) => {
      const store = await make();
      const { etag } = await store.write('key', 'abcdef');

      const found = expectObject(await store.read('key', { from }));

      expect(found).toMatchObject({ bytes: rest.length, etag });
      expect(await found.text()).toBe(rest);
    });

    it('reads an empty object as one', async () => {
      const store = await make();
      await store.write('empty', '');

      expect(await expectObject(await store.read('empty')).text()).toBe('');
      expect(await expectObject(await store.read('empty', { from: 1 })).text()).toBe('');
    });

    it('reads again only what is no longer the same', async () => {
      const store = await make();
      const { etag } = await store.write('state', 'one');

      expect(await store.readIfChanged('state', etag)).toBe('unchanged');

      await store.write('state', 'two');
      const changed = await store.readIfChanged('state', etag);
      expect(changed === 'unchanged' ? changed : await changed?.text()).toBe('two');
    });

    it('creates an object once', async () => {
      const store = await make();
      await store.write('once', 'first', { ifNoneMatch: '*' });

      await expect(store.write('once', 'second', { ifNoneMatch: '*' })).rejects.toThrow(ConditionNotMet);

      expect(await expectObject(await store.read('once')).text()).toBe('first');
    });

    it('lets one of many that create the same object do so', async () => {
      const store = await make();

      const writes = await Promise.allSettled(
        ['a', 'b', 'c', 'd'].map((body) => store.write('race', body, { ifNoneMatch: '*' })),
      );

      expect(writes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('replaces only the object that was read', async () => {
      const store = await make();
      const first = await store.write('state', 'one');
      const second = await store.write('state', 'two', { ifMatch: first.etag });

      await expect(store.write('state', 'late', { ifMatch: first.etag })).rejects.toThrow(ConditionNotMet);

      expect(expectObject(await store.read('state')).etag).toBe(second.etag);
    });

    it('does not replace what was deleted meanwhile', async () => {
      const store = await make();
      const { etag } = await store.write('state', 'one');
      await store.delete('state');

      await expect(store.write('state', 'two', { ifMatch: etag })).rejects.toThrow(ConditionNotMet);
    });

    it.each([
      ['nothing', []],
      ['one small part', ['a,b\r\n', Buffer.from('ü')]],
      [
        'many megabytes',
        Array.from({ length: 120 }, (_, index) => String.fromCharCode(97 + (index % 26)).repeat(100_000)),
      ],
    ])('writes a stream of %s', async (_, parts) => {
      const store = await make();

      await store.writeStream('stream', Readable.from(parts));

      const found = expectObject(await store.read('stream'));
      const wanted = Buffer.concat(parts.map((part) => Buffer.from(part)));
      expect(Buffer.concat(await found.body.toArray()).equals(wanted)).toBe(true);
    });

    it('leaves nothing of a stream that breaks', async () => {
      const store = await make();
      const breaking = (async function* () {
        yield 'x'.repeat(6_000_000);
        throw new Error('the source broke');
      })();

      await expect(store.writeStream('broken', breaking)).rejects.toThrow('the source broke');

      expect(await store.read('broken')).toBeUndefined();
    });

    it('lists the keys under a prefix in UTF-8 order', async () => {
      const store = await make();
      const keys = ['a/é', 'a/\u{FFFD}', 'a/😀', 'a/b', 'a/b/c', 'a/B', 'b'];
      for (const key of keys) await store.write(key, '');

      expect(await listed(store, 'a/')).toEqual(['a/B', 'a/b', 'a/b/c', 'a/é', 'a/\u{FFFD}', 'a/😀']);
      expect(await listed(store, 'nothing')).toEqual([]);
    });

    it('forgets what is deleted, and does not mind deleting what is not there', async () => {
      const store = await make();
      await store.write('gone', 'x');

      await store.delete('gone');
      await store.delete('gone');

      expect(await store.read('gone')).toBeUndefined();
      expect(await listed(store, '')).toEqual([]);
    });

    it.each([
      'with space',
      'plus+sign',
      'per%cent%20',
      '../up',
      'a//b',
      'ü/日本/😀',
      'quo\'te"<&>',
      'trailing/',
      '?query#hash',
      'a\nb',
    ])('takes the key %j as it is', async (key) => {
      const store = await make();
      await store.write(key, key);

      expect(await expectObject(await store.read(key)).text()).toBe(key);
      expect(await listed(store, '')).toEqual([key]);
    });
  });
}

async function listed(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const key of store.list(prefix)) keys.push(key);
  return keys;
}

function expectObject(object: StoredObject | undefined): StoredObject {
  if (!object) throw new Error('Nothing is stored there');
  return object;
}
