import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bundleOf } from '../../infra/bundles.ts';
import { readSettings } from '../../infra/stage.ts';
import { completeSettings, readEnvironment, VARIABLE, type FunctionName } from '../../shared/settings.ts';
import { asList, synthesizedStage, textOf, type Json } from './synthesized-stage.ts';

const FUNCTION = 'AWS::Lambda::Function';
const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-1111-2222-3333-444455556666';
const AUTHORITY = readFileSync(new URL('certificates/authority.pem', import.meta.url), 'utf8');
const VPC = { subnetIds: ['subnet-0a1b2c3d', 'subnet-0c2d4e5f'], securityGroupIds: ['sg-0a1b2c3d'] };
const PROXY = 'http://proxy.acme.example:3128';
const CALLERS = ['Notifier', 'Planner', 'Worker'];

const plain = synthesizedStage();
const own = synthesizedStage({ name: 'prod', vpc: VPC, proxy: PROXY, certificates: AUTHORITY, encryptionKey: KEY });

const statementsOf = (stage: typeof own): readonly Json[] =>
  stage
    .all('AWS::IAM::Role')
    .map(([, { Properties: role }]) => role.Policies.flatMap((policy: Json) => policy.PolicyDocument.Statement));

const allowedBy = (statements: readonly Json[], service: string): readonly string[] =>
  statements
    .flatMap(({ Action: action }) => asList<string>(action))
    .filter((action) => action.startsWith(`${service}:`))
    .toSorted();

const idsOf = (stage: typeof own, has: (properties: Json) => boolean): readonly string[] =>
  stage
    .all(FUNCTION)
    .filter(([, { Properties: properties }]) => has(properties))
    .map(([id]) => id.replace(/[0-9A-F]{8}$/, ''))
    .toSorted();

describe('a network of the account', () => {
  it('holds every function, whose role lets Lambda make what connects it', () => {
    for (const [, { Properties: lambda }] of own.all(FUNCTION))
      expect(lambda.VpcConfig).toEqual({ SubnetIds: VPC.subnetIds, SecurityGroupIds: VPC.securityGroupIds });
    for (const statements of statementsOf(own))
      expect(allowedBy(statements, 'ec2')).toEqual([
        'ec2:AssignPrivateIpAddresses',
        'ec2:CreateNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:UnassignPrivateIpAddresses',
      ]);
  });

  it('leaves no trace where there is none', () => {
    expect(idsOf(plain, (lambda) => lambda.VpcConfig !== undefined)).toEqual([]);
    expect(statementsOf(plain).flatMap((statements) => allowedBy(statements, 'ec2'))).toEqual([]);
  });

  it.each([
    [{ vpc: { subnetIds: [], securityGroupIds: ['sg-0a1b2c3d'] } }, /vpc\.subnetIds/],
    [{ vpc: { subnetIds: ['vpc-0a1b2c3d'], securityGroupIds: ['sg-0a1b2c3d'] } }, /must be the id of a subnet/],
    [{ vpc: { subnetIds: ['subnet-0a1b2c3d'] } }, /vpc\.securityGroupIds/],
  ])('is refused as %j', (settings, fault) => {
    expect(() => completeSettings(settings)).toThrow(fault);
  });
});

describe('a proxy', () => {
  it.each(['planner', 'worker', 'notifier'] as const)('is known to the %s', (name) => {
    expect(environmentOf(own, name).settings.proxy).toBe(PROXY);
    expect(environmentOf(plain, name).settings.proxy).toBeUndefined();
  });

  it('is known to no function that does not call Atlassian, and not by a variable that AWS clients or Node read', () => {
    const told = idsOf(own, (lambda) => JSON.stringify(lambda.Environment).includes('proxy.acme.example'));
    const variables = own
      .all(FUNCTION)
      .flatMap(([, { Properties: lambda }]) => Object.keys(lambda.Environment.Variables));

    expect(told).toEqual(CALLERS);
    expect(variables.filter((name) => /proxy/i.test(name))).toEqual([]);
  });

  it.each(['proxy.acme.example:3128', 'socks5://proxy.acme.example', 'http://user:pass@proxy', 'http://proxy/path'])(
    'is refused as %s',
    (proxy) => {
      expect(() => completeSettings({ proxy })).toThrow(/proxy: must be the URL of an HTTP proxy/);
    },
  );
});

describe('certificates', () => {
  it('lie beside the functions that call Atlassian, where Node looks for them', () => {
    const path = '/var/task/certificates.pem';

    expect(idsOf(own, ({ Environment: { Variables: all } }) => all.NODE_EXTRA_CA_CERTS === path)).toEqual(CALLERS);
    expect(idsOf(plain, ({ Environment: { Variables: all } }) => 'NODE_EXTRA_CA_CERTS' in all)).toEqual([]);
  });

  it.each([
    ['worker', true],
    ['planner', true],
    ['notifier', true],
    ['splitter', false],
  ] as const)('are in the bundle of the %s: %s', (name, expected) => {
    const read = (folder: string) => readFileSync(join(folder, 'certificates.pem'), 'utf8');

    if (expected) expect(read(bundleOf(name, { certificates: AUTHORITY }))).toBe(AUTHORITY);
    else expect(() => read(bundleOf(name, { certificates: AUTHORITY }))).toThrow(/ENOENT/);
    expect(() => read(bundleOf(name))).toThrow(/ENOENT/);
  });

  it('may be named by the path of their file, from the stage file on', () => {
    const { stage } = stageFolder({ 'ca.pem': AUTHORITY });

    expect(readSettings(stage({ certificates: 'ca.pem' })).certificates).toBe(AUTHORITY);
    expect(readSettings(stage({ certificates: AUTHORITY })).certificates).toBe(AUTHORITY);
  });

  it.each([
    ['missing.pem', /certificates: .*missing\.pem cannot be read .*relative to the stage file/],
    ['notes.txt', /certificates: holds no certificate; expected is PEM text/],
    ['key.pem', /certificates: holds a PRIVATE KEY; leave in it only the certificates/],
    ['torn.pem', /certificates: certificate 2 of it cannot be read; export it as PEM again/],
  ])('are refused in %s', (file, fault) => {
    const { stage } = stageFolder({
      'notes.txt': 'ask Ann for the certificate',
      'key.pem': `${AUTHORITY}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
      'torn.pem': `${AUTHORITY}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    });

    expect(() => readSettings(stage({ certificates: file }))).toThrow(fault);
  });
});

describe('an encryption key', () => {
  it('encrypts buckets, queues and the topic, but the access logs, which S3 delivers under its own alone', () => {
    const keys = own.all('AWS::S3::Bucket').map(([id, { Properties: bucket }]) => {
      const [rule] = bucket.BucketEncryption.ServerSideEncryptionConfiguration;
      return [id.replace(/[0-9A-F]{8}$/, ''), rule.ServerSideEncryptionByDefault.KMSMasterKeyID, rule.BucketKeyEnabled];
    });

    expect(keys.toSorted()).toEqual([
      ['AccessLogs', undefined, undefined],
      ['Inbox', KEY, true],
      ['Results', KEY, true],
    ]);
    for (const [, { Properties: queue }] of own.all('AWS::SQS::Queue')) expect(queue.KmsMasterKeyId).toBe(KEY);
    for (const [, { Properties: topic }] of own.all('AWS::SNS::Topic')) expect(topic.KmsMasterKeyId).toBe(KEY);
  });

  it('may be used by every function, and is the only one', () => {
    for (const statements of statementsOf(own)) {
      const about = statements.filter((statement: Json) => allowedBy([statement], 'kms').length > 0);
      expect(about).toMatchObject([{ Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: KEY }]);
    }
    expect(statementsOf(plain).flatMap((statements) => allowedBy(statements, 'kms'))).toEqual([]);
  });

  it.each([KEY.replace(/key\/.*/, 'alias/rollcall'), '0a1b2c3d-1111-2222-3333-444455556666'])(
    'is refused as %s',
    (encryptionKey) => {
      expect(() => completeSettings({ encryptionKey })).toThrow(/must be the ARN of a KMS key, and not of an alias/);
    },
  );
});

describe("a stage's name", () => {
  it.each([
    ['prod', own, 'rollcall/prod/'],
    ['none', plain, 'rollcall/'],
  ])('%s: its functions may read the secrets of its own targets', (_name, stage, prefix) => {
    const read = statementsOf(stage)
      .flat()
      .filter((statement: Json) => allowedBy([statement], 'secretsmanager').includes('secretsmanager:GetSecretValue'))
      .map(({ Resource: resource }: Json) => textOf(resource).replace(/.*:secret:/, ''));

    expect(new Set(read)).toEqual(new Set([`${prefix}*`]));
    expect(stage.outputs['TargetSecretPrefix']?.Value).toBe(prefix);
  });

  it.each(['intake', 'planner', 'worker', 'notifier'] as const)('is known to the %s, which reads secrets', (name) => {
    expect(environmentOf(own, name).settings.name).toBe('prod');
  });
});

function environmentOf<Name extends FunctionName>(stage: typeof own, name: Name) {
  const lambda = stage.one(FUNCTION, name[0]?.toUpperCase() + name.slice(1)).Properties;
  return readEnvironment(name, { [VARIABLE]: textOf(lambda.Environment.Variables[VARIABLE]) });
}

/** A folder with these files, and a stage file in it. */
function stageFolder(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-stage-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const stage = (settings: object): string => {
    const path = join(folder, 'stage.json');
    writeFileSync(path, JSON.stringify(settings));
    return path;
  };
  return { stage };
}
