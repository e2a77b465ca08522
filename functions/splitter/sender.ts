import type { Message, Queue } from '../../shared/ports.ts';

const MESSAGES_PER_SEND = 100;
/** More would find no processor time, and what is under way outlives the garbage collector's turns. */
const SENDS_UNDER_WAY = 2;

/** Sends messages by the hundred while more are being made. */
export interface Sender {
  /** Waits while enough is under way; throws what an earlier send threw. */
  readonly add: (message: Message) => Promise<void>;
  /** Resolves once everything is accepted. */
  readonly finish: () => Promise<void>;
}

export function createSender(queue: Queue): Sender {
  let waiting: Message[] = [];
  let failure: { readonly error: unknown } | undefined;
  const underWay = new Set<Promise<void>>();

  const send = (): void => {
    const sending = queue
      .send(waiting)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
    waiting = [];
  };

  return {
    add: async (message) => {
      waiting.push(message);
      if (waiting.length < MESSAGES_PER_SEND) return;
      send();
      if (underWay.size >= SENDS_UNDER_WAY) await Promise.race(underWay);
      if (failure) throw failure.error;
    },
    finish: async () => {
      if (waiting.length > 0) send();
      await Promise.all(underWay);
      if (failure) throw failure.error;
    },
  };
}
