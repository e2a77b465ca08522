import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { Command } from 'commander';

import { secretsManagerClient } from '../shared/aws/clients.ts';
import { systemChance, systemClock } from '../shared/aws/system.ts';
import { secretsManagerTargetNames } from '../shared/aws/targets.ts';
import { createAtlassian } from '../shared/atlassian/atlassian.ts';
import { checkCredentials, type Finding } from '../shared/atlassian/check-credentials.ts';
import { readTargetFile } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { addPipelineCommand, openPipeline, openTargets, type Pipeline, type PipelineOptions } from './pipeline.ts';
import { renderTable } from './show.ts';

interface TargetOptions extends PipelineOptions {
  readonly json?: boolean;
}

const SECRETS = "how targets' secrets are named in a deployed pipeline (stack output TargetSecretPrefix)";

/** `target add|check|list`: whom jobs are applied against, and whether their credentials work. */
export function addTarget(program: Command): void {
  const target = program.command('target').description('add, check or list the Atlassian sites that jobs are for');
  addPipelineCommand(target, 'add', "store a target's secret, or replace it; the target has the name of the file", {
    0: 'stored; jobs use it within a minute',
    1: 'not stored; the message says why, and shows nothing of the secret',
  })
    .argument('<target.json>', 'the secret, as docs/deployment.md describes it')
    .option('--secrets <prefix>', SECRETS)
    .action(add);
  addPipelineCommand(target, 'check', 'try the credentials of a target, or of all, with calls that only read', {
    0: 'all of them work',
    1: 'they cannot be tried; the message says why',
    2: 'some do not work, or end within 30 days',
  })
    .argument('[target]', 'the name of a target')
    .option('--secrets <prefix>', SECRETS)
    .option('--json', 'print JSON: an array of what was found')
    .action(async (name: string | undefined, options: TargetOptions) => {
      process.exitCode = await check(name, options);
    });
  addPipelineCommand(target, 'list', 'list the targets', { 0: 'listed', 1: 'not listed; the message says why' })
    .option('--secrets <prefix>', SECRETS)
    .option('--json', 'print JSON: an array of names')
    .action(list);
}

async function add(path: string, options: TargetOptions): Promise<void> {
  const { name, secret } = readTargetFile(path);
  const { environment, secretPrefix } = await openPipeline(options);
  const client = secretsManagerClient(environment);
  const isNew = await putSecret(client, `${secretPrefix}${name}`, JSON.stringify(secret));
  console.log(
    `${isNew ? 'Stored' : 'Replaced'} the secret ${secretPrefix}${name}. Delete ${path} now, and try it with \`npx rollcall target check ${name}\`.`,
  );
}

/** Gives whether there was none of that name. */
async function putSecret(client: SecretsManagerClient, name: string, text: string): Promise<boolean> {
  try {
    await client.send(new CreateSecretCommand({ Name: name, SecretString: text }));
    return true;
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
    await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: text }));
    return false;
  }
}

const listNames = ({ environment, secretPrefix: prefix }: Pipeline): Promise<readonly string[]> =>
  secretsManagerTargetNames({ client: secretsManagerClient(environment), prefix }).list();

async function list({ json, ...options }: TargetOptions): Promise<void> {
  const names = await listNames(await openPipeline(options));
  if (json) return console.log(JSON.stringify(names));
  console.log(
    names.length === 0
      ? 'There are no targets. Add one with `npx rollcall target add <target.json>`.'
      : names.join('\n'),
  );
}

const RESPONSE_LIMIT_BYTES = 8 * 2 ** 20;

async function check(name: string | undefined, { json, ...options }: TargetOptions): Promise<number> {
  const pipeline = await openPipeline(options);
  const known = await listNames(pipeline);
  const names = name === undefined ? known : known.filter((one) => one === name);
  if (names.length === 0)
    throw new CommandFailed(
      name === undefined
        ? 'There are no targets. Add one with `npx rollcall target add <target.json>`.'
        : `There is no target ${name}; ${known.length === 0 ? 'there is none at all' : `one of ${known.join(', ')} was expected`}.`,
    );
  const atlassian = createAtlassian({
    clock: systemClock,
    chance: systemChance,
    workers: 1,
    responseLimitBytes: RESPONSE_LIMIT_BYTES,
  });
  const ports = { targets: openTargets(pipeline), atlassian, clock: systemClock };
  const findings: Finding[] = [];
  for (const one of names) findings.push(...(await checkCredentials(one, ports)));
  await atlassian.close();
  console.log(json ? JSON.stringify(findings) : describe(names, findings));
  return findings.length > 0 ? 2 : 0;
}

function describe(names: readonly string[], findings: readonly Finding[]): string {
  const sound = names.filter((name) => !findings.some(({ target }) => target === name));
  const told = findings.flatMap(({ target, code, message, remedy }) => [
    `${target}: ${code === undefined ? '' : `${code}: `}${message}`,
    `  ${remedy}`,
  ]);
  return [
    ...(sound.length > 0
      ? [
          renderTable(
            ['target', 'credentials'],
            sound.map((name) => [name, 'work']),
          ),
        ]
      : []),
    ...told,
  ].join('\n');
}
