import type { Cloud, DataCenter } from '../atlassian/apis.ts';
import type { NoAnswer, RateLimited, Refusal } from '../atlassian/errors.ts';
import type { Target } from '../target.ts';

/** A column of ours. Its name is canonical and stands in tasks; aliases are compared without case, spaces, `_` and `-`. */
export interface Column {
  readonly name: string;
  readonly aliases: readonly string[];
  /** One sentence for the documentation. */
  readonly about: string;
}

/** Our cells of one row by canonical column name, trimmed; empty ones are absent. */
export type Cells = Readonly<Record<string, string>>;

/** A thing at Atlassian that a row is about, and what the row wants of it. Same thing and wish: a repeat; same thing, other wish: a contradiction. */
export interface Claim {
  readonly thing: string;
  readonly wish: string;
}

/** What checking a row's cells gives: all its problems, or what it claims. */
export type Checked =
  | { readonly problems: readonly string[] }
  | {
      readonly claims: readonly Claim[];
      /** In which terms the row names what it is about (by id, by address): rows that use different ones can only be compared when they have been looked up. */
      readonly naming?: string | undefined;
      /** The address that this row deletes and the one it takes, lower-cased: a taker waits for the row that frees. */
      readonly frees?: string | undefined;
      readonly takes?: string | undefined;
    };

/** What a write came to. */
export interface Written {
  readonly status: 'changed' | 'unchanged';
  readonly httpStatus?: number | undefined;
  readonly traceId?: string | undefined;
  readonly message?: string | undefined;
}

/** What looking gave for one row: it is so already, it cannot be, nothing could be seen this time, or it can be written. */
export type Sight =
  | { readonly kind: 'fulfilled'; readonly claims: readonly Claim[]; readonly message?: string | undefined }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** This row's own look-up must wait or got no answer; nothing was written, and the other rows of the batch do not suffer for it. */
  | { readonly kind: 'unseen'; readonly error: RateLimited | NoAnswer }
  | {
      readonly kind: 'ready';
      /** With ids in place of e-mails and names, so that one account written in two ways is found. */
      readonly claims: readonly Claim[];
      /** What was read and is about to change, for the job's events; JSON. */
      readonly before: unknown;
      /** One call; throws Refusal, RateLimited or NoAnswer. */
      readonly write: (signal: AbortSignal) => Promise<Written>;
    };

/** An operation against one type of target. */
export interface Recipe<Apis> {
  readonly columns: readonly Column[];
  /** Of each inner list at least one column must be in the header. */
  readonly required: readonly (readonly string[])[];
  /** What the canonical columns of a header mean together, place by place: `email` beside `newEmail` is `oldEmail`. Whoever maps a header applies it once. */
  readonly readHeader?: ((columns: readonly (string | null)[]) => readonly (string | null)[]) | undefined;
  readonly check: (cells: Cells, target: Target) => Checked;
  /** One Sight a row, in order. Throws only what concerns all of them (Refusal, RateLimited, NoAnswer). */
  readonly look: (rows: readonly Cells[], apis: Apis, signal: AbortSignal) => Promise<readonly Sight[]>;
}

/** A kind of change, for the types of target on which it exists. */
export interface Operation {
  readonly name: string;
  /** One sentence for the documentation and for messages. */
  readonly about: string;
  readonly cloud?: Recipe<Cloud> | undefined;
  readonly dataCenter?: Recipe<DataCenter> | undefined;
}
