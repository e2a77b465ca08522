import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InvocationFailed, startFunctionProcess } from '../../local/aws/lambda/function-process.ts';
import { createAtlassian } from '../../shared/atlassian/atlassian.ts';
import { Refusal } from '../../shared/atlassian/errors.ts';
import type { Jira } from '../../shared/atlassian/apis.ts';
import { loopbackServer } from '../shared/atlassian/loopback-server.ts';
import { cloudTarget } from '../shared/atlassian/targets.ts';

interface Call {
  readonly responseLimitBytes: number;
  readonly connections: number;
  readonly answer: (response: ServerResponse) => void;
  readonly use: (jira: Jira) => Promise<unknown>;
}

async function withJira({ responseLimitBytes, connections, answer, use }: Call): Promise<void> {
  const server = await loopbackServer((_, response) => answer(response));
  const clock = { now: () => new Date() };
  const chance = { uuid: () => 'uuid', random: () => 0.5 };
  const atlassian = createAtlassian({ clock, chance, workers: 1, responseLimitBytes, connections });
  try {
    const opened = atlassian.open(cloudTarget({ siteUrl: server.url, apiUrl: server.url }));
    if (opened.type === 'cloud') await use(opened.apis.jira);
  } finally {
    await atlassian.close();
    await server.close();
  }
}

const USER = JSON.stringify({ accountId: 'a', active: true });
const signal = AbortSignal.timeout(20_000);

/** What a look-up says whose answer has one byte more than is allowed; one byte less is read. */
export async function answerOverLimit(): Promise<string> {
  let said = '';
  for (const responseLimitBytes of [USER.length, USER.length - 1]) {
    await withJira({
      responseLimitBytes,
      connections: 1,
      answer: (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(USER),
      use: async (jira) => {
        try {
          await jira.findUser('a', signal);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          said += `${error.code}: ${error.message}`;
        }
      },
    });
  }
  return said;
}

const AT_ONCE = 3;

/** How many calls were under way at most, of many more than may be. */
export async function callsOverLimit(): Promise<string> {
  let [underWay, most, answered] = [0, 0, 0];
  await withJira({
    responseLimitBytes: 1_000,
    connections: AT_ONCE,
    answer: (response) => {
      underWay += 1;
      most = Math.max(most, underWay);
      setTimeout(() => {
        underWay -= 1;
        answered += 1;
        response.writeHead(200, { 'content-type': 'application/json' }).end(USER);
      }, 20);
    },
    use: (jira) => Promise.all(Array.from({ length: 12 }, () => jira.findUser('a', signal))),
  });
  return `${answered} of 12 calls were answered, ${most} of at most ${AT_ONCE} at once`;
}

const HOARDS = `export const handler = async () => {
  const hoard = [];
  for (;;) {
    hoard.push(Buffer.alloc(8 * 2 ** 20, 1));
    await new Promise((resume) => setTimeout(resume, 5));
  }
};`;

/** How an invocation ends whose function takes more memory than it has. */
export async function memoryOverLimit(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-memory-'));
  writeFileSync(join(folder, 'index.mjs'), HOARDS);
  const lambda = startFunctionProcess(
    {
      name: 'worker',
      label: 'worker',
      arn: 'arn',
      aliases: [],
      roleArn: 'role',
      handler: 'index.handler',
      folder,
      environment: {},
      timeoutSeconds: 30,
      memoryMegabytes: 160,
    },
    { environment: {}, log: () => undefined },
  );
  try {
    return await lambda.invoke({}).then(String, said);
  } finally {
    lambda.kill();
    rmSync(folder, { recursive: true });
  }
}

function said(error: unknown): string {
  if (!(error instanceof InvocationFailed)) throw error;
  return `${error.code}: ${error.message}`;
}
