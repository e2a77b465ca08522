import { SignatureV4 } from '@smithy/signature-v4';

import { RollcallError } from '../errors.ts';
import { sqsClient } from './clients.ts';

/** Lambda did not run a function, or the function failed. */
export class InvocationRefused extends RollcallError {
  readonly code = 'INVOCATION_REFUSED';
  readonly temporary = true;
}

const TIMEOUT_MS = 10_000;

interface Invocation {
  /** Names the region, the key and, for an emulator, `AWS_ENDPOINT_URL_LAMBDA`, as for the clients. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Its name or ARN, with an alias behind it where it has one. */
  readonly functionName: string;
  readonly payload: object;
}

/** Runs a function with this payload, and waits for its answer; throws InvocationRefused. One signed request, for which Lambda's whole client would be too much. */
export async function invokeFunction({ environment, functionName, payload }: Invocation): Promise<unknown> {
  const { config } = sqsClient(environment); // for whose key and which region the SDK finds
  const region = await config.region();
  const url = new URL(
    `${endpointIn(environment, region)}/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`,
  );
  const signer = new SignatureV4({ credentials: config.credentials, region, service: 'lambda', sha256: config.sha256 });
  const body = JSON.stringify(payload);
  const { method, headers } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    headers: { host: url.host, 'content-type': 'application/json' },
    body,
  });
  const answer = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    unreachable,
  );
  const text = await answer.text();
  if (answer.ok && !answer.headers.has('x-amz-function-error')) return JSON.parse(text);
  throw new InvocationRefused(`The function ${functionName} was not run: status ${answer.status}, ${text}`);
}

/** What stands before the path; Lambda has an address in each region. (AWS general reference, Lambda endpoints.) */
function endpointIn(environment: Invocation['environment'], region: string): string {
  const given = environment['AWS_ENDPOINT_URL_LAMBDA'] || environment['AWS_ENDPOINT_URL'];
  if (given) return given.replace(/\/+$/, '');
  return `https://lambda.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

function unreachable(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new InvocationRefused(`Lambda could not be reached: ${reason}`, { cause });
}
