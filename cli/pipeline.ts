import type { Command } from 'commander';

import { clientEnvironment } from '../local/aws/services.ts';
import type { Connection } from '../local/stack.ts';
import { s3Client, secretsManagerClient, sqsClient } from '../shared/aws/clients.ts';
import { s3ObjectStore } from '../shared/aws/s3-object-store.ts';
import { secretsManagerTargets } from '../shared/aws/targets.ts';
import { systemClock } from '../shared/aws/system.ts';
import { secretPrefixOf } from '../shared/target.ts';
import { addCommand } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { findRunning } from './local-stack.ts';

/** Options of every command that talks to a running pipeline. */
export interface PipelineOptions {
  readonly folder: string;
  /** The name of a deployed stack, which knows its parts. */
  readonly stack?: string;
  readonly inbox?: string;
  readonly results?: string;
  /** Of the commands that stop a job alone. */
  readonly intake?: string;
  /** Of the commands about dead letters alone. */
  readonly deadLetters?: string;
  /** Of the commands that call Atlassian alone. */
  readonly secrets?: string;
}

/** A running pipeline: the local stack, or a deployed one. What was not named is absent. */
export interface Pipeline {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly inboxBucket?: string | undefined;
  readonly resultsBucket?: string | undefined;
  readonly deadLetterQueueUrl?: string | undefined;
  readonly intakeFunctionName?: string | undefined;
  /** What the names of the targets' secrets begin with. */
  readonly secretPrefix: string;
  /** Of the local stack; those of a deployed pipeline are not known here. */
  readonly targets?: readonly string[];
}

/** Adds a command with the options that say which pipeline is meant. */
export const addPipelineCommand = (...command: Parameters<typeof addCommand>): Command =>
  addCommand(...command)
    .option('--stack <name>', 'a deployed pipeline, by its stack, such as Rollcall (or $ROLLCALL_STACK)')
    .option('--inbox <bucket>', 'inbox bucket of a deployed pipeline (stack output InboxBucketName)')
    .option('--results <bucket>', 'results bucket of a deployed pipeline (stack output ResultsBucketName)')
    .option('--folder <dir>', 'folder of the local stack', '.rollcall');

/** Finds the pipeline: a deployed one when its stack or its parts are named, with the standard AWS settings, else the running local stack. */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { folder, inbox, results, intake, deadLetters, secrets } = options;
  const stack =
    options.stack ?? (inbox === undefined && results === undefined ? process.env['ROLLCALL_STACK'] : undefined);
  if (stack) return openStack(stack, options);
  const intakeFunctionName = intake ?? process.env['ROLLCALL_INTAKE'];
  const named = { inboxBucket: inbox, resultsBucket: results, deadLetterQueueUrl: deadLetters };
  const isNamed = intake !== undefined || Object.values(named).some((name) => name !== undefined);
  const secretPrefix = secrets ?? secretPrefixOf({});
  if (isNamed) return { ...named, environment: process.env, intakeFunctionName, secretPrefix };
  const running = findRunning(folder);
  if (running) return connectTo(running);
  throw new CommandFailed(
    `No local stack is running in ${folder}. Start one with \`npx rollcall local\`, or name a deployed pipeline with --stack (or in ROLLCALL_STACK).`,
  );
}

/** A deployed stack says itself where its parts are; what is named besides counts more. */
async function openStack(
  stack: string,
  { inbox, results, intake, deadLetters, secrets }: PipelineOptions,
): Promise<Pipeline> {
  // Loaded only here: the other commands start faster without it.
  const { findOutputs } = await import('./deployed-stack.ts');
  const outputs = await findOutputs(stack);
  return {
    environment: process.env,
    inboxBucket: inbox ?? outputs['InboxBucketName'],
    resultsBucket: results ?? outputs['ResultsBucketName'],
    deadLetterQueueUrl: deadLetters ?? outputs['DeadLetterQueueUrl'],
    intakeFunctionName: intake ?? outputs['IntakeFunctionName'],
    secretPrefix: secrets ?? outputs['TargetSecretPrefix'] ?? secretPrefixOf({}),
  };
}

/** The pipeline of a local stack. */
export const connectTo = (stack: Connection): Pipeline => ({ ...stack, environment: clientEnvironment(stack) });

/** The inbox bucket; throws CommandFailed when it was not named. */
export function openInbox({ environment, inboxBucket }: Pipeline) {
  const bucket = requireName(inboxBucket, 'inbox bucket', '--inbox');
  const client = s3Client(environment);
  return { client, bucket, store: s3ObjectStore({ client, bucket }) };
}

/** The results bucket; throws CommandFailed when it was not named. */
export const openResults = ({ environment, resultsBucket }: Pipeline) =>
  s3ObjectStore({ client: s3Client(environment), bucket: requireName(resultsBucket, 'results bucket', '--results') });

/** The dead-letter queue; throws CommandFailed when it was not named. */
export const openDeadLetterQueue = ({ environment, deadLetterQueueUrl }: Pipeline) => ({
  sqs: sqsClient(environment),
  queueUrl: requireName(deadLetterQueueUrl, 'dead-letter queue', '--dead-letters'),
});

/** The targets, out of Secrets Manager. */
export const openTargets = ({ environment, secretPrefix: prefix }: Pipeline) =>
  secretsManagerTargets({ client: secretsManagerClient(environment), clock: systemClock, prefix });

function requireName(name: string | undefined, what: string, option: string): string {
  if (name !== undefined && name !== '') return name;
  throw new CommandFailed(`This command needs the pipeline's ${what}. Name it with ${option}.`);
}
