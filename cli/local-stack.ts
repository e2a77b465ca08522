import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

import { assemble } from '../local/assembly.ts';
import { startStack, type Connection, type LocalStack, type StackOptions } from '../local/stack.ts';
import type { Settings } from '../shared/settings.ts';
import { CommandFailed } from './failures.ts';
import { codeOf, describeSystemError } from './system-errors.ts';
import { isAlive, removeLeftovers } from './temporary-folder.ts';

interface StartOptions extends Omit<StackOptions, 'synthesized'> {
  readonly settings: Settings;
  /** Aborted when a signal ends the command. */
  readonly ending: AbortSignal;
}

type Use = (stack: LocalStack) => Promise<number>;

/** Starts a stack, closes it after `use`, and gives the exit code of `use`, or 1 when a function made a call that its role does not allow. */
export async function withStack(options: StartOptions, use: Use): Promise<number> {
  try {
    return await startAndUse(options, use);
  } catch (error) {
    // Ctrl-C ends the bundler, too, and whatever fails thereby fails because of it.
    if (options.ending.aborted && !(error instanceof CommandFailed)) throw options.ending.reason;
    throw error;
  }
}

async function startAndUse({ settings, ending, ...options }: StartOptions, use: Use): Promise<number> {
  removeLeftovers();
  const stack = await startStack({ say: console.error, ...options, synthesized: await assemble(settings) });
  let code: number;
  try {
    ending.throwIfAborted();
    code = await use(stack);
  } finally {
    await stack.close();
  }
  const violations = stack.violations();
  if (violations.length === 0) return code;
  console.error('Functions made calls that their roles do not allow:');
  for (const { caller, action, resource } of violations) console.error(`  ${caller}: ${action} on ${resource}`);
  return 1;
}

/** Reads a connection out of whatever holds one. */
export const connectionSchema = z.object({
  s3: z.string(),
  sqs: z.string(),
  sns: z.string(),
  secretsManager: z.string(),
  lambda: z.string(),
  atlassian: z.string().optional(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  inboxBucket: z.string(),
  resultsBucket: z.string(),
  deadLetterQueueUrl: z.string(),
  intakeFunctionName: z.string(),
  secretPrefix: z.string(),
  targets: z.array(z.string()),
});
const runningSchema = z.object({ pid: z.int(), connection: connectionSchema.optional() });

/** Claims a folder for a stack of this process: a folder's state has one owner. Throws CommandFailed when it has one already. */
export function claimFolder(
  folder: string,
  writeFile = writeFileSync,
): {
  readonly announce: (connection: Connection) => void;
  readonly release: () => void;
} {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const other = readRunning(folder);
  if (other && other.pid !== process.pid && isAlive(other.pid)) throw alreadyRunning(folder, other.pid);
  if (existsSync(pathIn(folder))) rmSync(pathIn(folder)); // of one that was killed
  const write = (flag: 'w' | 'wx', connection?: Connection): void =>
    // Only its owner may read it: the key to the stack is in it.
    writeFile(pathIn(folder), JSON.stringify({ pid: process.pid, connection }), { mode: 0o600, flag });
  try {
    write('wx');
  } catch (error) {
    // Another has started in the same moment.
    if (codeOf(error) === 'EEXIST') throw alreadyRunning(folder, readRunning(folder)?.pid);
    removeUnlessRefused(pathIn(folder)); // a full disk may have taken its name alone
    throw error;
  }
  return { announce: (connection) => write('w', connection), release: () => removeUnlessRefused(pathIn(folder)) };
}

const alreadyRunning = (folder: string, pid: number | undefined): CommandFailed =>
  new CommandFailed(
    `A local stack is already running in ${folder}${pid === undefined ? '' : ` (process ${pid})`}. Stop it, or choose another folder with --folder.`,
  );

/** What stays on a read-only disk names a process that is dead by then. */
function removeUnlessRefused(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (describeSystemError(error) === undefined) throw error;
  }
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

const pathIn = (folder: string): string => join(folder, 'stack.json');
