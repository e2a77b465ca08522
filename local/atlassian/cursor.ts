import { type Answer, because, organisationError, Refused } from './answer.ts';

/** Where the next page of a search begins, and what was searched for. */
export interface Cursor {
  readonly at: number;
  readonly search: unknown;
}

/** An opaque text, as v2 hands out: no URL, and nothing that a client could read. */
export const writeCursor = (cursor: Cursor): string => Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** Reads a cursor of ours; anything else is ADMIN-400-1. */
export function readCursor(text: string): Cursor {
  try {
    const cursor: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (isCursor(cursor)) return cursor;
  } catch {
    // Not ours: refused below like any other.
  }
  throw new Refused(because('send links.next as it was given', INVALID));
}

const INVALID: Answer = organisationError(400, 'ADMIN-400-1', 'Invalid page cursor');

const isCursor = (value: unknown): value is Cursor =>
  typeof value === 'object' && value !== null && 'at' in value && Number.isSafeInteger(value.at) && 'search' in value;
