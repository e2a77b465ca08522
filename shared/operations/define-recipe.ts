import type * as z from 'zod';

import type { Refusal } from '../atlassian/errors.ts';
import { foldCase } from '../folding.ts';
import type { Target, TargetFacts } from '../target.ts';
import type { Parsed } from './columns.ts';
import { type Finding, found, neverLookedUp, refused, type Stopped, whenFound } from './finding.ts';
import type {
  Aim,
  Blocked,
  Cells,
  Change,
  Column,
  Effect,
  PlannedRow,
  Recipe,
  Seats,
  Standing,
  SubjectKey,
  Written,
} from './operation.ts';
import { describeState } from './readable.ts';

/** What was found of a row: its subject and the subject's state. */
export interface Resolved<Subject, State> {
  readonly subject: Subject;
  readonly state: State;
  /** Why the subject cannot be changed; it counts only where it is not as desired. */
  readonly refusal?: Refusal | undefined;
  /** It counts only where the subject can be changed and is not as desired. */
  readonly blocked?: Blocked | undefined;
  /** What the person who dropped the file should know of a row that is not refused. */
  readonly message?: string | undefined;
}

/** What an operation says of itself for one type of target, in terms of its own Row, Subject, State and Desired state. */
export interface RecipePieces<Row, Subject, State extends object, Desired extends object, Apis> {
  readonly columns: readonly Column[];
  readonly required: readonly (readonly string[])[];
  readonly readHeader?: Recipe<Apis>['readHeader'];
  readonly watch?: Recipe<Apis>['watch'];
  readonly parse: (cells: Cells, target: TargetFacts) => Parsed<Row>;
  /** What a change consists of, as it is read back from a message. */
  readonly change: {
    readonly subject: z.ZodType<Subject>;
    readonly before: z.ZodType<State>;
    readonly after: z.ZodType<Desired>;
  };
  readonly keys: (subject: Subject, desired: Desired) => readonly SubjectKey[];
  /** Finds the subjects of rows, and their states by the same look-ups. */
  readonly resolve: (
    rows: readonly Row[],
    apis: Apis,
    signal: AbortSignal,
  ) => Promise<(row: Row) => Finding<Resolved<Subject, State>>>;
  readonly read: (
    aims: readonly ReadAim<Subject, Desired>[],
    apis: Apis,
    signal: AbortSignal,
  ) => Promise<(aim: ReadAim<Subject, Desired>) => Finding<{ readonly state: State }>>;
  /** What stands in the way of changes whose subjects are known; absent where nothing can. */
  readonly findBlocked?: (
    aims: readonly ReadAim<Subject, Desired>[],
    apis: Apis,
    signal: AbortSignal,
  ) => Promise<(aim: ReadAim<Subject, Desired>) => Blocked | undefined>;
  readonly desired: (row: Row) => Desired;
  readonly isAsDesired: (state: State, desired: Desired) => boolean;
  readonly effect: (desired: Desired) => Effect;
  readonly seats?: (change: Change<Subject, State, Desired>) => Seats;
  readonly domain?: (change: Change<Subject, State, Desired>) => string | undefined;
  /** Whether a change may be made from this state, although the plan found another; absent where it never may. */
  readonly isSoundFrom?: (state: State) => boolean;
  /** Whether a write can bring back what was before: then that is a state which can be desired. */
  readonly reversible: boolean;
  readonly readsFirst?: boolean;
  readonly write: (change: Change<Subject, State, Desired>, apis: Apis, signal: AbortSignal) => Promise<Written>;
}

interface ReadAim<Subject, Desired> {
  readonly subject: Subject;
  readonly after: Desired;
}

/** A `read` that finds the states of subjects alike, whatever is desired of them. */
export const readSubjects =
  <Subject, State, Apis>(
    find: (
      subjects: readonly Subject[],
      apis: Apis,
      signal: AbortSignal,
    ) => Promise<(subject: Subject) => Finding<{ readonly state: State }>>,
  ) =>
  async (aims: readonly { readonly subject: Subject }[], apis: Apis, signal: AbortSignal) => {
    const subjects = aims.map(({ subject }) => subject);
    const stateOf = await find(subjects, apis, signal);
    return ({ subject }: { readonly subject: Subject }) => stateOf(subject);
  };

interface WithTarget {
  readonly target: Target;
}

/** A recipe whose own types nobody outside needs to know. */
export function defineRecipe<Row, Subject, State extends object, Desired extends object, Apis extends WithTarget>(
  pieces: RecipePieces<Row, Subject, State, Desired, Apis>,
): Recipe<Apis> {
  const { columns, required, readHeader, watch, parse, change, effect, readsFirst = false } = pieces;
  const parseAim = ({ subject, after }: Aim): ReadAim<Subject, Desired> => ({
    subject: change.subject.parse(subject),
    after: change.after.parse(after),
  });
  const parseChange = (sent: Change): Change<Subject, State, Desired> => ({
    ...parseAim(sent),
    before: change.before.parse(sent.before),
  });
  return {
    columns,
    required,
    readHeader,
    watch,
    readsFirst,
    check: (cells, target) => {
      const parsed = parse(cells, target);
      return 'row' in parsed ? [] : parsed.problems;
    },
    plan: (rows, apis, signal) => planRows(pieces, rows, apis, signal),
    planChanges: (changes, apis, signal) => planChanges(pieces, changes.map(parseChange), apis, signal),
    read: async (changes, apis, signal) => {
      const aims = changes.map(parseAim);
      const stateOf = await pieces.read(aims, apis, signal);
      return aims.map((aim) => whenFound(stateOf(aim), ({ state }) => found(state)));
    },
    compare: ({ before, after }, state) => {
      const known = { before: change.before.parse(before), after: change.after.parse(after) };
      return standingOf(pieces, known, change.before.parse(state));
    },
    effect: (after) => effect(change.after.parse(after)),
    seats: (sent) => pieces.seats?.(parseChange(sent)) ?? {},
    domain: (sent) => pieces.domain?.(parseChange(sent)),
    rebase: (sent, state) => {
      const before = change.before.parse(state);
      return pieces.isSoundFrom?.(before) ? { ...sent, before } : undefined;
    },
    invert: ({ subject, before, after }) => {
      const desired = pieces.reversible ? change.after.safeParse(before) : undefined;
      return desired?.success ? { subject, before: change.before.parse(after), after: desired.data } : undefined;
    },
    write: async (sent, apis, signal) => pieces.write(parseChange(sent), apis, signal),
  };
}

async function planRows<Row, Subject, State extends object, Desired extends object, Apis extends WithTarget>(
  pieces: RecipePieces<Row, Subject, State, Desired, Apis>,
  rows: readonly Cells[],
  apis: Apis,
  signal: AbortSignal,
): Promise<readonly PlannedRow[]> {
  const parsed = rows.map((cells) => pieces.parse(cells, apis.target));
  const sound = parsed.flatMap((one) => ('row' in one ? [one.row] : []));
  const resolvedOf = sound.length === 0 ? neverLookedUp : await pieces.resolve(sound, apis, signal);
  return parsed.map((one) => {
    if (!('row' in one)) return unreadable(one.problems);
    const resolved = resolvedOf(one.row);
    return resolved.kind === 'found' ? planRow(pieces, one.row, resolved.value) : resolved;
  });
}

function planRow<Row, Subject, State extends object, Desired extends object, Apis>(
  { keys, desired, isAsDesired }: RecipePieces<Row, Subject, State, Desired, Apis>,
  row: Row,
  { subject, state: before, refusal, blocked, message }: Resolved<Subject, State>,
): PlannedRow {
  const after = desired(row);
  const common = { subject, before, keys: keys(subject, after), message };
  if (isAsDesired(before, after)) return { kind: 'noop', ...common };
  if (refusal) return { kind: 'refused', refusal };
  return { kind: 'change', ...common, after, blocked };
}

async function planChanges<Row, Subject, State extends object, Desired extends object, Apis>(
  pieces: RecipePieces<Row, Subject, State, Desired, Apis>,
  changes: readonly Change<Subject, State, Desired>[],
  apis: Apis,
  signal: AbortSignal,
): Promise<readonly PlannedRow[]> {
  const [stateOf, blockedOf] = await Promise.all([
    pieces.read(changes, apis, signal),
    pieces.findBlocked?.(changes, apis, signal),
  ]);
  return changes.map((change) => {
    const finding = stateOf(change);
    return finding.kind === 'found' ? planChange(pieces, change, finding.value.state, blockedOf?.(change)) : finding;
  });
}

function planChange<Subject, State extends object, Desired extends object>(
  pieces: Pick<RecipePieces<never, Subject, State, Desired, never>, 'keys' | 'isAsDesired'>,
  change: Change<Subject, State, Desired>,
  state: State,
  blocked: Blocked | undefined,
): PlannedRow {
  const { subject, after } = change;
  const common = { subject, before: state, keys: pieces.keys(subject, after) };
  switch (standingOf(pieces, change, state)) {
    case 'desired':
      return { kind: 'noop', ...common };
    case 'before':
      return { kind: 'change', ...common, after, blocked };
    case 'other':
      return refused('CHANGED_SINCE_PLAN', changedSince(change.before, state));
  }
}

const changedSince = (left: unknown, state: unknown): string =>
  `Somebody changed this since: it was left as "${describeState(left)}" and is "${describeState(state)}" now. Nothing was written.`;

function standingOf<State extends object, Desired>(
  { isAsDesired }: { readonly isAsDesired: (state: State, desired: Desired) => boolean },
  { before, after }: { readonly before: State; readonly after: Desired },
  state: State,
): Standing {
  if (isAsDesired(state, after)) return 'desired';
  return isAsKnown(before, state) ? 'before' : 'other';
}

/** What was not known before is not compared, and case does not matter, as Atlassian compares addresses. */
const isAsKnown = (before: object, state: object): boolean => {
  const present = new Map<string, unknown>(Object.entries(state));
  return Object.entries(before).every(
    ([name, value]) => value === undefined || textOf(value) === textOf(present.get(name)),
  );
};

const textOf = (value: unknown): string => foldCase(JSON.stringify([value]));

// A row was sound when it was validated, so the target's secret has changed since (or the task was written by hand).
const unreadable = (problems: readonly string[]): Stopped =>
  refused('REQUEST_REFUSED', `Nothing was sent to Atlassian: ${problems.join(' ')}`);
