import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A secret as it is now. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly versionId: string;
  readonly text: string;
  readonly createdMs: number;
}

/** Secrets in a folder, one file each that only its owner may read. */
export interface SecretFiles {
  /** By name or ARN. */
  readonly find: (id: string) => Secret | undefined;
  readonly all: () => readonly Secret[];
  /** Creates the secret, or gives the one of that name this content. */
  readonly put: (name: string, text: string) => Secret;
}

/** Opens the secrets in a folder; `arnPrefix` is what their ARNs have before the name. */
export function openSecretFiles(folder: string, arnPrefix: string): SecretFiles {
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
