import { hash } from 'node:crypto';

import type { Code, Outcome } from '../../shared/job/outcome.ts';
import type { RowPlan } from '../../shared/job/plan.ts';

/** Reads a whole plan from its first row, again and again. */
export type ReadPlan = () => AsyncIterable<readonly RowPlan[]>;

/** What becomes of a row because of other rows of the file. */
export type Settled = Pick<Outcome, 'httpStatus' | 'traceId'> & {
  readonly status: 'failed' | 'invalid' | 'unprocessed';
  readonly code: Code;
  readonly message: string;
};

/** What the rows of a plan mean for one another. */
export interface Relations {
  /** By row: what repeats another row, contradicts one, or can never be made. */
  readonly settled: ReadonlyMap<number, Settled>;
  /** By row, the row that must be as desired before it. */
  readonly dependencies: ReadonlyMap<number, number>;
  /** Rows among those that only wait for their turn. */
  readonly inTurn: ReadonlySet<number>;
  /** By row, its line. */
  readonly lines: readonly number[];
}

/** Compares all rows of a plan by their subjects, however the rows spell them: the same in whatever order and chunks they come. */
export async function relateRows(readPlan: ReadPlan): Promise<Relations> {
  const lines: number[] = [];
  const subjects = createSubjects();
  const blocked = new Map<number, string>();
  for await (const rows of readPlan()) {
    for (const row of rows) {
      lines[row.row] = row.line;
      if (row.kind === 'refused') continue;
      subjects.add(row.keys);
      if (row.kind === 'change' && row.blocked) blocked.set(row.row, digestOf(row.blocked.by));
    }
  }
  const repeated = subjects.repeated();
  const wanted = new Set(blocked.values());
  if (wanted.size === 0 && repeated.every(({ size }) => size === 0))
    return { settled: new Map(), dependencies: new Map(), inTurn: new Set(), lines };

  const { conflicts, holders, turns } = await readAgain(readPlan, repeated, wanted);
  const settled = settleConflicts(conflicts, lines);
  const { dependencies, failing } = followBlocked(blocked, holders, settled, lines);
  if (failing.size > 0) await settleFailing(readPlan, failing, settled);
  const { first, inTurn } = followTurns(turns, settled);
  return { settled, dependencies: new Map([...dependencies, ...first]), inTurn, lines };
}

/** A subject of a row in few bytes: a plan may have millions. */
const digestOf = (subject: string): string => hash('md5', subject, 'binary');

/** Reads those rows once more whose subject another row has too, or whose change another row waits for. */
async function readAgain(
  readPlan: ReadPlan,
  repeated: readonly ReadonlySet<string>[],
  wanted: ReadonlySet<string>,
): Promise<{
  readonly conflicts: readonly Conflicts[];
  readonly holders: ReadonlyMap<string, number>;
  readonly turns: Turns;
}> {
  const conflicts = repeated.map(createConflicts);
  const holders = new Map<string, number>();
  const turns = new Map<string, number[]>();
  for await (const rows of readPlan()) {
    for (const row of rows) {
      if (row.kind === 'refused') continue;
      for (const [place, key] of row.keys.entries()) {
        if (!key.inTurn) conflicts[place]?.add(row.row, key);
        else if (row.kind === 'change' && repeated[place]?.has(digestOf(key.subject)))
          turns.set(key.subject, [...(turns.get(key.subject) ?? []), row.row]);
      }
      const first = row.keys[0]?.subject;
      const digest = row.kind === 'change' && first !== undefined ? digestOf(first) : undefined;
      if (digest !== undefined && wanted.has(digest) && !holders.has(digest)) holders.set(digest, row.row);
    }
  }
  return { conflicts, holders, turns };
}

/** By subject, the rows that are applied one after the other. */
type Turns = ReadonlyMap<string, readonly number[]>;

/** The first of those that are applied goes before all others, which then find what it left. */
function followTurns(turns: Turns, settled: ReadonlyMap<number, Settled>) {
  const first = new Map<number, number>();
  for (const rows of turns.values()) {
    const [leader, ...others] = rows.filter((row) => !settled.has(row));
    if (leader !== undefined) for (const row of others) first.set(row, leader);
  }
  return { first, inTurn: new Set(first.keys()) };
}

type Keys = Exclude<RowPlan, { readonly kind: 'refused' }>['keys'];
type Key = Keys[number];

/** Notes the subjects of every row, each once. */
function createSubjects() {
  const places: { readonly named: Set<string>; readonly repeated: Set<string> }[] = [];
  return {
    add: (keys: Keys): void => {
      for (const [place, { subject }] of keys.entries()) {
        const { named, repeated } = (places[place] ??= { named: new Set(), repeated: new Set() });
        const digest = digestOf(subject);
        const { size } = named;
        if (named.add(digest).size === size) repeated.add(digest);
      }
    },
    /** By place in the rows' lists of keys: the subjects that more than one row names there. */
    repeated: (): readonly ReadonlySet<string>[] => places.map(({ repeated }) => repeated),
  };
}

/** Rows about the same subjects side by side. */
interface Conflicts {
  readonly add: (row: number, key: Key) => void;
  /** Later rows that want the same of their subject as its first row, and those that want something else: by row, that first row. */
  readonly repeats: ReadonlyMap<number, number>;
  readonly opponents: ReadonlyMap<number, number>;
}

function createConflicts(subjects: ReadonlySet<string>): Conflicts {
  const firsts = new Map<string, { readonly row: number; readonly desired: string }>();
  const repeats = new Map<number, number>();
  const opponents = new Map<number, number>();
  return {
    repeats,
    opponents,
    add: (row, { subject, desired }) => {
      if (!subjects.has(digestOf(subject))) return;
      const first = firsts.get(subject);
      if (first) (first.desired === desired ? repeats : opponents).set(row, first.row);
      else firsts.set(subject, { row, desired });
    },
  };
}

/** Place by place: only its first subject makes a row a repeat, and whoever repeats a row that contradicts another contradicts it too. */
function settleConflicts(places: readonly Conflicts[], lines: readonly number[]): Map<number, Settled> {
  const settled = new Map<number, Settled>();
  const settle = (row: number, outcome: Settled): void => void (settled.has(row) || settled.set(row, outcome));
  for (const [place, { repeats, opponents }] of places.entries()) {
    const firstOpponents = new Map<number, number>();
    for (const [row, first] of opponents) if (!firstOpponents.has(first)) firstOpponents.set(first, row);
    for (const [first, row] of firstOpponents) settle(first, contradiction(lines[row]));
    for (const [row, first] of opponents) settle(row, contradiction(lines[first]));
    for (const [row, first] of repeats) {
      const opponent = firstOpponents.get(first);
      if (opponent !== undefined) settle(row, contradiction(lines[opponent]));
      else if (place === 0) settle(row, { ...DUPLICATE, message: `The same as line ${lines[first]}.` });
    }
  }
  return settled;
}

const DUPLICATE = { status: 'unprocessed', code: 'DUPLICATE' } as const;

const contradiction = (line = 0): Settled => ({
  status: 'invalid',
  code: 'CONTRADICTION',
  message: `Line ${line} asks something else of the same person, group or address.`,
});

/** Finds for each blocked change the row that it waits for, and those that wait for nobody who could free them; what waits in a circle is invalid. */
function followBlocked(
  blocked: ReadonlyMap<number, string>,
  holders: ReadonlyMap<string, number>,
  settled: Map<number, Settled>,
  lines: readonly number[],
): { readonly dependencies: ReadonlyMap<number, number>; readonly failing: ReadonlySet<number> } {
  const awaited = new Map<number, number>();
  for (const [row, by] of blocked) {
    const holder = holders.get(by);
    if (holder !== undefined && holder !== row && !settled.has(row)) awaited.set(row, holder);
  }
  for (const circle of circlesIn(awaited))
    for (const [place, row] of circle.entries())
      settled.set(row, { status: 'invalid', code: 'CONTRADICTION', message: circleMessage(circle, place, lines) });

  const [freed, failing] = [new Set<number>(), new Set<number>()];
  const waits = (row: number | undefined): row is number =>
    row !== undefined && blocked.has(row) && !settled.has(row) && !freed.has(row) && !failing.has(row);
  for (const start of blocked.keys()) {
    // To the end of those that wait for one another: where that one can never be made, none of them can.
    const path: number[] = [];
    let row: number | undefined = start;
    for (; waits(row); row = awaited.get(row)) path.push(row);
    const isFreed = row !== undefined && !settled.has(row) && !failing.has(row);
    for (const one of path) (isFreed ? freed : failing).add(one);
  }
  const dependencies = new Map([...awaited].filter(([row]) => !settled.has(row) && !failing.has(row)));
  return { dependencies, failing };
}

/** Gives rows that can never be made the reason that planning found. */
async function settleFailing(
  readPlan: ReadPlan,
  failing: ReadonlySet<number>,
  settled: Map<number, Settled>,
): Promise<void> {
  for await (const rows of readPlan())
    for (const row of rows) {
      if (row.kind !== 'change' || !row.blocked || !failing.has(row.row)) continue;
      const { code, message, httpStatus, traceId } = row.blocked;
      settled.set(row.row, { status: 'failed', code, message, httpStatus, traceId });
    }
}

/** Each row waits for one other at most, so whoever follows the rows meets a circle or an end. */
function circlesIn(awaited: ReadonlyMap<number, number>): readonly (readonly number[])[] {
  const circles: (readonly number[])[] = [];
  const followed = new Set<number>();
  for (const start of awaited.keys()) {
    const path: number[] = [];
    let row: number | undefined = start;
    while (row !== undefined && !followed.has(row)) {
      followed.add(row);
      path.push(row);
      row = awaited.get(row);
    }
    const met = row === undefined ? -1 : path.indexOf(row);
    if (met >= 0) circles.push(path.slice(met));
  }
  return circles;
}

const LINES_NAMED = 10;

/** What is said of the row at `place` of a circle: the lines from it on. */
function circleMessage(circle: readonly number[], place: number, lines: readonly number[]): string {
  const named = Array.from(
    { length: Math.min(circle.length, LINES_NAMED) },
    (_, index) => lines[circle[(place + index) % circle.length] ?? 0],
  );
  const names =
    circle.length > LINES_NAMED
      ? `${named.join(', ')} and others`
      : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
  return `Lines ${names} take one another's addresses in a circle, so none can be first; give one a spare address now and its own in a later file.`;
}
