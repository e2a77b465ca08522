import type { Message } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { createGatherer } from '../../../../local/aws/lambda/batch-gatherer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new AbortController().signal;

it('gives a batch at once when it is full, and keeps the rest for the next', async () => {
  const queue = scripted(messages(10), messages(10), messages(5));
  const gatherer = createGatherer({ batchSize: 20, windowMs: 1_000, receive: queue.receive });

  const first = await gatherer.next(never);

  expect(first).toHaveLength(20);
  expect(queue.limits).toEqual([10, 10]);
});

it('gives what it has when the window ends, counted from the first message', async () => {
  const queue = scripted(messages(3));
  const gatherer = createGatherer({ batchSize: 20, windowMs: 1_000, receive: queue.receive });

  const gathering = gatherer.next(never);
  await vi.advanceTimersByTimeAsync(1_000);

  expect(await gathering).toHaveLength(3);
});

it('begins the next batch with what a receive brought that was under way when the window ended', async () => {
  const queue = scripted(messages(3));
  const gatherer = createGatherer({ batchSize: 20, windowMs: 1_000, receive: queue.receive });
  const gathering = gatherer.next(never);
  await vi.advanceTimersByTimeAsync(1_000);
  await gathering;

  queue.arrive(messages(2));
  const next = gatherer.next(never);
  await vi.advanceTimersByTimeAsync(1_000);

  expect(await next).toHaveLength(2);
  expect(queue.limits).toHaveLength(3);
});

it('without a window gives what one receive gave', async () => {
  const queue = scripted([], messages(1), messages(9));
  const gatherer = createGatherer({ batchSize: 10, windowMs: 0, receive: queue.receive });

  expect(await gatherer.next(never)).toHaveLength(1);
  expect(await gatherer.next(never)).toHaveLength(9);
});

it('asks for one message when batches hold one', async () => {
  const queue = scripted(messages(1));
  const gatherer = createGatherer({ batchSize: 1, windowMs: 0, receive: queue.receive });

  await gatherer.next(never);

  expect(queue.limits).toEqual([1]);
});

it('splits what would not fit into one invocation', async () => {
  const large = messages(10, 'x'.repeat(1_000_000));
  const gatherer = createGatherer({ batchSize: 10, windowMs: 1_000, receive: scripted(large).receive });

  expect(await gatherer.next(never)).toHaveLength(5);
  const rest = gatherer.next(never);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await rest).toHaveLength(5);
});

const messages = (count: number, body = '{}'): Message[] => Array.from({ length: count }, () => ({ Body: body }));

/** Gives these answers in turn, and then waits for what arrives. */
function scripted(...answers: Message[][]) {
  const limits: number[] = [];
  let waiting: ((arrived: Message[]) => void) | undefined;
  return {
    limits,
    arrive: (arrived: Message[]): void => waiting?.(arrived),
    receive: (limit: number): Promise<Message[]> => {
      limits.push(limit);
      const answer = answers.shift();
      if (answer) return Promise.resolve(answer);
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
  };
}
