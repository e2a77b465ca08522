import { setTimeout as sleep } from 'node:timers/promises';

import type { Opened } from '../shared/atlassian/atlassian.ts';
import { RateLimited } from '../shared/atlassian/errors.ts';
import type { Wanted } from '../shared/manifest/header.ts';
import type { Operation, Sight } from '../shared/operations/operation.ts';
import type { Target } from '../shared/target.ts';
import type { ChangedRow } from './changed-rows.ts';
import { CommandFailed } from './failure.ts';

const LOOK_MS = 60_000;
const ROUNDS = 10;
const PAUSE_MS = 1_000;

/** What an operation wants of a header for a target of this type; throws CommandFailed when it does not exist there. */
export function wantedOf(operation: Operation, target: Target): Wanted {
  const recipe = target.type === 'cloud' ? operation.cloud : operation.dataCenter;
  return recipe ?? missing(operation, target.type);
}

/** Looks at rows through their operation; gives the reason why a row does not hold, or `undefined` when it does. */
export async function lookAgain(
  operation: Operation,
  opened: Opened,
  rows: readonly ChangedRow[],
): Promise<readonly (string | undefined)[]> {
  let sights = await look(operation, opened, rows);
  for (let round = 1; round < ROUNDS && sights.some(isUnseen); round += 1) {
    await sleep(PAUSE_MS);
    const unseen = rows.filter((_row, index) => isUnseen(sights[index]));
    const again = [...(await look(operation, opened, unseen))];
    sights = sights.map((sight) => (isUnseen(sight) ? (again.shift() ?? sight) : sight));
  }
  return rows.map((_row, index) => reasonOf(sights[index]));
}

const isUnseen = (sight: Sight | undefined): boolean => sight?.kind === 'unseen';

function reasonOf(sight: Sight | undefined): string | undefined {
  switch (sight?.kind) {
    case 'fulfilled':
      return undefined;
    case 'refused':
      return `${sight.refusal.code}: ${sight.refusal.message}`;
    case 'ready':
      return 'it is not, or not any more, as the row wants it; drop the row in again to carry it out';
    case 'unseen':
      return `it could not be read: ${sight.error.message}`;
    case undefined:
      return 'it could not be read';
    default:
      return sight satisfies never;
  }
}

async function look(operation: Operation, opened: Opened, rows: readonly ChangedRow[]): Promise<readonly Sight[]> {
  const cells = rows.map((row) => row.cells);
  for (let round = 1; ; round += 1) {
    const signal = AbortSignal.timeout(LOOK_MS);
    try {
      if (opened.type === 'cloud') {
        return await (operation.cloud ?? missing(operation, opened.type)).look(cells, opened.apis, signal);
      }
      return await (operation.dataCenter ?? missing(operation, opened.type)).look(cells, opened.apis, signal);
    } catch (error) {
      if (!(error instanceof RateLimited) || round === ROUNDS) throw error;
      await sleep(Math.max(0, error.notBeforeMs - Date.now()));
    }
  }
}

function missing(operation: Operation, type: Target['type']): never {
  throw new CommandFailed(`The operation ${operation.name} does not exist for a target of type ${type}.`);
}
