import { validationKey } from '../../shared/job/keys.ts';
import type { State } from '../../shared/job/state.ts';
import { type Validation, validationSchema } from '../../shared/job/validation.ts';
import { parseEncoding } from '../../shared/manifest/encoding.ts';
import type { ManifestLimits } from '../../shared/manifest/limits.ts';
import { openManifest } from '../../shared/manifest/manifest.ts';
import { unescapeCell } from '../../shared/manifest/formula-escape.ts';
import type { ObjectStore } from '../../shared/ports.ts';

export interface ManifestRow {
  readonly row: number;
  /** 0 when it is not known. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A manifest that is read again: its header and its rows in order, as they were before we escaped them, if we did. */
export interface ManifestRows {
  readonly header: readonly string[];
  /** To be iterated once. */
  readonly batches: AsyncIterable<readonly ManifestRow[]>;
}

/** Opens a validated job's manifest; `undefined` when it, or what its validation found, is gone. Throws ManifestRefused when it is another file by now. */
export async function readManifestAgain(
  { inbox, results }: { readonly inbox: ObjectStore; readonly results: ObjectStore },
  { job }: State,
): Promise<ManifestRows | undefined> {
  const stored = await results.read(validationKey(job.id));
  if (!stored) return undefined;
  const validation = validationSchema.parse(JSON.parse(await stored.text()));
  const { key, versionId } = job.manifest;
  const object = await inbox.read(key, { versionId });
  return object && rowsOf(object.body, validation);
}

async function rowsOf(body: AsyncIterable<Uint8Array>, validation: Validation): Promise<ManifestRows> {
  const { encoding, delimiter, escaped } = validation;
  const { header, batches } = await openManifest(body, {
    limits: NO_LIMITS,
    encoding: parseEncoding(encoding),
    delimiter,
  });
  const asMeant = (cells: readonly string[]): readonly string[] => (escaped ? cells.map(unescapeCell) : cells);
  return {
    header: asMeant(header.cells),
    batches: (async function* () {
      for await (const { rows } of batches)
        yield escaped ? rows.map(({ row, line, cells }) => ({ row, line, cells: asMeant(cells) })) : rows;
    })(),
  };
}

/** The validation has applied them. */
const NO_LIMITS: ManifestLimits = {
  manifestBytes: Infinity,
  rows: Infinity,
  rowBytes: Infinity,
  columns: Infinity,
  cellCharacters: Infinity,
};
