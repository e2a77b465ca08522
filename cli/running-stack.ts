import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

import type { Connection } from '../local/stack.ts';
import { CommandFailed } from './failure.ts';

/** Reads a connection out of whatever holds one. */
export const connectionSchema = z.object({
  s3: z.string(),
  sqs: z.string(),
  secretsManager: z.string(),
  atlassian: z.string().optional(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  inboxBucket: z.string(),
  resultsBucket: z.string(),
  deadLetterQueueUrl: z.string(),
  targets: z.array(z.string()),
});
const runningSchema = z.object({ pid: z.int(), connection: connectionSchema.optional() });

const pathIn = (folder: string): string => join(folder, 'stack.json');

/** Claims a folder for a stack of this process: a folder's state has one owner. Throws CommandFailed when it has one already. */
export function claimFolder(folder: string): {
  readonly announce: (connection: Connection) => void;
  readonly release: () => void;
} {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const other = readRunning(folder);
  if (other && other.pid !== process.pid && isAlive(other.pid)) {
    throw new CommandFailed(
      `A local stack is running in ${folder} already (process ${other.pid}). Stop that one, or name another folder by --folder.`,
    );
  }
  const write = (connection?: Connection): void =>
    // Only its owner may read it: the key to the stack is in it.
    writeFileSync(pathIn(folder), JSON.stringify({ pid: process.pid, connection }), { mode: 0o600 });
  write();
  return { announce: write, release: () => rmSync(pathIn(folder), { force: true }) };
}

/** The stack that runs in a folder; `undefined` when none does. */
export function findRunning(folder: string): Connection | undefined {
  const running = readRunning(folder);
  return running && isAlive(running.pid) ? running.connection : undefined;
}

function readRunning(folder: string): z.infer<typeof runningSchema> | undefined {
  try {
    return runningSchema.safeParse(JSON.parse(readFileSync(pathIn(folder), 'utf8'))).data;
  } catch {
    return undefined; // none has run here, or one was killed while it wrote
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
