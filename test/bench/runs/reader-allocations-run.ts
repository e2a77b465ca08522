// How many bytes the reader and the row check allocate a row: `--expose-gc --min-semi-space-size=256` keeps the nursery from being
// collected meanwhile, so that what was allocated is what the heap has grown by.
import { createCheck } from '../../../functions/splitter/validate-rows.ts';
import { mapHeader } from '../../../shared/manifest/header.ts';
import { openManifest } from '../../../shared/manifest/manifest.ts';
import { membership } from '../../../shared/operations/membership.ts';
import { membershipManifest } from '../manifests.ts';
import { BENCH_TARGET } from './bench-target.ts';
import { report } from './report.ts';

const ROWS = 20_000;
const CHUNK_BYTES = 64 * 1_024;
const limits = {
  manifestBytes: 2 ** 30,
  rows: 5_000_000,
  rowBytes: 256 * 1_024,
  columns: 1_000,
  cellCharacters: 32_767,
};
const bytes = Buffer.from(membershipManifest(ROWS, 200));
const recipe = membership.cloud!; // the operation exists on Cloud
const { gc } = globalThis;
if (!gc) throw new Error('Start this with --expose-gc');

await validation(); // until everything is compiled
await validation();
gc();
const before = process.memoryUsage().heapUsed;
await validation();
report({ bytesPerRow: (process.memoryUsage().heapUsed - before) / ROWS });

async function validation(): Promise<void> {
  const manifest = await openManifest(chunks(), { limits, wanted: recipe });
  const columns = mapHeader(manifest.header, recipe, { limits });
  const destination = { target: BENCH_TARGET, operation: membership.name, rowFormat: recipe };
  const check = createCheck(destination, { isGuessed: false, header: manifest.header.cells, columns, limits });
  let sound = 0;
  for await (const rows of manifest.batches) for (const row of rows) if (check(row).length === 0) sound += 1;
  if (sound !== ROWS) throw new Error(`${sound} of ${ROWS} rows are sound`);
}

async function* chunks(): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) yield bytes.subarray(from, from + CHUNK_BYTES);
}
