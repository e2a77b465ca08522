import { describe, expect, it } from 'vitest';

import { type Message, type Queue, QueueRefused } from '../../shared/ports.ts';

/** A queue, and what a consumer would get of it now, in any order. */
export interface QueueUnderTest {
  readonly queue: Queue;
  readonly received: () => Promise<readonly Message[]>;
}

/** What everything that calls itself a Queue does; each test gets an empty one. */
export function queueContract(name: string, make: () => Promise<QueueUnderTest> | QueueUnderTest): void {
  describe(name, () => {
    it('delivers a body as JSON makes it, with its attributes', async () => {
      const { queue, received } = await make();

      await queue.send([{ body: { a: [1, 'ü', null], left: undefined }, attributes: { code: 'FORBIDDEN', none: '' } }]);

      expect(await received()).toEqual([{ body: { a: [1, 'ü', null] }, attributes: { code: 'FORBIDDEN' } }]);
    });

    it.each([0, 1, 10, 11, 95])('delivers each of %i messages', async (count) => {
      const { queue, received } = await make();

      await queue.send(Array.from({ length: count }, (_, index) => ({ body: index })));

      const bodies = (await received()).map(({ body }) => Number(body));
      expect(bodies.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
    });

    it('delivers messages that are too much for one call together', async () => {
      const { queue, received } = await make();
      const bodies = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(600_000));

      await queue.send(bodies.map((body) => ({ body })));

      expect((await received()).map(({ body }) => body).toSorted()).toEqual(bodies);
    });

    it('refuses a message of more than 1 MiB', async () => {
      const { queue, received } = await make();

      await expect(queue.send([{ body: 'x'.repeat(1_048_577) }])).rejects.toThrow(QueueRefused);

      expect(await received()).toEqual([]);
    });

    it('delivers every character that a cell may hold', async () => {
      const { queue, received } = await make();
      const body = '\u0000\u0001\u000b\u001f\u007f\u0085\ud800\udfff\ufffe\uffff😀<&>"\'';

      await queue.send([{ body }]);

      expect(await received()).toEqual([{ body }]);
    });

    it('keeps a delayed message back', async () => {
      const { queue, received } = await make();

      await queue.send([{ body: 'later', delaySeconds: 900 }, { body: 'now' }]);

      expect(await received()).toEqual([{ body: 'now' }]);
    });
  });
}
