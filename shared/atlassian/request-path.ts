import { Refusal } from './errors.ts';

export type Query = readonly (readonly [name: string, value: string])[];

/** A path template filled in, and its query: every value percent-encoded, so no cell can leave its place. Throws Refusal for a value that is no path segment. */
export function fillPath(template: string, values: Readonly<Record<string, string>>, query: Query = []): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeSegment(values[name] ?? ''));
  return query.length === 0 ? path : `${path}?${query.map(([name, value]) => `${name}=${encode(value)}`).join('&')}`;
}

function encodeSegment(value: string): string {
  // Percent-encoding does not keep these three from being read as a step in the path.
  if (value === '' || value === '.' || value === '..') {
    throw new Refusal('REQUEST_REFUSED', `"${value}" is no id at Atlassian; nothing was sent. Correct the id.`);
  }
  return encode(value);
}

/** A lone surrogate has no encoding: it becomes U+FFFD, which no id or name contains. */
const encode = (value: string): string => encodeURIComponent(value.toWellFormed());

/** What stands before each value in a query, at the longest. */
const LONGEST_NAME = '&groupName=';

/** Splits what is asked for into calls that stay under a number of values and a length of their encoded query. */
export function inChunks(
  values: readonly string[],
  limits: { readonly count: number; readonly characters?: number },
): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let room = 0;
  for (const value of new Set(values)) {
    const length = LONGEST_NAME.length + encode(value).length;
    const last = chunks.at(-1);
    if (last === undefined || last.length >= limits.count || room < length) {
      chunks.push([value]);
      room = (limits.characters ?? Infinity) - length;
    } else {
      last.push(value);
      room -= length;
    }
  }
  return chunks;
}
