import type { Command } from 'commander';

import { s3Client, secretsManagerClient, sqsClient } from '../shared/aws/clients.ts';
import { s3ObjectStore } from '../shared/aws/s3-object-store.ts';
import { secretsManagerTargets } from '../shared/aws/secrets-targets.ts';
import { systemClock } from '../shared/aws/system-clock.ts';
import { clientEnvironment } from '../local/aws/services.ts';
import { CommandFailed } from './failure.ts';
import { findRunning } from './running-stack.ts';

/** Options of every command that speaks to a pipeline that runs already. */
export interface AccessOptions {
  readonly folder: string;
  readonly inbox?: string;
  readonly results?: string;
  /** Of the commands about dead letters alone. */
  readonly deadLetters?: string;
}

/** A pipeline that runs already: the local stack, or one that is deployed. */
export interface Access {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly inboxBucket: string;
  readonly resultsBucket: string;
  readonly deadLetterQueueUrl: string;
  /** Of the local stack; those of a deployed pipeline are not known here. */
  readonly targets?: readonly string[];
}

const FOLDER = '.rollcall';

/** What an argument that names a job may be. */
export const JOB = "the job's id, or the twelve characters at its end that logs show";

/** Adds the options that say which pipeline is meant. */
export const withAccess = (command: Command): Command =>
  command
    .option('--inbox <bucket>', 'the inbox bucket of a deployed pipeline (its output InboxBucketName)')
    .option('--results <bucket>', 'the results bucket of a deployed pipeline (its output ResultsBucketName)')
    .option('--folder <dir>', 'the folder of the local stack', FOLDER);

/** Finds the pipeline: a deployed one when its buckets are named, with the standard AWS settings, else the running local stack. */
export function openAccess(options: AccessOptions, environment: Access['environment']): Access {
  const { folder, inbox, results, deadLetters } = options;
  if (inbox !== undefined || results !== undefined || deadLetters !== undefined) {
    return {
      environment,
      inboxBucket: inbox ?? '',
      resultsBucket: results ?? '',
      deadLetterQueueUrl: deadLetters ?? '',
    };
  }
  const running = findRunning(folder);
  if (!running) {
    throw new CommandFailed(
      `No local stack is running in ${folder}. Start one by \`npm run rollcall -- local\`, or name what belongs to a deployed pipeline by the options that --help lists.`,
    );
  }
  return {
    environment: clientEnvironment(running),
    inboxBucket: running.inboxBucket,
    resultsBucket: running.resultsBucket,
    deadLetterQueueUrl: running.deadLetterQueueUrl,
    targets: running.targets,
  };
}

/** The inbox bucket; throws CommandFailed when it was not named. */
export function inboxOf({ environment, inboxBucket }: Access) {
  const bucket = named(inboxBucket, '--inbox');
  const client = s3Client(environment);
  return { client, bucket, store: s3ObjectStore({ client, bucket }) };
}

/** The results bucket; throws CommandFailed when it was not named. */
export const resultsOf = ({ environment, resultsBucket }: Access) =>
  s3ObjectStore({ client: s3Client(environment), bucket: named(resultsBucket, '--results') });

/** The dead-letter queue; throws CommandFailed when it was not named. */
export const deadLettersOf = ({ environment, deadLetterQueueUrl }: Access) => ({
  sqs: sqsClient(environment),
  queueUrl: named(deadLetterQueueUrl, '--dead-letters', 'dead-letter queue'),
});

/** The targets, out of Secrets Manager. */
export const targetsOf = ({ environment }: Access) =>
  secretsManagerTargets({ client: secretsManagerClient(environment), clock: systemClock });

function named(name: string, option: string, what = 'bucket'): string {
  if (name !== '') return name;
  throw new CommandFailed(`This command needs the pipeline's ${what}; name it by ${option}.`);
}
