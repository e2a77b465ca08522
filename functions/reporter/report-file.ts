import type { ObjectStore } from '../../shared/ports.ts';

/** A file that is stored while it is written, line by line. */
export interface ReportFile {
  /** Gives a promise now and then, when the store has to catch up: await it before the next line. */
  readonly write: (line: string) => Promise<void> | undefined;
  /** Resolves once the whole file is stored. */
  readonly close: () => Promise<void>;
  /** Leaves whatever was stored under the key as it was. */
  readonly abandon: (reason: unknown) => Promise<void>;
}

/** Characters that are handed on at a time, and how many such pieces may wait. */
const PIECE = 65_536;
const PIECES_WAITING = 4;

/** Opens a file for text, with bounded memory however long it becomes. */
export function openReportFile(store: ObjectStore, key: string): ReportFile {
  const { readable, writable } = new TransformStream<string, string>(
    {},
    new CountQueuingStrategy({ highWaterMark: PIECES_WAITING }),
  );
  const writer = writable.getWriter();
  let piece = '';

  // A store that fails without reading on would otherwise leave the writer waiting for it for ever.
  const stored = store.writeStream(key, readable).catch(async (error: unknown) => {
    await writer.abort(error).catch(() => undefined);
    throw error;
  });
  stored.catch(() => undefined); // whoever closes or abandons the file hears of it

  const flush = (): Promise<void> => {
    const text = piece;
    piece = '';
    return writer.write(text);
  };

  return {
    write: (line) => {
      piece += line;
      return piece.length < PIECE ? undefined : flush();
    },
    close: async () => {
      await flush();
      await writer.close();
      await stored;
    },
    abandon: async (reason) => {
      await writer.abort(reason).catch(() => undefined);
      await stored.catch(() => undefined);
    },
  };
}
