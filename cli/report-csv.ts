import { openManifest, type Manifest } from '../shared/manifest/manifest.ts';
import type { ManifestLimits } from '../shared/manifest/refusal.ts';
import type { Column } from '../shared/operations/operation.ts';

/** Whatever could be read as a manifest is longer by its outcome as a report. */
export const REPORT_LIMITS: ManifestLimits = {
  manifestBytes: Infinity,
  rows: Infinity,
  rowBytes: 8 * 2 ** 20,
  columns: 10_000,
  cellCharacters: 8 * 2 ** 20,
};

/** Reads a CSV file of a report from its start; the operation's columns tell its delimiter. */
export const openReportCsv = (body: AsyncIterable<Uint8Array>, columns: readonly Column[]): Promise<Manifest> =>
  openManifest(body, { limits: REPORT_LIMITS, wanted: { columns, required: [] } });
