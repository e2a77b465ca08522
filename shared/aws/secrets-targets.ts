import {
  GetSecretValueCommand,
  SecretsManagerServiceException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

import type { Clock, Targets } from '../ports.ts';
import { secretName, type Target } from '../target.ts';
import { TargetUnreadable } from '../port-errors.ts';
import { parseTarget } from './target-secret.ts';

const KEPT_MS = 60_000;
/** Also how long a failure, or that there is no such secret, is believed. */
const FRESH_MS = 1_000;

interface Kept {
  readonly target: Promise<Target | undefined>;
  readonly readAtMs: number;
  keptMs: number;
}

interface Source {
  readonly client: SecretsManagerClient;
  readonly clock: Clock;
}

/** The targets out of Secrets Manager: each read at most once a minute, or once a second when a fresh one is asked for. */
export function secretsManagerTargets(source: Source): Targets {
  const kept = new Map<string, Kept>();
  return {
    find: async (name, { fresh = false } = {}) => {
      if (!CAN_BE_NAME.test(name)) return undefined;
      const nowMs = source.clock.now().getTime();
      const known = kept.get(name);
      if (known && nowMs - known.readAtMs < (fresh ? FRESH_MS : known.keptMs)) return known.target;
      const reading = { target: read(source, name), readAtMs: nowMs, keptMs: KEPT_MS };
      kept.set(name, reading);
      shortenUnlessFound(reading);
      return reading.target;
    },
  };
}

// Secrets Manager answers any other name with a fault of the request. (CreateSecret, Name.)
const CAN_BE_NAME = /^[A-Za-z0-9_+=.@-]{1,400}$/;

function shortenUnlessFound(reading: Kept): void {
  const shorten = (): void => {
    reading.keptMs = FRESH_MS;
  };
  reading.target.then((target) => target ?? shorten(), shorten);
}

async function read({ client }: Source, name: string): Promise<Target | undefined> {
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: secretName(name) }));
    if (answer.SecretString !== undefined) return parseTarget(name, answer.SecretString);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  throw new TargetUnreadable(`The secret of target ${name} cannot be used: it is binary. Store it as text.`);
}

const isAbsent = (error: unknown): boolean =>
  error instanceof SecretsManagerServiceException &&
  (error.name === 'ResourceNotFoundException' ||
    (error.name === 'InvalidRequestException' && error.message.includes('marked for deletion')));
