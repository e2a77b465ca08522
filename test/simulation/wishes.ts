import type { Target } from '../../shared/target.ts';
import type { FakeLag } from '../fakes/atlassian-watch.ts';
import { expectedOf, type Expected } from './expected.ts';
import { takenFrom, type Place, type PlannedRow, type SimulatedOperation } from './planned-rows.ts';
import { MAKERS, siteOf, type AnySite, type Maker } from './row-makers.ts';

/** A row of a manifest, with what its wish means at Atlassian. */
export interface Wish {
  readonly cells: readonly string[];
  readonly trouble: PlannedRow['trouble'];
  /** Its write, as JSON of name and arguments; absent where nothing may be written. */
  readonly write: string | undefined;
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
  // A repeat is of the row before it, whatever that is.
  const places = rows.map((row, index): Place => {
    const original = rows.slice(0, index + 1).findLastIndex(({ kind }) => kind !== 'repeat');
    return original === -1 ? { ...row, kind: 'change', index, rows } : { ...rows[original]!, index: original, rows };
  });
  return {
    operation: maker.operation,
    header: maker.header,
    rows: places.map((place, index) => wishOf(maker, place, place.index !== index, places)),
    site: siteOf(name, maker, places),
    target: targetOf(name, targetName),
  };
}

function wishOf(maker: Maker, place: Place, isRepeat: boolean, places: readonly Place[]): Wish {
  const expected =
    isRepeat && place.kind !== 'invalid'
      ? ({ status: 'unprocessed', code: 'DUPLICATE' } as const)
      : expectedOf(place, places);
  const mayBeWritten = ['change', 'takes'].includes(place.kind) && expectedOf(place, places).status !== 'invalid';
  return {
    cells: maker.cells(place),
    trouble: place.trouble,
    write: mayBeWritten ? JSON.stringify(maker.write(place)) : undefined,
    holds: (site) => maker.holds(site, place),
    expected,
    takesFrom: takenFrom(place),
  };
}

function targetOf(name: SimulatedOperation, targetName: string): Target {
  return name.startsWith('data-center/')
    ? { type: 'data-center', name: targetName, baseUrl: 'https://jira.acme.example', token: 'token-1' }
    : {
        type: 'cloud',
        name: targetName,
        siteUrl: 'https://acme.example.net',
        email: 'admin@acme.example',
        apiToken: 'token-1',
        orgId: 'org-1',
        orgApiKey: 'key-1',
        apiUrl: 'https://api.acme.example',
      };
}
