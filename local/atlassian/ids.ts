/** Account ids of those who come while the server runs; the colon is Atlassian's own. */
export const accountIdOf = (n: number): string => `712020:${uuid('90000000', n)}`;

/** The nth of a series of ids that look like random ones and are not. */
export const uuid = (series: string, n: number): string =>
  `${series}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
