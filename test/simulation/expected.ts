import type { Code, Status } from '../../shared/job/outcome.ts';
import { takenFrom, type Place, type PlannedRow } from './planned-rows.ts';

/** The status and code of a row when nothing goes wrong, and the part of the pipeline that decides it. */
export interface Expected {
  readonly status: Status;
  readonly code?: Code | undefined;
  readonly decidedBy: 'validation' | 'plan' | 'apply';
}

const CONTRADICTION: Expected = { status: 'invalid', code: 'CONTRADICTION', decidedBy: 'plan' };
const NOT_FOUND: Expected = { status: 'failed', code: 'USER_NOT_FOUND', decidedBy: 'plan' };
const DUPLICATE: Expected = { status: 'unprocessed', code: 'DUPLICATE', decidedBy: 'plan' };

/** What becomes of the row at `row` when nothing goes wrong. */
export function expectedOf(row: number, places: readonly Place[]): Expected {
  const place = places[row]!; // a row's number
  const alone = expectedAlone(place, places);
  if (!isCompared(place)) return alone;
  const same = [...places.keys()].filter((one) => places[one]!.index === place.index && isCompared(places[one]!));
  if (same.some((one) => places[one]!.isOpposed !== place.isOpposed)) return CONTRADICTION;
  return same[0] === row ? alone : DUPLICATE;
}

/** Of a person whom the plan does not find, or may not change, nothing is compared. */
const isCompared = ({ kind, isOutdated }: Place): boolean =>
  !isOutdated && kind !== 'unknown' && kind !== 'invalid' && kind !== 'external';

function expectedAlone(place: Place, places: readonly Place[]): Expected {
  switch (place.kind) {
    case 'already':
      return place.isOutdated ? NOT_FOUND : { status: 'unchanged', decidedBy: 'plan' };
    case 'unknown':
      return NOT_FOUND;
    case 'invalid':
      return { status: 'invalid', code: 'INVALID_ROW', decidedBy: 'validation' };
    case 'external':
      return { status: 'failed', code: 'GROUP_EXTERNAL', decidedBy: 'plan' };
    case 'takes':
      return expectedOfTaker(place, places);
    case 'change':
    case 'repeat':
    case 'contradicts':
      return { ...expectedOfWrite(place), decidedBy: 'apply' };
    default:
      return place.kind satisfies never;
  }
}

function expectedOfWrite({ trouble }: PlannedRow): Omit<Expected, 'decidedBy'> {
  switch (trouble) {
    case 'poison':
      return { status: 'failed', code: 'WORKER_DIED' };
    case 'forbidden':
      return { status: 'failed', code: 'FORBIDDEN' };
    case 'failing':
      return { status: 'failed', code: 'ATLASSIAN_ERROR' };
    case 'lost before':
      return { status: 'failed', code: 'TIMED_OUT' };
    case 'lost after':
    case undefined:
      return { status: 'changed' };
    default:
      return trouble satisfies never;
  }
}

/**
 * A row that takes another's address is applied when that row deletes it. Rows that wait in a circle, or that want
 * one address, are invalid; one whose address nobody will free is refused by the plan.
 */
function expectedOfTaker(place: Place, places: readonly Place[]): Expected {
  const inUse = { status: 'failed', code: 'EMAIL_IN_USE' } as const;
  if (hasRival(place, places)) return CONTRADICTION;
  const seen = new Set<number>();
  let frees = true;
  for (let index = takenFrom(place); index !== undefined;) {
    if (index === place.index) return CONTRADICTION;
    const next = places[index]!; // a row's number
    if (next.index !== index || next.kind === 'already' || next.kind === 'unknown') break;
    if (seen.has(index) || next.kind === 'invalid' || hasRival(next, places)) return { ...inUse, decidedBy: 'plan' };
    seen.add(index);
    frees &&= expectedOfWrite(next).status === 'changed';
    index = takenFrom(next);
  }
  return { ...(frees ? expectedOfWrite(place) : inUse), decidedBy: 'apply' };
}

function hasRival(place: Place, places: readonly Place[]): boolean {
  const from = takenFrom(place);
  if (from === undefined) return false;
  return places.some((other, index) => other.index === index && index !== place.index && takenFrom(other) === from);
}
