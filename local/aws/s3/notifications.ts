import { setTimeout as sleep } from 'node:timers/promises';

import type { Bucket } from './bucket.ts';
import type { Created } from './bucket-record.ts';

const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** Tells of new objects, each until it is heard: what is untold when the process dies is told at the next start. */
export interface Notifications {
  readonly announce: (bucket: Bucket, created: Created) => void;
  /** Gives up what is not heard yet; the log keeps it. */
  readonly close: () => Promise<void>;
}

export function startNotifications(tell: (created: Created) => Promise<void>): Notifications {
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();
  return {
    announce: (bucket, created) => {
      const telling = tellUntilHeard(bucket, created, { tell, signal: closing.signal });
      underWay.add(telling);
      void telling.finally(() => underWay.delete(telling));
    },
    close: async () => {
      closing.abort();
      await Promise.all(underWay);
    },
  };
}

interface Telling {
  readonly tell: (created: Created) => Promise<void>;
  readonly signal: AbortSignal;
}

async function tellUntilHeard(bucket: Bucket, created: Created, { tell, signal }: Telling): Promise<void> {
  for (let pauseMs = PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      await tell(created);
      bucket.append({ type: 'told', id: created.id });
      return;
    } catch {
      // Whatever went wrong, S3 would try again; that the server closes is the only other end.
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
