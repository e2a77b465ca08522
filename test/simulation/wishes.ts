import type { Target } from '../../shared/target.ts';
import type { FakeLag } from '../fakes/atlassian-watch.ts';
import { expectedOf, type Expected } from './expected.ts';
import { takenFrom, type Place, type PlannedRow, type SimulatedOperation } from './planned-rows.ts';
import { MAKERS, siteOf, subjectOf, type AnySite, type Maker } from './row-makers.ts';

/** A row of a manifest, with what its wish means at Atlassian. */
export interface Wish {
  readonly cells: readonly string[];
  readonly trouble: PlannedRow['trouble'];
  /** Its write, as JSON of name and arguments; absent where nothing may be written. */
  readonly write: string | undefined;
  /** What somebody else may do about the same subject: the row's own change, or something against it. */
  readonly others: { readonly same: readonly unknown[]; readonly against: readonly unknown[] };
  /** Whom or what it is about, as its write names it. */
  readonly subject: string;
  /** Whether Atlassian is as the row wants it. */
  readonly holds: (site: AnySite) => boolean;
  readonly expected: Expected;
  /** The row whose address this one takes. */
  readonly takesFrom: number | undefined;
}

/** A manifest with the Atlassian that it is meant for. */
export interface Wishes {
  readonly operation: string;
  readonly header: readonly string[];
  readonly rows: readonly Wish[];
  /** The same Atlassian each time, as it is before the job. */
  readonly site: (lag?: FakeLag) => AnySite;
  readonly target: Target;
}

const KINDS_ELSEWHERE: Readonly<Partial<Record<PlannedRow['kind'], readonly SimulatedOperation[]>>> = {
  external: ['membership'],
  takes: ['email-change'],
  contradicts: ['membership', 'data-center/membership'],
};

/** The planned rows as a manifest; a kind that an operation does not know is a plain change. */
export function makeWishes(name: SimulatedOperation, targetName: string, planned: readonly PlannedRow[]): Wishes {
  const maker = MAKERS[name];
  const isCreation = maker.operation === 'creation';
  const rows = planned.map((row) => {
    const elsewhere = KINDS_ELSEWHERE[row.kind];
    const foreign =
      (elsewhere && !elsewhere.includes(name)) ||
      (isCreation && row.kind === 'unknown') ||
      (row.kind === 'takes' && (row.ahead ?? 1) % planned.length === 0);
    return foreign ? { ...row, kind: 'change' as const } : row;
  });
  const places = rows.map((row, index): Place => {
    const place = placeOf(row, index, rows);
    return { ...place, isOutdated: maker.isOutdated?.(place) ?? false };
  });
  return {
    operation: maker.operation,
    header: maker.header,
    rows: places.map((_, row) => wishOf(maker, row, places)),
    site: siteOf(name, maker, places),
    target: targetOf(name, targetName),
  };
}

/** A repeat is of the row before it, whatever that is; a row contradicts the one before it, where that one can be contradicted. */
function placeOf(row: PlannedRow, index: number, rows: readonly PlannedRow[]): Omit<Place, 'isOutdated'> {
  const own = { index, rows, isOpposed: false };
  const isOwn = row.kind !== 'repeat' && row.kind !== 'contradicts';
  const original = isOwn ? index : rows.slice(0, index).findLastIndex(({ kind }) => !FOLLOWERS.includes(kind));
  const first = rows[original];
  const isOpposed = row.kind === 'contradicts';
  if (!first || (isOpposed && first.kind === 'external')) return { ...row, ...own, kind: 'change' };
  return { ...first, index: original, rows, isOpposed, respelt: !isOwn && row.respelt };
}

const FOLLOWERS: readonly PlannedRow['kind'][] = ['repeat', 'contradicts'];

function wishOf(maker: Maker, row: number, places: readonly Place[]): Wish {
  const place = places[row]!; // a row's number
  const mayBeWritten = ['change', 'takes'].includes(place.kind) && expectedOf(place.index, places).status !== 'invalid';
  const write = maker.write(place);
  return {
    cells: maker.cells(place),
    trouble: place.trouble,
    write: mayBeWritten ? JSON.stringify(write) : undefined,
    others: { same: write, against: maker.against(place) },
    subject: subjectOf(write),
    holds: (site) => maker.holds(site, place),
    expected: expectedOf(row, places),
    takesFrom: takenFrom(place),
  };
}

/** The rows that a change of this subject by somebody else may concern: its own, and those in whose chains of addresses it is. */
export function rowsAround(subject: string, rows: readonly Wish[]): ReadonlySet<number> {
  const around = new Set(rows.flatMap((wish, row) => (wish.subject === subject ? [row] : [])));
  // A set's iteration goes on to what is added meanwhile.
  for (const row of around) {
    const from = rows[row]?.takesFrom;
    if (from !== undefined) around.add(from);
    rows.forEach((other, index) => {
      if (other.takesFrom === row || other.subject === rows[row]?.subject) around.add(index);
    });
  }
  return around;
}

function targetOf(name: SimulatedOperation, targetName: string): Target {
  const secretName = `rollcall/${targetName}`;
  return name.startsWith('data-center/')
    ? { type: 'data-center', name: targetName, secretName, baseUrl: 'https://jira.acme.example', token: 'token-1' }
    : {
        type: 'cloud',
        name: targetName,
        secretName,
        siteUrl: 'https://acme.example.net',
        email: 'admin@acme.example',
        apiToken: 'token-1',
        orgId: 'org-1',
        orgApiKey: 'key-1',
        apiUrl: 'https://api.acme.example',
      };
}
