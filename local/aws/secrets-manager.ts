import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

import type { AwsCall } from './access-control.ts';
import { notImplemented, startJsonService, type JsonCall, type JsonServiceOptions } from './json-service.ts';
import { ServiceRefusal } from './service-refusal.ts';

export interface SecretsOptions extends Pick<JsonServiceOptions, 'credentials' | 'region' | 'port'> {
  readonly folder: string;
  readonly account: string;
  /** Called once for each request whose signature holds; what it throws refuses the request. */
  readonly record: (call: AwsCall) => void;
}

export interface RunningSecrets {
  readonly url: string;
  /** Gives the secret of this name this content, as JSON, whether or not it is there. */
  readonly put: (name: string, json: unknown) => void;
  readonly close: () => Promise<void>;
}

/** A Secrets Manager over a folder, on loopback. */
export async function startSecrets(options: SecretsOptions): Promise<RunningSecrets> {
  const { folder, credentials, region, account, record, port } = options;
  const arnPrefix = `arn:aws:secretsmanager:${region}:${account}:secret:`;
  const context: Context = { files: openSecretFiles(folder, arnPrefix), arnPrefix };

  const answer = ({ operation, input, accessKeyId, bytes }: JsonCall): object => {
    const prepare = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
    if (!prepare) throw notImplemented(operation);
    const { resource, run } = prepare(context, input);
    record({ service: 'secretsmanager', action: `secretsmanager:${operation}`, resource, accessKeyId, bytes });
    return run();
  };
  const service = await startJsonService({
    service: 'secretsmanager',
    protocol: '1.1',
    credentials,
    region,
    port,
    nowMs: Date.now,
    answer,
  });
  return { ...service, put: (name, json) => void context.files.put(name, JSON.stringify(json)) };
}

interface Context {
  readonly files: SecretFiles;
  /** `arn:aws:secretsmanager:<region>:<account>:secret:` */
  readonly arnPrefix: string;
}

/** What a request is about, and what gives its answer once it is allowed. */
interface Prepared {
  /** The ARN, or the ARN of a secret of that name that is not there. */
  readonly resource: string;
  readonly run: () => object;
}

type Operation = (context: Context, input: unknown) => Prepared;

/** Source: Secrets Manager API reference. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  GetSecretValue: onSecret(
    z.strictObject({
      SecretId: z.string(),
      VersionId: z.string().optional(),
      VersionStage: z.literal('AWSCURRENT').optional(),
    }),
    ({ files }, { SecretId, VersionId }) => {
      const secret = findSecret(files, SecretId);
      if (VersionId !== undefined && VersionId !== secret.versionId) throw notFound();
      return {
        ...identify(secret),
        SecretString: secret.text,
        VersionStages: ['AWSCURRENT'],
        CreatedDate: secret.createdMs / 1_000,
      };
    },
  ),
  DescribeSecret: onSecret(z.strictObject({ SecretId: z.string() }), ({ files }, { SecretId }) =>
    describeSecret(findSecret(files, SecretId)),
  ),
  PutSecretValue: onSecret(
    z.strictObject({ SecretId: z.string(), SecretString: z.string(), ClientRequestToken: z.string().optional() }),
    ({ files }, { SecretId, SecretString }) => ({
      ...identify(files.put(findSecret(files, SecretId).name, SecretString)),
      VersionStages: ['AWSCURRENT'],
    }),
  ),
  CreateSecret: ({ files, arnPrefix }, input) => {
    const { Name, SecretString } = parseInput(creation, input);
    return {
      resource: arnPrefix + Name,
      run: () => {
        if (files.find(Name))
          throw refuse('ResourceExistsException', `The operation failed because the secret ${Name} already exists.`);
        return identify(files.put(Name, SecretString));
      },
    };
  },
  ListSecrets: ({ files }, input) => {
    const { Filters: filters = [] } = parseInput(listing, input);
    const prefixes = filters.flatMap(({ Values: values }) => values);
    const isListed = ({ name }: Secret): boolean =>
      prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
    return { resource: '*', run: () => ({ SecretList: files.all().filter(isListed).map(describeSecret) }) };
  },
};

/** A filter by name takes the beginnings of names. (Secrets Manager API reference, Filter.) */
const listing = z.strictObject({
  MaxResults: z.number().optional(),
  Filters: z.array(z.strictObject({ Key: z.literal('name'), Values: z.array(z.string()) })).optional(),
});

const creation = z.strictObject({
  Name: z.string().regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/),
  SecretString: z.string(),
  ClientRequestToken: z.string().optional(),
  Description: z.string().optional(),
});

function onSecret<Input extends { readonly SecretId: string }>(
  schema: z.ZodType<Input>,
  run: (context: Context, input: Input) => object,
): Operation {
  return (context, json) => {
    const input = parseInput(schema, json);
    const { SecretId } = input;
    const unknown = SecretId.startsWith('arn:') ? SecretId : context.arnPrefix + SecretId;
    return { resource: context.files.find(SecretId)?.arn ?? unknown, run: () => run(context, input) };
  };
}

function parseInput<Input>(schema: z.ZodType<Input>, input: unknown): Input {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const unknown = result.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (unknown.length > 0)
    throw new ServiceRefusal(501, 'NotImplemented', `This server does not implement ${unknown.join(', ')}.`);
  throw refuse(
    'InvalidParameterException',
    `Invalid parameters: ${result.error.issues.map(({ path }) => path.join('.')).join(', ')}`,
  );
}

function findSecret(files: SecretFiles, id: string): Secret {
  const secret = files.find(id);
  if (secret) return secret;
  throw notFound();
}

const identify = ({ arn, name, versionId }: Secret) => ({ ARN: arn, Name: name, VersionId: versionId });

const describeSecret = (secret: Secret) => ({
  ARN: secret.arn,
  Name: secret.name,
  CreatedDate: secret.createdMs / 1_000,
  VersionIdsToStages: { [secret.versionId]: ['AWSCURRENT'] },
});

const notFound = (): ServiceRefusal =>
  refuse('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");

const refuse = (code: string, message: string): ServiceRefusal => new ServiceRefusal(400, code, message);

/** A secret as it is now. */
interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly versionId: string;
  readonly text: string;
  readonly createdMs: number;
}

/** Secrets in a folder, one file each that only its owner may read. */
interface SecretFiles {
  /** By name or ARN. */
  readonly find: (id: string) => Secret | undefined;
  readonly all: () => readonly Secret[];
  /** Creates the secret, or gives the one of that name this content. */
  readonly put: (name: string, text: string) => Secret;
}

/** Opens the secrets in a folder; `arnPrefix` is what their ARNs have before the name. */
function openSecretFiles(folder: string, arnPrefix: string): SecretFiles {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const secrets = new Map(readAll(folder).map((secret) => [secret.name, secret]));
  return {
    find: (id) => secrets.get(id) ?? [...secrets.values()].find(({ arn }) => arn === id),
    all: () => [...secrets.values()],
    put: (name, text) => {
      const known = secrets.get(name);
      // AWS puts six characters behind the name, so that a secret made again is another one.
      const arn = known?.arn ?? `${arnPrefix}${name}-${randomBytes(3).toString('hex')}`;
      const secret = { arn, name, versionId: randomUUID(), text, createdMs: known?.createdMs ?? Date.now() };
      write(folder, secret);
      secrets.set(name, secret);
      return secret;
    },
  };
}

function readAll(folder: string): readonly Secret[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Secret); // written below, whole or not at all
}

// Named by a hash: a secret's name may be longer than a file's, and has slashes.
function write(folder: string, secret: Secret): void {
  const path = join(folder, `${createHash('sha256').update(secret.name).digest('hex')}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(secret), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
