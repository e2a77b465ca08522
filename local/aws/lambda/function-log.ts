import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The logs of the functions: one file each, appended to. */
export interface FunctionLogs {
  readonly of: (functionName: string) => (text: string) => void;
  readonly close: () => Promise<void>;
}

export function openFunctionLogs(folder: string): FunctionLogs {
  mkdirSync(folder, { recursive: true });
  const streams: ReturnType<typeof createWriteStream>[] = [];
  return {
    of: (functionName) => {
      const stream = createWriteStream(join(folder, `${functionName}.log`), { flags: 'a' });
      streams.push(stream);
      return (text) => void (stream.writableEnded || stream.write(text));
    },
    close: async () => {
      await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.end(resolve))));
    },
  };
}
