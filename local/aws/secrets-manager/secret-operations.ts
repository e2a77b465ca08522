import * as z from 'zod';

import { ServiceRefusal } from '../service-refusal.ts';
import type { Secret, SecretFiles } from './secret-files.ts';

/** What a request comes to, and what it was about: the ARN, or the ARN of a secret of that name that is not there. */
export interface SecretAnswer {
  readonly resource: string;
  readonly run: () => object;
}

interface Context {
  readonly files: SecretFiles;
  /** `arn:aws:secretsmanager:<region>:<account>:secret:` */
  readonly arnPrefix: string;
}

type Operation = (context: Context, body: unknown) => SecretAnswer;

/** The operations of Secrets Manager that this server has, by name. (Secrets Manager API reference.) */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  GetSecretValue: about(
    z.strictObject({
      SecretId: z.string(),
      VersionId: z.string().optional(),
      VersionStage: z.literal('AWSCURRENT').optional(),
    }),
    ({ files }, { SecretId, VersionId }) => {
      const secret = found(files, SecretId);
      if (VersionId !== undefined && VersionId !== secret.versionId) throw notFound();
      return {
        ...naming(secret),
        SecretString: secret.text,
        VersionStages: ['AWSCURRENT'],
        CreatedDate: secret.createdMs / 1_000,
      };
    },
  ),
  DescribeSecret: about(z.strictObject({ SecretId: z.string() }), ({ files }, { SecretId }) =>
    described(found(files, SecretId)),
  ),
  PutSecretValue: about(
    z.strictObject({ SecretId: z.string(), SecretString: z.string(), ClientRequestToken: z.string().optional() }),
    ({ files }, { SecretId, SecretString }) => ({
      ...naming(files.put(found(files, SecretId).name, SecretString)),
      VersionStages: ['AWSCURRENT'],
    }),
  ),
  CreateSecret: (context, body) => {
    const { Name, SecretString } = parsed(creation, body);
    return {
      resource: context.arnPrefix + Name,
      run: () => {
        if (context.files.find(Name))
          throw refusal('ResourceExistsException', `The operation failed because the secret ${Name} already exists.`);
        return naming(context.files.put(Name, SecretString));
      },
    };
  },
  ListSecrets: ({ files }, body) => {
    parsed(z.strictObject({ MaxResults: z.number().optional() }), body);
    return { resource: '*', run: () => ({ SecretList: files.all().map(described) }) };
  },
};

const creation = z.strictObject({
  Name: z.string().regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/),
  SecretString: z.string(),
  ClientRequestToken: z.string().optional(),
  Description: z.string().optional(),
});

function about<Body extends { readonly SecretId: string }>(
  schema: z.ZodType<Body>,
  run: (context: Context, body: Body) => object,
): Operation {
  return (context, body) => {
    const input = parsed(schema, body);
    const { SecretId } = input;
    const unknown = SecretId.startsWith('arn:') ? SecretId : context.arnPrefix + SecretId;
    return { resource: context.files.find(SecretId)?.arn ?? unknown, run: () => run(context, input) };
  };
}

function parsed<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const unknown = result.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  if (unknown.length > 0)
    throw new ServiceRefusal(501, 'NotImplemented', `This server does not implement ${unknown.join(', ')}.`);
  throw refusal(
    'InvalidParameterException',
    `Invalid parameters: ${result.error.issues.map(({ path }) => path.join('.')).join(', ')}`,
  );
}

function found(files: SecretFiles, id: string): Secret {
  const secret = files.find(id);
  if (secret) return secret;
  throw notFound();
}

const naming = ({ arn, name, versionId }: Secret) => ({ ARN: arn, Name: name, VersionId: versionId });

const described = (secret: Secret) => ({
  ARN: secret.arn,
  Name: secret.name,
  CreatedDate: secret.createdMs / 1_000,
  VersionIdsToStages: { [secret.versionId]: ['AWSCURRENT'] },
});

const notFound = (): ServiceRefusal =>
  refusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");

const refusal = (code: string, message: string): ServiceRefusal => new ServiceRefusal(400, code, message);
