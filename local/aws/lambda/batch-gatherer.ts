import type { Message } from '@aws-sdk/client-sqs';

/** Messages of one receive at most. Source: Amazon SQS API reference, ReceiveMessage. */
const RECEIVE_LIMIT = 10;
/** A synchronous invocation's payload at most, in bytes, less room for what Lambda adds. Source: Lambda quotas (6 MB). */
const PAYLOAD_LIMIT = 6_000_000 - 200_000;
/** What an event's record holds beside the body, in bytes, at a guess that is not too small. */
const RECORD_OVERHEAD = 1_000;

export interface GatherOptions {
  readonly batchSize: number;
  readonly windowMs: number;
  /** One long poll. An empty list when its wait was over. */
  readonly receive: (limit: number, signal: AbortSignal) => Promise<readonly Message[]>;
}

/**
 * Gathers messages into batches as Lambda does: a batch is given when it is full, else when its window ends, which begins with
 * its first message; without a window, with what one receive gave.
 */
export function createGatherer({ batchSize, windowMs, receive }: GatherOptions): {
  readonly next: (signal: AbortSignal) => Promise<readonly Message[]>;
} {
  const held: Message[] = [];
  // A receive that is under way when a window ends is not given up, or its messages would stay hidden: they begin the next batch.
  let underWay: Promise<'received'> | undefined;

  const startReceive = (signal: AbortSignal): Promise<'received'> =>
    receive(Math.min(RECEIVE_LIMIT, Math.max(1, batchSize - held.length)), signal)
      .then((messages) => {
        held.push(...messages);
        return 'received' as const;
      })
      .finally(() => {
        underWay = undefined;
      });

  return {
    next: async (signal) => {
      let windowEnds: Timer | undefined;
      try {
        while (!signal.aborted && !isFull(held, batchSize)) {
          if (held.length > 0 && windowMs === 0) break;
          if (held.length > 0) windowEnds ??= timer(windowMs);
          if (!underWay) {
            underWay = startReceive(signal);
            underWay.catch(() => undefined); // when it fails between two batches, the next receive says so
          }
          if ((await Promise.race(windowEnds ? [underWay, windowEnds.done] : [underWay])) === 'over') break;
        }
      } finally {
        windowEnds?.clear();
      }
      return signal.aborted ? [] : held.splice(0, countThatFits(held, batchSize));
    },
  };
}

interface Timer {
  readonly done: Promise<'over'>;
  readonly clear: () => void;
}

function timer(ms: number): Timer {
  const { promise, resolve } = Promise.withResolvers<'over'>();
  const handle = setTimeout(() => resolve('over'), ms);
  return { done: promise, clear: () => clearTimeout(handle) };
}

const isFull = (held: readonly Message[], batchSize: number): boolean =>
  held.length >= batchSize || countThatFits(held, batchSize) < held.length;

function countThatFits(messages: readonly Message[], batchSize: number): number {
  let bytes = 0;
  for (const [index, message] of messages.entries()) {
    // In JSON a quotation mark or a backslash takes two bytes.
    bytes += Buffer.byteLength(JSON.stringify(message.Body ?? '')) + RECORD_OVERHEAD;
    if (index === batchSize || (index > 0 && bytes > PAYLOAD_LIMIT)) return index;
  }
  return messages.length;
}
