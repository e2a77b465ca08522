import type { Cells } from '../../shared/operations/operation.ts';

/** What a manifest of the corpus must come to: a report with these counts, or a refusal with line and remedy. */
export type Ending = Report | Refusal;

export interface Report {
  readonly kind: 'report';
  readonly rows: number;
  /** Rows that are planned: those that are not invalid by themselves. */
  readonly sound: number;
  readonly invalid: number;
  readonly encoding?: string;
  readonly delimiter?: string;
  /** Our cells of each sound row. */
  readonly cells?: readonly Cells[];
  /** Columns that are not ours. */
  readonly carried?: readonly string[];
}

export interface Refusal {
  readonly kind: 'refusal';
  readonly line: number | undefined;
  readonly says: RegExp;
}

/** An odd or hostile manifest. */
export interface Entry {
  readonly name: string;
  /** Made when it is its turn, since some are large. */
  readonly bytes: () => Buffer;
  readonly operation?: string;
  readonly ending: Ending;
}

/** Ends in a report: every row is sound unless the counts say otherwise. */
export function report(rows: number, more: Partial<Omit<Report, 'kind' | 'rows'>> = {}): Report {
  const { invalid = 0 } = more;
  return { kind: 'report', rows, sound: rows - invalid, invalid, ...more };
}

export const refusal = (line: number | undefined, says: RegExp): Refusal => ({ kind: 'refusal', line, says });

/** An entry of UTF-8 text. */
export const textEntry = (name: string, text: string, ending: Ending, operation?: string): Entry => ({
  name,
  bytes: () => Buffer.from(text),
  ending,
  ...(operation !== undefined && { operation }),
});
