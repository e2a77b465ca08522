import * as z from 'zod';

/** A place in the manifest at which a row begins: its row number, its line, and its byte offset. */
const positionSchema = z.object({
  row: z.int().nonnegative(),
  line: z.int().positive(),
  offset: z.int().nonnegative(),
});

export type Position = Readonly<z.infer<typeof positionSchema>>;

/** How many rows lie between two kept positions. */
export const POSITION_EVERY = 2_000;

/** What a validation found in a manifest: `jobs/<id>/validation.json`. Enough to enqueue any row without reading the file again from its start. */
export const validationSchema = z.object({
  version: z.literal(1),
  rows: z.int().nonnegative(),
  encoding: z.string(),
  delimiter: z.string(),
  /** Header cells as written that are not ours; their columns are carried through untouched. */
  carriedColumns: z.array(z.string()),
  /** For each column of the file, the canonical name of ours that it holds, or null. */
  columns: z.array(z.string().nullable()),
  /** True in a file with a `rollcall_line` column: one escaping `'` is taken from its cells. */
  escaped: z.boolean(),
  /** A byte a row (see row-status.ts), deflated, base64: rows that will never be sent have theirs already. */
  rowStatuses: z.string(),
  /** Chunks that hold those rows' outcomes, in row order. */
  chunks: z.array(z.object({ name: z.string(), firstRow: z.int(), lastRow: z.int() })),
  /** The first data row's position, and one every POSITION_EVERY rows. */
  positions: z.array(positionSchema),
  /** Whether rows name people or groups in different terms, some by id and some by address or name. */
  mixed: z.boolean().optional(),
  /** Whether `jobs/<id>/order.jsonl` is there. */
  ordered: z.boolean(),
});

export type Validation = Readonly<z.infer<typeof validationSchema>>;
