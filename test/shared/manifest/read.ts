import { NotUtf8 } from '../../../shared/manifest/encoding.ts';
import type { ManifestLimits } from '../../../shared/manifest/refusal.ts';
import { openManifest, type Manifest } from '../../../shared/manifest/manifest.ts';
import type { Row } from '../../../shared/manifest/rows.ts';
import { membership } from '../../../shared/operations/membership.ts';

export const LIMITS: ManifestLimits = {
  manifestBytes: 1e9,
  rows: 100_000,
  rowBytes: 200_000,
  columns: 1_000,
  cellCharacters: 10_000,
};

/** Bytes in pieces of a size, as a socket may cut them. */
export async function* inPieces(bytes: Buffer, size = 1e9): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function rowsOf(batches: AsyncIterable<readonly Row[]>): Promise<readonly Row[]> {
  const all: Row[] = [];
  for await (const rows of batches) all.push(...rows);
  return all;
}

export interface Read extends Manifest {
  readonly rows: readonly Row[];
}

/** Reads a whole manifest as the validation does: as Windows-1252 when it turns out not to be UTF-8. */
export async function read(bytes: Buffer, size?: number): Promise<Read> {
  try {
    return await readAs(undefined, bytes, size);
  } catch (error) {
    if (error instanceof NotUtf8) return readAs(error, bytes, size);
    throw error;
  }
}

async function readAs(notUtf8: NotUtf8 | undefined, bytes: Buffer, size?: number): Promise<Read> {
  const wanted = membership.cloud ?? { columns: [], required: [] };
  const manifest = await openManifest(inPieces(bytes, size), { limits: LIMITS, notUtf8, wanted });
  return { ...manifest, rows: await rowsOf(manifest.batches) };
}
