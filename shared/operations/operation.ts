import type { Cloud, DataCenter } from '../atlassian/apis.ts';
import type { Opened } from '../atlassian/atlassian.ts';
import { type Refusal, TargetUnusable } from '../atlassian/errors.ts';
import type { Target, TargetFacts } from '../target.ts';
import type { Finding, Stopped } from './finding.ts';

/** A column of ours. Its name is canonical and stands in tasks; aliases are compared without case, spaces, `_` and `-`. */
export interface Column {
  readonly name: string;
  readonly aliases: readonly string[];
  /** One sentence for the documentation. */
  readonly about: string;
  /** It says what is to be done rather than to whom, so that a file which has it is meant for this operation. */
  readonly telling?: true | undefined;
  /** What other systems call it: named in a refusal, and never taken for it, since what they mean by it is theirs to say. */
  readonly resembles?: RegExp | undefined;
  /** What to do about a column of its name in the plural, after "the column "Groups"". */
  readonly plural?: string | undefined;
}

/** Our cells of one row by canonical column name, trimmed; empty ones are absent. */
export type Cells = Readonly<Record<string, string>>;

/** A subject and the state that a row desires of it, as text. Same subject and state: a repeat; same subject, another state: a contradiction. */
export interface SubjectKey {
  readonly subject: string;
  readonly desired: string;
  /** Rows with this subject do not repeat or contradict one another by it: they are applied one after the other. */
  readonly inTurn?: true | undefined;
}

/** Everything that is wrong with a row's cells; empty when nothing is. */
export type Problems = readonly string[];

/** A change of one subject, as plain data (JSON). */
export interface Change<Subject = unknown, State = unknown, Desired = unknown> {
  /** Who and what changes, by immutable ids. */
  readonly subject: Subject;
  readonly before: State;
  readonly after: Desired;
}

/** Whose state is read, and what is desired of it: an addition needs no proof that somebody is not in a group, a removal does. */
export type Aim = Pick<Change, 'subject' | 'after'>;

/** What a write came to. */
export interface Written {
  readonly status: 'changed' | 'unchanged';
  readonly httpStatus?: number | undefined;
  readonly traceId?: string | undefined;
  readonly message?: string | undefined;
}

/** What applying a row would do; `keys` are by immutable ids, so that one account written in two ways is found. */
export type PlannedRow =
  | {
      readonly kind: 'noop';
      readonly subject: unknown;
      readonly before: unknown;
      readonly keys: readonly SubjectKey[];
      readonly message?: string | undefined;
    }
  | ({
      readonly kind: 'change';
      readonly keys: readonly SubjectKey[];
      readonly message?: string | undefined;
      readonly blocked?: Blocked | undefined;
    } & Change)
  | Stopped;

/** A change that can be made only once whoever holds what it takes has given it up. */
export interface Blocked {
  /** The first subject key of a row that changes the holder. */
  readonly by: string;
  /** What becomes of the row when no row of the file does so. */
  readonly refusal: Refusal;
}

/** How a change stands: done, still to be made, or neither, since somebody else changed its subject. */
export type Standing = 'desired' | 'before' | 'other';

/** What a change does to somebody, for the policy: it takes access away, renames, or gives. */
export type Effect = 'takes' | 'renames' | 'gives';

/** A column that is not the operation's, and its place in the header. */
export interface CarriedColumn {
  readonly name: string;
  readonly index: number;
}

/** Begins to watch the cells of a manifest's carried columns (none of ours), given what its columns mean so far. */
type WatchCells = (columns: readonly (string | null)[], carried: readonly CarriedColumn[]) => CellWatch | undefined;

/** What becomes of a header whose meaning hangs on the cells under it. */
export interface CellWatch {
  /** All cells of a row, as they are written. */
  readonly add: (line: number, cells: readonly string[]) => void;
  /** After the last row: what the columns mean, or why the whole file is refused. */
  readonly settle: () =>
    | { readonly columns: readonly (string | null)[] }
    | { readonly problems: readonly { readonly line: number; readonly message: string }[] };
}

/** Seats by product. */
export type Seats = Readonly<Record<string, number>>;

/** How the rows of an operation are written in a file. */
export interface RowFormat {
  readonly columns: readonly Column[];
  /** Of each inner list at least one column must be in the header; of several that a row fills, the first decides. */
  readonly required: readonly (readonly string[])[];
  /** What the canonical columns of a header mean together, place by place: `email` beside `newEmail` is `oldEmail`. Whoever maps a header applies it once. */
  readonly readHeader?: ((columns: readonly (string | null)[]) => readonly (string | null)[]) | undefined;
  readonly check: (cells: Cells, target: TargetFacts) => Problems;
  /** Watches carried columns whose cells may be meant for the operation; absent, or `undefined` for a header, where none may. */
  readonly watch?: WatchCells | undefined;
}

/** An operation against one type of target. */
export interface Recipe<Apis> extends RowFormat {
  /** Plans each row, in order, and only reads. Throws only what concerns all of them (Refusal, RateLimited, NoAnswer). */
  readonly plan: (rows: readonly Cells[], apis: Apis, signal: AbortSignal) => Promise<readonly PlannedRow[]>;
  /** The present states of the subjects of changes, in order, read as exactly as what is desired of them asks; throws as `plan` does. */
  readonly read: (changes: readonly Aim[], apis: Apis, signal: AbortSignal) => Promise<readonly Finding<unknown>[]>;
  /** How a change stands in a state that was read of its subject. */
  readonly compare: (change: Change, state: unknown) => Standing;
  /** What a change with this desired state does. */
  readonly effect: (after: unknown) => Effect;
  /** How many seats of which product a change takes, as far as that is known. */
  readonly seats: (change: Change) => Seats;
  /** The domain in which a change creates somebody. */
  readonly domain: (change: Change) => string | undefined;
  /** The same change from another state, where that leads as well to what is desired; `undefined` where it may not. */
  readonly rebase: (change: Change, state: unknown) => Change | undefined;
  /** The change that takes a change back; `undefined` where none can, or where what was before is not known. */
  readonly invert: (change: Change) => Change | undefined;
  /** The state is read before every write, however fresh the plan. */
  readonly readsFirst: boolean;
  /** Plans changes whose subjects are known, such as those that take a job back; only reads, and throws as `plan` does. */
  readonly planChanges: (changes: readonly Change[], apis: Apis, signal: AbortSignal) => Promise<readonly PlannedRow[]>;
  /** One call; throws Refusal, RateLimited or NoAnswer. */
  readonly write: (change: Change, apis: Apis, signal: AbortSignal) => Promise<Written>;
}

/** A kind of change, for the types of target on which it exists. */
export interface Operation {
  readonly name: string;
  /** One sentence for the documentation and for messages. */
  readonly about: string;
  readonly cloud?: Recipe<Cloud> | undefined;
  readonly dataCenter?: Recipe<DataCenter> | undefined;
}

/** What an operation is for targets of this type, but for their APIs; `undefined` where it does not exist. */
export const recipeOf = ({ cloud, dataCenter }: Operation, type: Target['type']): Recipe<never> | undefined =>
  type === 'cloud' ? cloud : dataCenter;

/** An operation with the APIs of the target that it is for. */
export interface BoundOperation extends Pick<
  Recipe<never>,
  'compare' | 'domain' | 'effect' | 'invert' | 'readsFirst' | 'rebase' | 'seats'
> {
  readonly plan: (rows: readonly Cells[], signal: AbortSignal) => Promise<readonly PlannedRow[]>;
  readonly planChanges: (changes: readonly Change[], signal: AbortSignal) => Promise<readonly PlannedRow[]>;
  readonly read: (changes: readonly Aim[], signal: AbortSignal) => Promise<readonly Finding<unknown>[]>;
  readonly write: (change: Change, signal: AbortSignal) => Promise<Written>;
}

/** Binds an operation to a target; throws TargetUnusable where it does not exist for targets of this type. */
export function bindOperation({ name, cloud, dataCenter }: Operation, opened: Opened): BoundOperation {
  if (opened.type === 'cloud' && cloud) return bind(cloud, opened.apis);
  if (opened.type === 'data-center' && dataCenter) return bind(dataCenter, opened.apis);
  const message = `The operation ${name} does not exist for a target of type ${opened.type}.`;
  throw new TargetUnusable('REQUEST_REFUSED', message);
}

const bind = <Apis>(recipe: Recipe<Apis>, apis: Apis): BoundOperation => ({
  ...recipe,
  plan: (rows, signal) => recipe.plan(rows, apis, signal),
  planChanges: (changes, signal) => recipe.planChanges(changes, apis, signal),
  read: (changes, signal) => recipe.read(changes, apis, signal),
  write: (change, signal) => recipe.write(change, apis, signal),
});
