import type { State } from '../../local/atlassian/engine/state.ts';
import { seededState } from '../../local/atlassian/seeds/seed.ts';
import type { Errand, ErrandRow, Kind } from './errand.ts';
import { between, oneOf, type Random } from './random.ts';
import { accountId, GROUPS, type ErrandRecipe } from './recipes.ts';

/** Shares of the kinds of rows; whatever is left is due. */
const SHARES: readonly (readonly [Kind, number])[] = [
  ['done', 0.08],
  ['unknown', 0.02],
  ['refused', 0.003],
  ['invalid', 0.01],
  ['contradiction', 0.01],
  ['repeat', 0.02],
];
const CHAIN_EVERY = 250;
/** A column that is carried through, with what spreadsheets would run. */
const NOTES = ['', 'HQ, 2nd floor', '=1+1', '-', 'said "no"', '@home', "'=", 'naïve\nand long'];

/** Makes a manifest of so many rows of every kind, and the people whom it is about: person n for the nth row. */
export function makeErrand(recipe: ErrandRecipe, rows: number, random: Random): Errand {
  const made: ErrandRow[] = [];
  const dones = new Set<number>();
  const refused: string[] = [];
  while (made.length < rows) {
    const n = made.length + 1;
    const kind = kindOf(random);
    const former = made.at(-1);
    if (recipe.chain && n % CHAIN_EVERY === 0 && n + 3 < rows) {
      made.push(...recipe.chain(n, n + 3).map((wish) => ({ ...wish, kind: 'due' as const })));
    } else if (kind === 'repeat' && former?.kind === 'due') {
      made.push({ ...former, kind });
    } else if (kind === 'contradiction' && recipe.opposite && former?.kind === 'due' && !isLinked(recipe, n)) {
      made[made.length - 1] = { ...former, kind };
      made.push({ cells: recipe.opposite(n - 1), kind, thing: former.thing, holds: former.holds });
    } else {
      made.push(rowOf(kind, recipe, n));
      if (made.at(-1)?.kind === 'done') dones.add(n);
      if (made.at(-1)?.kind === 'refused') refused.push(nameIn(recipe, n));
    }
  }
  // A row of empty cells alone would be no row.
  const note = ({ kind }: ErrandRow): string => (kind === 'invalid' ? 'x' : oneOf(random, NOTES));
  const noted = made.map((row) => ({ ...row, cells: [...row.cells, note(row)] }));
  const { target, operation, header } = recipe;
  return {
    target,
    operation,
    header: [...header, 'Note'],
    rows: noted,
    state: stateFor(recipe, rows, dones),
    refused,
  };
}

function kindOf(random: Random): Kind {
  let left = between(random, 0, 1);
  for (const [kind, share] of SHARES) {
    if (left < share) return kind;
    left -= share;
  }
  return 'due';
}

/** Whether the row before is one of a chain, whose rows hold each other up. */
const isLinked = ({ chain }: ErrandRecipe, n: number): boolean =>
  chain !== undefined && (n % CHAIN_EVERY === 4 || n % CHAIN_EVERY === 0);

const never = (): boolean => false;

function rowOf(kind: Kind, recipe: ErrandRecipe, n: number): ErrandRow {
  if (kind === 'done') return { ...recipe.done(n), kind };
  if (kind === 'unknown' && recipe.unknown) return { cells: recipe.unknown(n), kind, holds: never };
  if (kind === 'invalid') return { cells: recipe.invalid(n), kind, holds: never };
  return { ...recipe.due(n), kind: kind === 'refused' ? kind : 'due' };
}

/** What the writes about row n name. */
function nameIn(recipe: ErrandRecipe, n: number): string {
  if (recipe.operation === 'creation') return recipe.due(n).cells[0] ?? '';
  return recipe.target === 'cloud' ? accountId(n) : (recipe.due(n).cells[0] ?? '');
}

function stateFor(recipe: ErrandRecipe, rows: number, dones: ReadonlySet<number>): State {
  const people = recipe.target === 'cloud' ? { users: rows } : { users: 0, dataCenterUsers: rows };
  const { cloud, dataCenter } = seededState({ groups: GROUPS, dataCenterGroups: GROUPS, ...people });
  const { cloudUser, dataCenterUser, dataCenterMember } = recipe;
  const numbers = Array.from({ length: rows }, (_, at) => at + 1);
  return {
    // The first of the people is the admin, here and there.
    cloud: {
      ...cloud,
      users: cloudUser
        ? cloud.users.map((user, n) => (n === 0 ? user : cloudUser(user, n, dones.has(n))))
        : cloud.users,
    },
    dataCenter: {
      ...dataCenter,
      users: dataCenterUser
        ? dataCenter.users.map((user, n) => (n === 0 ? user : dataCenterUser(user, n, dones.has(n))))
        : dataCenter.users,
      groups: dataCenter.groups.map((group) => ({
        ...group,
        members: dataCenterMember
          ? numbers.flatMap((n) =>
              dataCenterMember(n, dones.has(n)) === group.name ? [dataCenter.users[n]?.username ?? ''] : [],
            )
          : group.members,
      })),
    },
  };
}

const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** The manifest as it is uploaded. */
export const manifestOf = ({ header, rows }: Errand): string =>
  [header, ...rows.map(({ cells }) => cells)].map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
