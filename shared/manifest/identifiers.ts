// Spaces of every width, and what has no width at all: zero-width spaces and joiners, soft hyphens, marks of
// direction, byte order marks. Pasted text brings them along, and nobody sees them.
const UNSEEN = /[\s\u00AD\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/;

/** A cell without the spaces around it, non-breaking and zero-width ones included. */
export function trimIdentifier(cell: string): string {
  if (cell.length === 0 || (isPlain(cell.charCodeAt(0)) && isPlain(cell.charCodeAt(cell.length - 1)))) return cell;
  // From each end by itself: one expression for both would cost the square of a run of spaces that a cell holds inside.
  let start = 0;
  let end = cell.length;
  while (start < end && isUnseen(cell, start)) start += 1;
  while (end > start && isUnseen(cell, end - 1)) end -= 1;
  return cell.slice(start, end);
}

const isUnseen = (cell: string, at: number): boolean => !isPlain(cell.charCodeAt(at)) && UNSEEN.test(cell.charAt(at));

/** Whether nothing can be seen in a cell. */
export const isBlank = (cell: string): boolean => cell.length === 0 || trimIdentifier(cell).length === 0;

/** What column names are compared by: without case, spaces, `_` and `-`. */
export const columnKey = (name: string): string =>
  trimIdentifier(name)
    .toLowerCase()
    .replace(/[\s_-]+/g, '');

const isPlain = (code: number): boolean => code > 0x20 && code < 0x7f;
