import type { Cells } from './operation.ts';

/** A row's cells as a wish, or everything that is wrong with them. */
export type Parsed<Wish> = { readonly wish: Wish } | { readonly problems: readonly string[] };

/** Reads one row cell by cell and keeps every problem: an unreadable or absent cell is `undefined`. */
export interface RowReader {
  readonly text: (column: string) => string | undefined;
  readonly accountId: () => string | undefined;
  /** As written; compare with sameEmail. */
  readonly email: (column: string) => string | undefined;
  /** Case does not matter; gives the choice as it is spelt in `choices`. */
  readonly oneOf: <Choice extends string>(column: string, choices: readonly Choice[]) => Choice | undefined;
  readonly wrong: (problem: string) => void;
  /** The wish, unless something was wrong. */
  readonly settle: <Wish>(wish: Wish | undefined) => Parsed<Wish>;
}

export function readRow(cells: Cells): RowReader {
  const problems: string[] = [];
  const wrong = (problem: string): void => void problems.push(problem);
  const fitting = (column: string, fits: (cell: string) => boolean, expected: string): string | undefined => {
    const cell = cells[column];
    if (cell === undefined || fits(cell)) return cell;
    wrong(`${column}: ${quoted(cell)} is not ${expected}.`);
    return undefined;
  };
  return {
    text: (column) => cells[column],
    accountId: () => fitting('accountId', isAccountId, ACCOUNT_ID_EXPECTED),
    email: (column) => fitting(column, isEmail, EMAIL_EXPECTED),
    oneOf: (column, choices) => {
      const chosen = choices.find((choice) => choice.toLowerCase() === cells[column]?.toLowerCase());
      if (chosen === undefined) fitting(column, () => false, `one of ${choices.join(', ')}`);
      return chosen;
    },
    wrong,
    settle: (wish) => (wish === undefined || problems.length > 0 ? { problems } : { wish }),
  };
}

/** A cell's content as a message may show it: quoted, control characters escaped, cut to 80 characters. */
export function quoted(cell: string): string {
  const shown = cell.length > 80 ? `${cell.slice(0, 80)}…` : cell;
  return JSON.stringify(shown.toWellFormed());
}

/** Atlassian compares addresses without case. */
export const sameEmail = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const ACCOUNT_ID_EXPECTED =
  'an account id; 1 to 128 letters, digits, _, |, : or - are expected, as in the User id column of an export';

// The pattern is that of Atlassian's user management API.
const isAccountId = (cell: string): boolean => /^[a-zA-Z0-9_|:-]{1,128}$/.test(cell);

const EMAIL_EXPECTED =
  'an e-mail address; name@domain alone is expected, without spaces, brackets or anything else around it, at most 254 characters';

// What mail programs put around an address is none of RFC 5322's atoms. Dots are taken within a name as some providers gave
// them out; 254 characters is what SMTP's path limit leaves for an address (RFC 5321, erratum 1690).
const NAME = String.raw`[^\s\p{C}()<>\[\]:;@\\,"]+`;
const LABEL = String.raw`[^\s\p{C}()<>\[\]:;@\\,".]+`;
const EMAIL = new RegExp(String.raw`^(?!\.)${NAME}@${LABEL}(?:\.${LABEL})*$`, 'u');
const isEmail = (cell: string): boolean => cell.length <= 254 && EMAIL.test(cell);
