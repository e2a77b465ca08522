import { trimIdentifier } from '../manifest/cells.ts';
import { column, quoted, telling } from './columns.ts';
import type { CarriedColumn, CellWatch } from './operation.ts';

/** What a row can ask for. */
export const ACTIONS = ['add', 'remove'] as const;

export const ACTION = telling(
  column(
    'action',
    ['add/remove'],
    '`add` or `remove`; `add` where it is empty. A column `operation` is read as this one where its cells are these words alone.',
  ),
);

/**
 * A row without an action adds somebody, so that a column which seems to say something else is never passed over: `operation`
 * is the action where its cells are actions alone, and whatever else reads like one refuses the file.
 */
export function watchActions(
  columns: readonly (string | null)[],
  carried: readonly CarriedColumn[],
): CellWatch | undefined {
  if (columns.includes(ACTION.name)) return undefined;
  const seen = carried.map((one): Seen => ({ column: one, first: new Map() }));
  return {
    add: (line, cells) => {
      for (const { column: one, first } of seen) {
        const cell = trimIdentifier(cells[one.index] ?? '');
        const kind = kindOf(cell);
        if (!first.has(kind)) first.set(kind, { line, cell });
      }
    },
    settle: () => {
      const [action, another] = seen.filter(isAction);
      if (action && !another) return { columns: columns.with(action.column.index, ACTION.name) };
      const problems = seen.flatMap(problemOf);
      return problems.length > 0 ? { problems } : { columns };
    },
  };
}

/** The first cell of each kind in a column. */
interface Seen {
  readonly column: CarriedColumn;
  readonly first: Map<Kind, { readonly line: number; readonly cell: string }>;
}

type Kind = 'empty' | 'action' | keyof typeof WORDS | 'other';

const LONGEST = 40;

/** Plain words mean nothing else; the others may be somebody's name, or a kind of absence; neutral ones stand beside either. */
const WORDS = {
  plain: /^(?:add(?:ed|ing)?|remov(?:e|ed|ing|al)|deleted?|revoked?|unassign(?:ed)?)(?=\s|\W*$)/,
  ambiguous:
    /^(?:join(?:ed|er|ing)?|leav(?:e|er|ing)|left|grant(?:ed)?|assign(?:ed)?|drop(?:ped)?|insert(?:ed)?|(?:un)?enroll?(?:ed)?|(?:on|off)board(?:ed|ing)?)(?=\s|\W*$)/,
  neutral: /^(?:keep|stay|none|no change|unchanged|mover?|transfer(?:red)?|changed?|updated?|\W+)$/,
} as const;

const KINDS = ['plain', 'ambiguous', 'neutral'] as const;

function kindOf(cell: string): Kind {
  if (cell === '') return 'empty';
  if (cell.length > LONGEST) return 'other';
  const text = cell.toLowerCase();
  if (ACTIONS.some((action) => action === text)) return 'action';
  return KINDS.find((kind) => WORDS[kind].test(text)) ?? 'other';
}

const isAction = ({ column: { name }, first }: Seen): boolean =>
  trimIdentifier(name).toLowerCase() === 'operation' &&
  first.has('action') &&
  [...first.keys()].every((kind) => kind === 'action' || kind === 'empty');

function problemOf({ column: one, first }: Seen) {
  const example =
    first.get('action') ?? first.get('plain') ?? (first.has('other') ? undefined : first.get('ambiguous'));
  if (!example) return [];
  const message =
    `${nameOf(one)} reads like what to do with each person (${quoted(example.cell)}); if it says that, ` +
    'rename it to action and write add or remove in it; otherwise put a column action beside it, or take it out';
  return [{ line: example.line, message }];
}

const nameOf = ({ name, index }: CarriedColumn): string => {
  const shown = trimIdentifier(name);
  return shown === '' ? `column ${index + 1}, which has no name,` : `the column ${quoted(shown)}`;
};
