import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';

type Environment = Readonly<Record<string, string | undefined>>;

const CONNECTION_TIMEOUT_MS = 3_000;
const ANSWER_TIMEOUT_MS = 25_000;
const SOCKETS = 64;

/** A client of S3; an endpoint of its own (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`) is called path-style, as no emulator has host names for buckets. */
export function s3Client(environment: Environment): S3Client {
  const shared = settings(environment, 'S3');
  return new S3Client({
    ...shared,
    forcePathStyle: shared.endpoint !== undefined && !shared.endpoint.includes('amazonaws.com'),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** A client of SQS; it sends to the queue URLs that it is given, wherever those point. */
export function sqsClient(environment: Environment): SQSClient {
  // Sums over every message cost more than they find: TLS already keeps bodies whole.
  return new SQSClient({ ...settings(environment, 'SQS'), md5: false });
}

/** A client of Secrets Manager. */
export function secretsManagerClient(environment: Environment): SecretsManagerClient {
  return new SecretsManagerClient(settings(environment, 'SECRETS_MANAGER'));
}

/** A client of SNS. */
export const snsClient = (environment: Environment): SNSClient => new SNSClient(settings(environment, 'SNS'));

function settings(environment: Environment, service: string) {
  const endpoint = environment[`AWS_ENDPOINT_URL_${service}`] || environment['AWS_ENDPOINT_URL'] || undefined;
  const region = environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'];
  const credentials = credentialsIn(environment);
  return {
    ...(endpoint && { endpoint }),
    ...(region && { region }),
    ...(credentials && { credentials }),
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: ANSWER_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets: SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
    },
  };
}

// Given here rather than left to the SDK's chain, so that the clients depend on the environment that was passed and no other.
function credentialsIn(environment: Environment) {
  const accessKeyId = environment['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = environment['AWS_SESSION_TOKEN'];
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}
