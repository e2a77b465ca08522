import { foldCase } from '../folding.ts';
import type { TargetFacts } from '../target.ts';
import type { Cells, Column } from './operation.ts';

/** Columns that several operations share, with the spellings of Atlassian's exports and of the articles that admins follow. */
export const ACCOUNT_ID = column(
  'accountId',
  ['account_id', 'User id', 'userid', 'Atlassian ID'],
  "The person's account id; where an e-mail address is given too, the id decides and the address must be this account's.",
);

export const EMAIL: Column = {
  ...column('email', ['emailAddress'], "The person's present e-mail address."),
  resembles: /mail|principal|\bupn\b|address|login|correo|courriel/i,
};

export const USERNAME: Column = {
  ...column('username', [], "The person's username in Jira Data Center."),
  resembles: /user|login|account|benutzer|uid/i,
};

export const ORG_ID = column('orgId', ['org_id'], "The organisation's id; where given, it must be the target's.");

/** A column of ours; its own name is read as the aliases are. */
export function column(name: string, aliases: readonly string[], about: string): Column {
  return { name, aliases, about };
}

/** The same column, where it says what is to be done. */
export const telling = (one: Column): Column => ({ ...one, telling: true });

/** A person as a row names them, or by account id alone; where both are given, the id decides. */
export type UserReference =
  | { readonly accountId: string; readonly email?: string | undefined }
  | { readonly accountId?: undefined; readonly email: string };

/** A person of Data Center. Jira compares usernames without case. */
export interface UsernameReference {
  readonly username: string;
}

/** The key of a person as a subject, by what names them. */
export function userKey(user: UserReference | UsernameReference): string {
  if ('username' in user) return `username:${user.username.toLowerCase()}`;
  return user.accountId === undefined ? `email:${foldCase(user.email)}` : `account:${user.accountId}`;
}

/** A row's cells as an operation's own row, or everything that is wrong with them. */
export type Parsed<Row> = { readonly row: Row } | { readonly problems: readonly string[] };

/** Reads one row cell by cell and keeps every problem: an unreadable or absent cell is `undefined`. */
export interface RowReader {
  readonly text: (column: string) => string | undefined;
  /** As text, but an empty cell is a problem. */
  readonly filled: (column: string, expected: string) => string | undefined;
  /** The person, by accountId or by email; a row with neither has a problem. */
  readonly user: () => UserReference | undefined;
  /** A row without one has a problem. */
  readonly username: () => UsernameReference | undefined;
  readonly accountId: () => string | undefined;
  /** As text; a UUID in capitals or braces is one all the same. */
  readonly uuid: (column: string) => string | undefined;
  /** An orgId that is not the target's is a problem. */
  readonly organisation: (target: TargetFacts) => void;
  /** As written; compare with sameEmail. */
  readonly email: (column: string) => string | undefined;
  /** Case does not matter; gives the choice as it is spelt in `choices`. */
  readonly oneOf: <Choice extends string>(column: string, choices: readonly Choice[]) => Choice | undefined;
  readonly wrong: (problem: string) => void;
  /** The row, unless something was wrong. */
  readonly settle: <Row>(row: Row | undefined) => Parsed<Row>;
}

export function readRow(cells: Cells): RowReader {
  const problems: string[] = [];
  const wrong = (problem: string): void => void problems.push(problem);
  const fitting = (name: string, fits: (cell: string) => boolean, expected: string): string | undefined => {
    const cell = cells[name];
    if (cell === undefined || fits(cell)) return cell;
    wrong(`${name}: ${quoted(cell)} is not ${expected}.`);
    return undefined;
  };
  const text = (name: string) => cells[name];
  const filled = (name: string, expected: string) => {
    if (cells[name] === undefined) wrong(`${name}: it is empty; ${expected} is expected.`);
    return cells[name];
  };
  const uuid = (name: string) => plainUuid(cells[name]);
  const accountId = () =>
    cells['accountId'] === undefined || isAccountId(plainUuid(cells['accountId']) ?? '')
      ? plainUuid(cells['accountId'])
      : fitting('accountId', isAccountId, ACCOUNT_ID_EXPECTED);
  const organisation = (target: TargetFacts): void => {
    const orgId = uuid('orgId');
    const expected = target.type === 'cloud' ? target.orgId : undefined;
    if (orgId === undefined || orgId.toLowerCase() === expected?.toLowerCase()) return;
    wrong(
      `orgId: ${quoted(orgId)} is not the organisation of the target ${target.name}; ${expected ?? 'an empty cell'} is expected.`,
    );
  };
  const email = (name: string) => fitting(name, isEmail, EMAIL_EXPECTED);
  return {
    text,
    filled,
    user: () => {
      const user = { accountId: accountId(), email: email('email') };
      if (user.accountId !== undefined) return { accountId: user.accountId, email: user.email };
      if (user.email !== undefined) return { email: user.email };
      const isEmpty = text('accountId') === undefined && text('email') === undefined;
      if (isEmpty) wrong('accountId, email: both are empty; one of them must say whom the row is about.');
      return undefined;
    },
    username: () => {
      const username = filled('username', 'the username of the person');
      return username === undefined ? undefined : { username };
    },
    accountId,
    uuid,
    organisation,
    email,
    oneOf: (name, choices) => {
      const chosen = choices.find((choice) => choice.toLowerCase() === cells[name]?.toLowerCase());
      if (chosen === undefined) fitting(name, () => false, `one of ${choices.join(', ')}`);
      return chosen;
    },
    wrong,
    settle: (row) => (row === undefined || problems.length > 0 ? { problems } : { row }),
  };
}

const UUID = /^\{?((?:\d+:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;

/** Microsoft's tools write UUIDs in capitals and in braces; Atlassian's ids have them in small letters. */
const plainUuid = (cell: string | undefined): string | undefined =>
  cell === undefined ? undefined : (UUID.exec(cell)?.[1]?.toLowerCase() ?? cell);

/** A cell's content as a message may show it: quoted, control characters escaped, cut to 80 characters. */
export function quoted(cell: string): string {
  const shown = cell.length > 80 ? `${cell.slice(0, 80)}…` : cell;
  return JSON.stringify(shown.toWellFormed());
}

const ACCOUNT_ID_EXPECTED =
  'an account id; 1 to 128 letters, digits, _, |, : or - are expected, as in the User id column of an export';

// The pattern is that of Atlassian's user management API.
const isAccountId = (cell: string): boolean => /^[a-zA-Z0-9_|:-]{1,128}$/.test(cell);

const EMAIL_EXPECTED =
  'an e-mail address; name@domain alone is expected, without spaces, quotes, brackets or anything else around it, at most 254 characters';

// What mail programs and spreadsheets put around an address is none of it: RFC 5322's specials, the quotes of word processors, and
// at its start an apostrophe, asterisk, exclamation mark or backtick, with which no address is given out. Dots are taken within a name as some
// providers gave them out; 254 characters is what SMTP's path limit leaves for an address (RFC 5321, erratum 1690).
const NAME = String.raw`(?![.'*!\x60])[^\s\p{C}\p{Pi}\p{Pf}\u201A\u201E\u2032\u2033\uFF02\uFF07()<>\[\]:;@\\,"]+`;
// Letters, digits and hyphens between them (RFC 1123; of international names RFC 5891).
const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}])?`;
const EMAIL_PATTERN = new RegExp(String.raw`^${NAME}@${LABEL}(?:\.${LABEL})*$`, 'u');
const isEmail = (cell: string): boolean => cell.length <= 254 && EMAIL_PATTERN.test(cell);
