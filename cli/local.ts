import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Command } from 'commander';

import type { Published } from '../local/aws/sns.ts';
import { noticeSchema, renderLine } from '../shared/notice.ts';
import { addCommand, readStage, readTargetFile } from './arguments.ts';
import { catchSignals, CommandFailed } from './failures.ts';
import { claimFolder, connectionSchema, withStack } from './local-stack.ts';

interface LocalOptions {
  readonly port?: string;
  readonly targetFile?: readonly string[];
  readonly folder: string;
  readonly stage?: string;
}

/** `local`: keeps the stack running until a signal ends it; its first line on stdout says where everything is. */
export const addLocal = (program: Command): Command =>
  addCommand(program, 'local', 'run the whole pipeline on this machine until Ctrl-C', {
    0: 'ended by Ctrl-C, SIGTERM or SIGHUP',
    1: 'did not start, or a function made a call that its role does not allow',
  })
    .option('--port <n>', 'port of S3; SQS, Secrets Manager, the simulator, Lambda and SNS take the next five')
    .option(
      '--target-file <secret.json>',
      "a real target's secret; the target has the name of the file; can be given several times",
      (path: string, paths: readonly string[] | undefined) => [...(paths ?? []), path],
    )
    .option('--folder <dir>', 'where its state is kept', '.rollcall')
    .option('--stage <settings.json>', 'stage settings instead of the defaults')
    .action(async (options: LocalOptions) => {
      process.exitCode = await runLocal(options);
    });

async function runLocal({ port, targetFile = [], folder, stage }: LocalOptions): Promise<number> {
  const files = targetFile.map(readTargetFile);
  const ports = parsePorts(port);
  const settings = readStage(stage);
  const targets = Object.fromEntries(files.map(({ name, secret }) => [name, secret]));
  const claim = claimFolder(folder);
  const ending = catchSignals();
  try {
    await checkFree(Object.values(ports));
    return await withStack({ folder, settings, targets, ports, ending, published: showNotice }, async (stack) => {
      const connection = connectionSchema.parse(stack);
      claim.announce(connection);
      console.log(JSON.stringify(connection));
      if (!ending.aborted) await once(ending, 'abort');
      return 0;
    });
  } finally {
    claim.release();
  }
}

/** What subscribers of a deployed stack would get, as a line: stdout is for the connection. */
function showNotice({ messages }: Published): void {
  const notice = noticeSchema.safeParse(JSON.parse(messages['default'] ?? 'null'));
  if (notice.success) console.error(renderLine(notice.data));
}

function parsePorts(port: string | undefined) {
  if (port === undefined) return {};
  const first = Number(port);
  if (!Number.isInteger(first) || first < 1 || first > 65_530) {
    throw new CommandFailed(`--port is "${port}"; a number from 1 to 65530 was expected.`);
  }
  return {
    s3: first,
    sqs: first + 1,
    secretsManager: first + 2,
    atlassian: first + 3,
    lambda: first + 4,
    sns: first + 5,
  };
}

/** Throws CommandFailed that names every port that is in use. */
async function checkFree(ports: readonly number[]): Promise<void> {
  const taken: number[] = [];
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening').catch(() => taken.push(port));
    server.close();
  }
  if (taken.length === 0) return;
  throw new CommandFailed(
    `Ports in use: ${taken.join(', ')}; six free ports in a row were expected. Choose others with --port.`,
  );
}
