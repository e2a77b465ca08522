import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CREDENTIALS } from '../../local/atlassian/seeds/seed.ts';
import { DATA_CENTER_PEOPLE, GROUPS, PEOPLE } from '../../local/atlassian/seeds/default-people.ts';

/** Planted wherever a text is made up: in names, addresses, groups, notes, tokens and keys. */
export const CANARY = 'c4n4ry';

/** A text that must not be in a log, and how often it is. */
export interface Leak {
  readonly file: string;
  readonly canary: string;
  readonly times: number;
}

const ADDRESS = /[\w.+-]+@[\w-]+\.[\w.-]+/g;

/** People, groups and secrets of the simulator as it is seeded. */
const KNOWN: readonly string[] = [
  ...PEOPLE.flatMap(({ email, name, accountId }) => [email, name, accountId]),
  ...DATA_CENTER_PEOPLE.flatMap(({ emailAddress, displayName }) => [emailAddress, displayName]),
  ...GROUPS.map(({ name }) => name).filter((name) => name.includes(' ')),
  ...CREDENTIALS.cloud.jira.map(({ token }) => token),
  ...CREDENTIALS.cloud.jira.map(({ email, token }) => Buffer.from(`${email}:${token}`).toString('base64')),
  ...CREDENTIALS.cloud.organisation.map(({ key }) => key),
  ...CREDENTIALS.dataCenter
    .flatMap((credential) => Object.values(credential))
    .filter((value) => String(value).length > 8)
    .map(String),
];

/** Every secret, e-mail address and name that the logs of a local stack's folder hold, whoever planted it. */
export function canariesIn(folder: string, further: readonly string[] = []): readonly Leak[] {
  const logs = join(folder, 'logs');
  return readdirSync(logs).flatMap((file) => leaksIn(file, readFileSync(join(logs, file), 'utf8'), further));
}

/** The same of any text, such as what a command prints. */
export function leaksIn(file: string, text: string, further: readonly string[] = []): readonly Leak[] {
  const addresses = text.match(ADDRESS) ?? [];
  const canaries = new Set([CANARY, ...KNOWN, ...further, ...addresses]);
  return [...canaries]
    .map((canary) => ({ file, canary, times: text.split(canary).length - 1 }))
    .filter(({ times }) => times > 0);
}
