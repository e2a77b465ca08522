import { isStored, type ObjectStore, writeOnce } from '../../shared/ports.ts';
import type { Job } from '../../shared/job/job.ts';
import { validationKey } from '../../shared/job/keys.ts';
import type { Validation } from '../../shared/job/validation.ts';
import { NotUtf8, type Encoding } from '../../shared/manifest/encoding.ts';
import { mapHeader } from '../../shared/manifest/header.ts';
import { openManifest } from '../../shared/manifest/manifest.ts';
import { checkSize, type ManifestLimits, ManifestRefused, refuse } from '../../shared/manifest/refusal.ts';
import type { RowPlan } from './intake.ts';
import type { Post } from './message.ts';
import { createCheck, type RowPorts, validateRows } from './validate-rows.ts';

export interface ValidatePorts extends RowPorts {
  readonly inbox: ObjectStore;
  readonly limits: ManifestLimits;
  readonly post: Post;
}

/**
 * Reads a whole manifest before anything is done about any of its rows, and sends an event that says what came of it. A validation
 * that was made before, because the event came twice, is only told again.
 */
export async function validate(job: Job, plan: RowPlan, ports: ValidatePorts, signal: AbortSignal): Promise<void> {
  if (await isStored(ports.results, validationKey(job.id))) return ports.post(job.id, { type: 'validated', job });

  await ports.post(job.id, { type: 'validating', job });
  try {
    const found = await inItsEncoding((encoding) => read({ job, plan, encoding }, ports, signal));
    // Where there is one already, it is the same validation, made at the same time.
    await writeOnce(ports.results, validationKey(job.id), JSON.stringify(found));
  } catch (error) {
    if (!(error instanceof ManifestRefused)) throw error;
    return ports.post(job.id, { type: 'rejected', job, problems: [...error.problems] });
  }
  await ports.post(job.id, { type: 'validated', job });
}

/** Reads as UTF-8 unless the file says otherwise, and from its start as Windows-1252 when a byte, however late, cannot be UTF-8. */
async function inItsEncoding(reading: (encoding: Encoding | undefined) => Promise<Validation>): Promise<Validation> {
  try {
    return await reading(undefined);
  } catch (error) {
    if (!(error instanceof NotUtf8)) throw error;
    return reading('windows-1252');
  }
}

interface Request {
  readonly job: Job;
  readonly plan: RowPlan;
  readonly encoding: Encoding | undefined;
}

async function read({ job, plan, encoding }: Request, ports: ValidatePorts, signal: AbortSignal): Promise<Validation> {
  const { key, versionId } = job.manifest;
  const stored = await ports.inbox.read(key, { versionId, signal });
  if (!stored) return refuse('the file was taken away before it was read; upload it again');
  try {
    const manifest = await openManifest(stored.body, { limits: ports.limits, encoding, columns: plan.recipe.columns });
    checkSize(stored.bytes, manifest.limits);
    const header = manifest.header.cells;
    const columns = mapHeader(manifest.header, plan.recipe, manifest.limits);
    const check = createCheck(plan, { header, columns, limits: manifest.limits });
    return {
      version: 2,
      encoding: manifest.encoding,
      delimiter: manifest.delimiter,
      header: [...header],
      columns: [...columns.columns],
      carriedColumns: [...columns.carriedColumns],
      escaped: columns.escaped,
      ...(await validateRows({ jobId: job.id, bytes: stored.bytes, manifest, check }, ports)),
    };
  } finally {
    stored.body.destroy();
  }
}
