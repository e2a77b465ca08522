import type { Code, Status } from '../../shared/job/outcome.ts';
import { takenFrom, type Place, type PlannedRow } from './planned-rows.ts';

/** The status and code of a row when nothing goes wrong. */
export interface Expected {
  readonly status: Status;
  readonly code?: Code | undefined;
}

/** What becomes of a row in its place when nothing goes wrong. */
export function expectedOf(place: Place, places: readonly Place[]): Expected {
  switch (place.kind) {
    case 'already':
      return { status: 'unchanged' };
    case 'unknown':
      return { status: 'failed', code: 'USER_NOT_FOUND' };
    case 'invalid':
      return { status: 'invalid', code: 'INVALID_ROW' };
    case 'external':
      return { status: 'failed', code: 'GROUP_EXTERNAL' };
    case 'takes':
      return expectedOfTaker(place, places);
    case 'change':
    case 'repeat':
      return expectedOfWrite(place);
    default:
      return place.kind satisfies never;
  }
}

function expectedOfWrite({ trouble }: PlannedRow): Expected {
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
 * one address, are invalid.
 */
function expectedOfTaker(place: Place, places: readonly Place[]): Expected {
  const inUse = { status: 'failed', code: 'EMAIL_IN_USE' } as const;
  const contradiction = { status: 'invalid', code: 'CONTRADICTION' } as const;
  if (hasRival(place, places)) return contradiction;
  const seen = new Set<number>();
  let frees = true;
  for (let index = takenFrom(place); index !== undefined;) {
    if (index === place.index) return contradiction;
    const next = places[index]!; // a row's number
    if (next.index !== index || next.kind === 'already' || next.kind === 'unknown') break;
    if (seen.has(index) || next.kind === 'invalid' || hasRival(next, places)) return inUse;
    seen.add(index);
    frees &&= expectedOfWrite(next).status === 'changed';
    index = takenFrom(next);
  }
  return frees ? expectedOfWrite(place) : inUse;
}

function hasRival(place: Place, places: readonly Place[]): boolean {
  const from = takenFrom(place);
  if (from === undefined) return false;
  return places.some((other, index) => other.index === index && index !== place.index && takenFrom(other) === from);
}
