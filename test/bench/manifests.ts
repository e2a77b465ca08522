import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Made-up people as the simulator's seeds have them, and manifests of them. */
export const emailOf = (user: number): string => `user${String(user).padStart(5, '0')}@example.com`;
export const accountIdOf = (user: number): string => `712020:a0000000-0000-4000-8000-${hex(user)}`;
export const groupIdOf = (group: number): string => `60000000-0000-4000-8000-${hex(group)}`;
export const groupNameOf = (group: number): string => `group-${String(group).padStart(3, '0')}`;

const hex = (number: number): string => number.toString(16).padStart(12, '0');

/** The group of a user's row: all are used alike, and neighbours are in different ones. */
export const groupFor = (user: number, groups: number): number => 1 + ((user * 7) % groups);

/** By address and group name, which have to be looked up. */
export const membershipManifest = (rows: number, groups: number, from = 1): string =>
  manifest('email,group name', rows, (index) => {
    const user = from + index;
    return `${emailOf(user)},${groupNameOf(groupFor(user, groups))}`;
  });

/** New people, whom nobody has. */
export const creationManifest = (rows: number): string =>
  manifest('emailAddress,products', rows, (index) => `${newEmailOf(index + 1)},jira-software`);

export const newEmailOf = (person: number): string => `new${String(person).padStart(5, '0')}@example.com`;

export const dataCenterManifest = (rows: number): string =>
  manifest('username,groupname', rows, (index) => `user${String(index + 1).padStart(5, '0')},${groupNameOf(1)}`);

function manifest(header: string, rows: number, row: (index: number) => string): string {
  const lines = Array.from({ length: rows }, (_, index) => row(index));
  return `${[header, ...lines].join('\n')}\n`;
}

/** A membership manifest of any length on disk, with a column that is ignored; a target that nothing is sent to has its people. */
export async function writeManifest(path: string, rows: number): Promise<void> {
  function* text(): Generator<string> {
    let piece = 'email,Group name,Office\n';
    for (let row = 0; row < rows; row += 1) {
      piece += `person.number.${row}@acme.example,team-${row % 200},Bern\n`;
      if (piece.length < 65_536) continue;
      yield piece;
      piece = '';
    }
    yield piece;
  }
  await pipeline(Readable.from(text()), createWriteStream(path));
}
