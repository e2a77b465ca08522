import { describe, expect, it } from 'vitest';

import type { Message } from '../../shared/ports.ts';

/** A message in somebody's hands. */
export interface Delivery {
  readonly body: unknown;
  readonly groupId: string | undefined;
  readonly receives: number;
  readonly delete: () => Promise<unknown>;
}

/** A queue from both ends, which gives messages up to another after two receives. */
export interface DeliveringQueue {
  readonly send: (messages: readonly Message[]) => Promise<void>;
  /** All that there is to receive now. */
  readonly receive: () => Promise<readonly Delivery[]>;
  readonly deadLetters: () => Promise<readonly unknown[]>;
  readonly pass: (seconds: number) => Promise<void>;
}

/** Longer than the visibility time-out of the queues under test. */
const VISIBLE_AGAIN_SECONDS = 31;
export const VISIBILITY_SECONDS = 30;
export const MAX_RECEIVES = 2;

/** What everything does that hands out the messages of a queue as SQS does; each test gets an empty one. */
export function queueDeliveryContract(
  name: string,
  make: (options: { readonly fifo: boolean }) => Promise<DeliveringQueue>,
): void {
  describe(name, () => {
    it('delivers a message again that was not deleted, when its visibility time-out is over', async () => {
      const queue = await make({ fifo: false });
      await queue.send([{ body: 1 }]);

      const [first] = await queue.receive();
      expect(first).toMatchObject({ body: 1, receives: 1 });
      expect(await queue.receive()).toEqual([]);
      await queue.pass(VISIBLE_AGAIN_SECONDS);
      expect(await queue.receive()).toMatchObject([{ body: 1, receives: 2 }]);
    });

    it('delivers no message that was deleted', async () => {
      const queue = await make({ fifo: false });
      await queue.send([{ body: 1 }, { body: 2 }]);

      for (const delivery of await queue.receive()) if (delivery.body === 1) await delivery.delete();
      await queue.pass(VISIBLE_AGAIN_SECONDS);

      expect(await queue.receive()).toMatchObject([{ body: 2 }]);
    });

    it('keeps a message whose earlier delivery is deleted', async () => {
      const queue = await make({ fifo: false });
      await queue.send([{ body: 1 }]);
      const [first] = await queue.receive();
      await queue.pass(VISIBLE_AGAIN_SECONDS);
      const [second] = await queue.receive();

      await first?.delete();
      await queue.pass(VISIBLE_AGAIN_SECONDS);
      await queue.receive();

      expect(second).toMatchObject({ body: 1 });
      expect(await queue.deadLetters()).toEqual([1]);
    });

    it.each([false, true])('gives up what was received too often (FIFO: %s)', async (fifo) => {
      const queue = await make({ fifo });
      await queue.send([{ body: 1, groupId: 'job', deduplicationId: fifo ? 'once' : undefined }]);

      for (let receives = 1; receives <= MAX_RECEIVES; receives += 1) {
        expect(await queue.receive()).toMatchObject([{ body: 1, receives }]);
        await queue.pass(VISIBLE_AGAIN_SECONDS);
      }

      expect(await queue.receive()).toEqual([]);
      expect(await queue.deadLetters()).toEqual([1]);
    });

    it('delivers nothing of a FIFO group that is in somebody’s hands, and goes on with the others', async () => {
      const queue = await make({ fifo: true });
      const sendOf = (groupId: string, body: number) =>
        queue.send([{ body, groupId, deduplicationId: `${groupId}-${body}` }]);
      await sendOf('a', 1);
      const [held] = await queue.receive();

      await sendOf('a', 2);
      await sendOf('b', 1);

      expect(await queue.receive()).toMatchObject([{ body: 1, groupId: 'b' }]);
      await held?.delete();
      expect(await queue.receive()).toMatchObject([{ body: 2, groupId: 'a' }]);
    });
  });
}
