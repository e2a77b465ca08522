import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ACCESS_KEY } from './s3/object-store-here.ts';
import { secretsHere } from './secrets-here.ts';

describe('the emulator of Secrets Manager', () => {
  it('gives a secret by its name and by its ARN', async () => {
    const { client, put } = await start();
    put('rollcall/acme', { type: 'cloud' });

    const byName = await client.send(new GetSecretValueCommand({ SecretId: 'rollcall/acme' }));
    const byArn = await client.send(new GetSecretValueCommand({ SecretId: byName.ARN }));

    expect(byName).toMatchObject({
      Name: 'rollcall/acme',
      SecretString: '{"type":"cloud"}',
      VersionStages: ['AWSCURRENT'],
    });
    expect(byName.ARN).toMatch(/^arn:aws:secretsmanager:eu-central-1:123456789012:secret:rollcall\/acme-\w{6}$/);
    expect(byArn.SecretString).toBe(byName.SecretString);
    expect(byName.CreatedDate?.getFullYear()).toBeGreaterThan(2_000);
  });

  it('says that a secret is not there in the words of the service', async () => {
    const { client } = await start();

    await expect(client.send(new GetSecretValueCommand({ SecretId: 'rollcall/none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
    });
  });

  it('creates a secret once, replaces its content, describes and lists it', async () => {
    const { client } = await start();
    const create = new CreateSecretCommand({ Name: 'rollcall/acme', SecretString: 'one' });

    const { ARN } = await client.send(create);
    await expect(client.send(create)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    await client.send(new PutSecretValueCommand({ SecretId: 'rollcall/acme', SecretString: 'two' }));

    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: 'rollcall/acme' }));
    const { SecretList = [] } = await client.send(new ListSecretsCommand({}));
    expect(SecretString).toBe('two');
    expect(await client.send(new DescribeSecretCommand({ SecretId: 'rollcall/acme' }))).toMatchObject({ ARN });
    expect(SecretList.map((secret) => secret.Name)).toEqual(['rollcall/acme']);
  });

  it('has its secrets again when it is started again', async () => {
    const first = await start();
    first.put('rollcall/acme', { a: 1 });
    await first.stop();

    const second = await start({ folder: first.folder });

    const answer = await second.client.send(new GetSecretValueCommand({ SecretId: 'rollcall/acme' }));
    expect(answer.SecretString).toBe('{"a":1}');
  });

  it.each([
    ['another secret', { ...ACCESS_KEY, secretAccessKey: 'wrong' }, 'InvalidSignatureException'],
    ['a key that nobody has', { ...ACCESS_KEY, accessKeyId: 'AKIANOBODY' }, 'UnrecognizedClientException'],
  ])('refuses a request signed with %s, and does not record it', async (_, key, name) => {
    const { clientWith, calls } = await start();

    await expect(clientWith(key).send(new ListSecretsCommand({}))).rejects.toMatchObject({ name });

    expect(calls).toEqual([]);
  });

  it('refuses a request without a signature', async () => {
    const { url } = await start();

    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'x-amz-target': 'secretsmanager.ListSecrets' },
      body: '{}',
    });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });

  it('answers 501 to what it does not implement', async () => {
    const { client } = await start();

    await expect(client.send(new RotateSecretCommand({ SecretId: 'rollcall/acme' }))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      $metadata: { httpStatusCode: 501 },
    });
  });

  it('records each call as IAM names it', async () => {
    const { client, calls, put } = await start();
    put('rollcall/acme', {});

    const { ARN } = await client.send(new GetSecretValueCommand({ SecretId: 'rollcall/acme' }));
    await client.send(new GetSecretValueCommand({ SecretId: 'rollcall/none' })).catch(() => undefined);

    const call = {
      service: 'secretsmanager',
      action: 'secretsmanager:GetSecretValue',
      accessKeyId: ACCESS_KEY.accessKeyId,
    };
    expect(calls).toMatchObject([
      { ...call, resource: ARN },
      { ...call, resource: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rollcall/none' },
    ]);
  });
});

async function start(options: Parameters<typeof secretsHere>[0] = {}) {
  const secrets = await secretsHere(options);
  onTestFinished(() => secrets.close());
  return secrets;
}
