import * as z from 'zod';

import type { ObjectStore } from '../ports.ts';
import { validationKey } from './keys.ts';

/** A row chunk `rows/<id>/<k>.ndjson.gz`, by its number k: its first row, and the SHA-256 of the object. */
const rowChunkSchema = z.object({ firstRow: z.int().nonnegative(), sha256: z.string() });

/** A row chunk by its first row and its SHA-256. */
export type RowChunk = Readonly<z.infer<typeof rowChunkSchema>>;

/** What a validation found in a manifest: `jobs/<id>/validation.json`. With the row chunks, all that anybody needs of it. */
export const validationSchema = z.object({
  version: z.literal(3),
  rows: z.int().nonnegative(),
  /** SHA-256 of the manifest's bytes: the same file is the same, whatever it is called. */
  sha256: z.string(),
  encoding: z.string(),
  delimiter: z.string(),
  /** The header's cells as they are written. */
  header: z.array(z.string()),
  /** For each column of the file, the canonical name of ours that it holds, or null. */
  columns: z.array(z.string().nullable()),
  /** Header cells that are not ours; their columns are carried through untouched. */
  carriedColumns: z.array(z.string()),
  /** True in a file with a `rollcall_line` column: one escaping `'` is taken from its cells. */
  escaped: z.boolean(),
  /** A byte a row (see row-status.ts), deflated, base64: rows that will never be sent have theirs already. */
  rowStatuses: z.string(),
  /** Chunks that hold those rows' outcomes, in row order. */
  outcomeChunks: z.array(z.object({ name: z.string(), firstRow: z.int(), lastRow: z.int() })),
  /** By number, in row order. */
  rowChunks: z.array(rowChunkSchema),
  /** Carried columns that another operation has and this one has not, and which operation that is: the file may lie in the wrong folder. */
  foreign: z.object({ operation: z.string(), columns: z.array(z.string()) }).optional(),
  /** In an undo: the job that it takes back, and the operation that this performs. */
  undoes: z.object({ jobId: z.string(), operation: z.string() }).optional(),
});

/** What validation found in a manifest: `jobs/<id>/validation.json`. */
export type Validation = Readonly<z.infer<typeof validationSchema>>;

/** What a job's validation found; `undefined` when there is none. */
export async function readValidation(results: ObjectStore, jobId: string): Promise<Validation | undefined> {
  const stored = await results.read(validationKey(jobId));
  return stored && validationSchema.parse(JSON.parse(await stored.text()));
}
