import type * as z from 'zod';

import type { Cloud, DataCenter } from '../atlassian/apis.ts';
import type { Opened } from '../atlassian/atlassian.ts';
import { type Refusal, TargetUnusable } from '../atlassian/errors.ts';
import type { Target } from '../target.ts';
import type { Parsed } from './columns.ts';
import { type Finding, found, neverLookedUp, refused, type Stopped, whenFound } from './finding.ts';

/** A column of ours. Its name is canonical and stands in tasks; aliases are compared without case, spaces, `_` and `-`. */
export interface Column {
  readonly name: string;
  readonly aliases: readonly string[];
  /** One sentence for the documentation. */
  readonly about: string;
}

/** Our cells of one row by canonical column name, trimmed; empty ones are absent. */
export type Cells = Readonly<Record<string, string>>;

/** A subject and the state that a row desires of it, as text. Same subject and state: a repeat; same subject, another state: a contradiction. */
export interface SubjectKey {
  readonly subject: string;
  readonly desired: string;
}

/** The address that a row gives up and the one it takes, lower-cased: a taker waits for the row that frees. */
export interface Order {
  readonly frees?: string | undefined;
  readonly takes?: string | undefined;
}

/** What checking a row's cells gives: all its problems, or its subjects as written. */
export type Checked =
  | { readonly problems: readonly string[] }
  | ({
      readonly keys: readonly SubjectKey[];
      /** By which columns the row names them, where there is a choice: rows that use different ones can only be compared when they have been looked up. */
      readonly naming?: string | undefined;
    } & Order);

/** A change of one subject, as plain data (JSON). */
export interface Change<Subject = unknown, State = unknown, Desired = unknown> {
  /** Who and what changes, by immutable ids. */
  readonly subject: Subject;
  readonly before: State;
  readonly after: Desired;
}

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
      readonly keys: readonly SubjectKey[];
      readonly message?: string | undefined;
    }
  | ({ readonly kind: 'change'; readonly keys: readonly SubjectKey[] } & Change)
  | Stopped;

/** An operation against one type of target. */
export interface Recipe<Apis> {
  readonly columns: readonly Column[];
  /** Of each inner list at least one column must be in the header; of several that a row fills, the first decides. */
  readonly required: readonly (readonly string[])[];
  /** What the canonical columns of a header mean together, place by place: `email` beside `newEmail` is `oldEmail`. Whoever maps a header applies it once. */
  readonly readHeader?: ((columns: readonly (string | null)[]) => readonly (string | null)[]) | undefined;
  readonly check: (cells: Cells, target: Target) => Checked;
  /** Plans each row, in order, and only reads. Throws only what concerns all of them (Refusal, RateLimited, NoAnswer). */
  readonly plan: (rows: readonly Cells[], apis: Apis, signal: AbortSignal) => Promise<readonly PlannedRow[]>;
  /** The present states of subjects of a plan, in order; throws as `plan` does. */
  readonly read: (
    subjects: readonly unknown[],
    apis: Apis,
    signal: AbortSignal,
  ) => Promise<readonly Finding<unknown>[]>;
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

/** An operation with the APIs of the target that it is for. */
export interface BoundOperation {
  readonly plan: (rows: readonly Cells[], signal: AbortSignal) => Promise<readonly PlannedRow[]>;
  readonly write: (change: Change, signal: AbortSignal) => Promise<Written>;
}

/** Binds an operation to a target; throws TargetUnusable where it does not exist for targets of this type. */
export function bindOperation({ name, cloud, dataCenter }: Operation, opened: Opened): BoundOperation {
  if (opened.type === 'cloud' && cloud) return bind(cloud, opened.apis);
  if (opened.type === 'data-center' && dataCenter) return bind(dataCenter, opened.apis);
  const message = `The operation ${name} does not exist for a target of type ${opened.type}.`;
  throw new TargetUnusable('REQUEST_REFUSED', message);
}

const bind = <Apis>({ plan, write }: Recipe<Apis>, apis: Apis): BoundOperation => ({
  plan: (rows, signal) => plan(rows, apis, signal),
  write: (change, signal) => write(change, apis, signal),
});

/** What was found of a row: its subject and the subject's state. */
export interface Resolved<Subject, State> {
  readonly subject: Subject;
  readonly state: State;
  /** Why the subject cannot be changed; it counts only where it is not as desired. */
  readonly refusal?: Refusal | undefined;
  /** For a row that needs no change. */
  readonly message?: string | undefined;
}

/** What an operation says of itself for one type of target, in terms of its own Row, Subject, State and Desired state. */
export interface RecipePieces<Row, Subject, State, Desired, Apis> {
  readonly columns: readonly Column[];
  readonly required: readonly (readonly string[])[];
  readonly readHeader?: Recipe<Apis>['readHeader'];
  readonly parse: (cells: Cells, target: Target) => Parsed<Row>;
  /** What a change consists of, as it is read back from a message. */
  readonly change: {
    readonly subject: z.ZodType<Subject>;
    readonly before: z.ZodType<State>;
    readonly after: z.ZodType<Desired>;
  };
  /** By the identifiers of a row as written, or by a subject's ids. */
  readonly keys: (named: Row | Subject, desired: Desired) => readonly SubjectKey[];
  readonly order?: (row: Row) => Order;
  /** Finds the subjects of rows, and their states by the same look-ups. */
  readonly resolve: (
    rows: readonly Row[],
    apis: Apis,
    signal: AbortSignal,
  ) => Promise<(row: Row) => Finding<Resolved<Subject, State>>>;
  readonly read: (
    subjects: readonly Subject[],
    apis: Apis,
    signal: AbortSignal,
  ) => Promise<(subject: Subject) => Finding<{ readonly state: State }>>;
  readonly desired: (row: Row) => Desired;
  readonly isAsDesired: (state: State, desired: Desired) => boolean;
  readonly write: (change: Change<Subject, State, Desired>, apis: Apis, signal: AbortSignal) => Promise<Written>;
}

/** A recipe whose own types nobody outside needs to know. */
export function defineRecipe<Row, Subject, State, Desired, Apis extends { readonly target: Target }>(
  pieces: RecipePieces<Row, Subject, State, Desired, Apis>,
): Recipe<Apis> {
  const { columns, required, readHeader, parse, change, keys, order, desired } = pieces;
  const choices = required.filter((names) => names.length > 1);
  return {
    columns,
    required,
    readHeader,
    check: (cells, target) => {
      const parsed = parse(cells, target);
      if (!('row' in parsed)) return parsed;
      return { keys: keys(parsed.row, desired(parsed.row)), naming: namingOf(choices, cells), ...order?.(parsed.row) };
    },
    plan: async (rows, apis, signal) => {
      const parsed = rows.map((cells) => parse(cells, apis.target));
      const sound = parsed.flatMap((one) => ('row' in one ? [one.row] : []));
      const resolvedOf = sound.length === 0 ? neverLookedUp : await pieces.resolve(sound, apis, signal);
      return parsed.map((one) => {
        if (!('row' in one)) return unreadable(one.problems);
        const resolved = resolvedOf(one.row);
        return resolved.kind === 'found' ? planRow(pieces, one.row, resolved.value) : resolved;
      });
    },
    read: async (subjects, apis, signal) => {
      const parsed = subjects.map((subject) => change.subject.parse(subject));
      const stateOf = await pieces.read(parsed, apis, signal);
      return parsed.map((subject) => whenFound(stateOf(subject), ({ state }) => found(state)));
    },
    write: async ({ subject, before, after }, apis, signal) => {
      const parsed = {
        subject: change.subject.parse(subject),
        before: change.before.parse(before),
        after: change.after.parse(after),
      };
      return pieces.write(parsed, apis, signal);
    },
  };
}

const namingOf = (choices: Recipe<unknown>['required'], cells: Cells): string | undefined =>
  choices.reduce<string | undefined>((naming, names) => {
    const chosen = names.find((name) => cells[name] !== undefined);
    return naming === undefined ? chosen : `${naming} ${chosen}`;
  }, undefined);

function planRow<Row, Subject, State, Desired, Apis>(
  { keys, desired, isAsDesired }: RecipePieces<Row, Subject, State, Desired, Apis>,
  row: Row,
  { subject, state: before, refusal, message }: Resolved<Subject, State>,
): PlannedRow {
  const after = desired(row);
  if (isAsDesired(before, after)) return { kind: 'noop', subject, keys: keys(subject, after), message };
  if (refusal) return { kind: 'refused', refusal };
  return { kind: 'change', subject, before, after, keys: keys(subject, after) };
}

// A row was sound when it was validated, so the target's secret has changed since (or the task was written by hand).
const unreadable = (problems: readonly string[]): Stopped =>
  refused('REQUEST_REFUSED', `Nothing was sent to Atlassian: ${problems.join(' ')}`);
