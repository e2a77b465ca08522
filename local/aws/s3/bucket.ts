import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { emptyBucketState, type Blob, type BucketRecord, type BucketState, type Created } from './bucket-state.ts';
import { openRecordLog, type RecordLog } from './record-log.ts';

/** One bucket on disk: a log of what happened to it, and its content in files beside that. */
export interface Bucket {
  readonly name: string;
  readonly isVersioned: boolean;
  /** Whether anybody is notified of new objects. */
  readonly notifies: boolean;
  readonly state: Omit<BucketState, 'fold' | 'records'>;
  /** Makes something so: in the log first, so that it is still so when the process is killed right after. */
  readonly append: (record: BucketRecord) => void;
  /** The file of some content, which is only an object's once a record says so. */
  readonly pathOf: (blob: Pick<Blob, 'name'>) => string;
  readonly discard: (name: string) => Promise<void>;
  /** Gives up the notifications that have not arrived yet; the log keeps them. */
  readonly close: () => Promise<void>;
}

export interface BucketOptions {
  readonly folder: string;
  readonly name: string;
  readonly isVersioned: boolean;
  /** Called after each new object until it succeeds, across restarts too; absent when nobody is notified. */
  readonly notify?: ((created: Created) => Promise<void>) | undefined;
}

/** Opens a bucket as its log left it; content that no record mentions is what a kill cut short, and is removed. */
export function openBucket({ folder, name, isVersioned, notify }: BucketOptions): Bucket {
  const home = join(folder, encodeURIComponent(name));
  const content = join(home, 'content');
  mkdirSync(content, { recursive: true, mode: 0o700 });
  const state = emptyBucketState();
  const log = reopenLog(join(home, 'log.jsonl'), state);
  removeUnmentioned(content, state);
  let isOpen = true;
  const discard = (blob: string): Promise<void> => removeUnlessRefused(join(content, blob));
  const append = (record: BucketRecord): void => {
    if (!isOpen) throw new Error(`The bucket ${name} is closed`);
    log.append(JSON.stringify(record));
    for (const blob of state.fold(record)) void discard(blob.name);
    if (record.type === 'stored' && record.created) notifications?.send(record.created);
  };
  const notifications = notify && startNotifications(notify, (id) => append({ type: 'told', id }));
  for (const created of state.untold()) notifications?.send(created);
  return {
    name,
    isVersioned,
    notifies: notify !== undefined,
    state,
    append,
    pathOf: (blob) => join(content, blob.name),
    discard,
    close: async () => {
      await notifications?.close();
      if (isOpen) log.close();
      isOpen = false;
    },
  };
}

// Every start begins with the shortest log, so it does not grow with overwrites for ever.
function reopenLog(path: string, state: BucketState): RecordLog {
  if (existsSync(path)) for (const record of recordsIn(readFileSync(path, 'utf8'))) state.fold(record);
  const lines = [...state.records()].map((record) => `${JSON.stringify(record)}\n`);
  writeFileSync(`${path}.new`, lines.join(''), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return openRecordLog(path);
}

// A last line without its end was being written when the process was killed: nobody was told that it is so.
function recordsIn(log: string): readonly BucketRecord[] {
  const lines = log.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as BucketRecord); // written by `append` alone
}

function removeUnmentioned(content: string, state: BucketState): void {
  const mentioned = new Set([...state.records()].flatMap(blobsOf).map((blob) => blob.name));
  const stray = readdirSync(content).filter((name) => !mentioned.has(name));
  for (const name of stray) void removeUnlessRefused(join(content, name));
}

// What a disk keeps that is read-only for a while goes at the next start.
const removeUnlessRefused = (path: string): Promise<void> => rm(path, { force: true }).catch(() => undefined);

const blobsOf = (record: BucketRecord): readonly Blob[] =>
  record.type === 'stored' ? record.version.blobs : record.type === 'part-stored' ? [record.part.blob] : [];

const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

function startNotifications(notify: (created: Created) => Promise<void>, sent: (id: string) => void) {
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();
  const sendUntilReceived = async (created: Created): Promise<void> => {
    for (let pauseMs = PAUSE_MS; !closing.signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        await notify(created);
        return sent(created.id);
      } catch {
        // Whatever went wrong, S3 would try again; that the server closes is the only other end.
        await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  };
  return {
    send: (created: Created): void => {
      const sending = sendUntilReceived(created);
      underWay.add(sending);
      void sending.finally(() => underWay.delete(sending));
    },
    close: async (): Promise<void> => {
      closing.abort();
      await Promise.all(underWay);
    },
  };
}
