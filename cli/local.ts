import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Command } from 'commander';

import { assemble } from '../local/assembly.ts';
import { startStack } from '../local/stack.ts';
import { completeSettings } from '../shared/settings.ts';
import { readSettings } from '../infra/stage.ts';
import { endingSignal } from './ending-signal.ts';
import { CommandFailed } from './failure.ts';
import { claimFolder, connectionSchema } from './running-stack.ts';
import { readTargetFile } from './target-file.ts';
import { reportViolations } from './violations.ts';

interface LocalOptions {
  readonly port?: string;
  readonly targetFile: readonly string[];
  readonly folder: string;
  readonly stage?: string;
}

/** `local`: keeps the stack running until it is told to end; its first line on stdout says where everything is. */
export const addLocal = (program: Command): Command =>
  program
    .command('local')
    .description('keep the whole pipeline running on this machine')
    .option('--port <n>', 'the port of S3; SQS, Secrets Manager and the simulator take the three after it')
    .option(
      '--target-file <secret.json>',
      "a real target's secret, named as the file is; may be given several times",
      (path: string, paths: readonly string[]) => [...paths, path],
      [],
    )
    .option('--folder <dir>', 'where its state is kept', '.rollcall')
    .option('--stage <settings.json>', 'settings of the stage, instead of the defaults')
    .action(async (options: LocalOptions) => {
      process.exitCode = await local(options);
    });

async function local({ port, targetFile, folder, stage }: LocalOptions): Promise<number> {
  const files = targetFile.map(readTargetFile);
  const ports = portsFrom(port);
  await checkFree(Object.values(ports));
  const settings = stage === undefined ? completeSettings() : readSettings(stage);
  const claim = claimFolder(folder);
  try {
    const synthesized = await assemble(settings);
    const ending = endingSignal();
    const targets = Object.fromEntries(files.map(({ name, secret }) => [name, secret]));
    const stack = await startStack({ folder, synthesized, targets, ports });
    const connection = connectionSchema.parse(stack);
    claim.announce(connection);
    console.log(JSON.stringify(connection));
    if (!ending.aborted) await once(ending, 'abort');
    await stack.close();
    return reportViolations(stack, console.error) ? 1 : 0;
  } finally {
    claim.release();
  }
}

function portsFrom(port: string | undefined) {
  if (port === undefined) return {};
  const first = Number(port);
  if (!Number.isInteger(first) || first < 1 || first > 65_532) {
    throw new CommandFailed(`--port is "${port}"; a number from 1 to 65532 was expected.`);
  }
  return { s3: first, sqs: first + 1, secretsManager: first + 2, atlassian: first + 3 };
}

/** Throws CommandFailed that names every port that somebody listens on already. */
async function checkFree(ports: readonly number[]): Promise<void> {
  const taken: number[] = [];
  for (const port of ports) if (!(await isFree(port))) taken.push(port);
  if (taken.length === 0) return;
  const which = taken.length === 1 ? `Port ${taken[0]} is` : `Ports ${taken.join(', ')} are`;
  throw new CommandFailed(`${which} taken; choose another with --port.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
