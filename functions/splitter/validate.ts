import { isStored } from '../../shared/is-stored.ts';
import { ConditionNotMet } from '../../shared/port-errors.ts';
import type { Job } from '../../shared/job/job.ts';
import { validationKey } from '../../shared/job/keys.ts';
import type { Validation } from '../../shared/job/validation.ts';
import { NotUtf8, type Encoding } from '../../shared/manifest/encoding.ts';
import { ManifestRefused } from '../../shared/manifest/errors.ts';
import type { ManifestLimits } from '../../shared/manifest/limits.ts';
import type { Chance, ObjectStore } from '../../shared/ports.ts';
import type { RowPlan } from './find-plan.ts';
import { manifestSource } from './manifest-source.ts';
import type { Post } from './post.ts';
import { validateRows } from './validate-rows.ts';

export interface ValidatePorts {
  readonly inbox: ObjectStore;
  readonly results: ObjectStore;
  readonly now: () => Date;
  readonly chance: Chance;
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
    const found = await inItsEncoding((encoding) =>
      validateRows({ job, plan, encoding, source: manifestSource(job, ports.inbox, signal) }, ports),
    );
    await writeOnce(ports.results, job, found);
  } catch (error) {
    if (!(error instanceof ManifestRefused)) throw error;
    return ports.post(job.id, { type: 'rejected', job, problems: [...error.problems] });
  }
  await ports.post(job.id, { type: 'validated', job });
}

/** Reads as UTF-8 unless the file says otherwise, and from its start as Windows-1252 when a byte, however late, cannot be UTF-8. */
async function inItsEncoding(read: (encoding: Encoding | undefined) => Promise<Validation>): Promise<Validation> {
  try {
    return await read(undefined);
  } catch (error) {
    if (!(error instanceof NotUtf8)) throw error;
    return read('windows-1252');
  }
}

async function writeOnce(results: ObjectStore, job: Job, found: Validation): Promise<void> {
  try {
    await results.write(validationKey(job.id), JSON.stringify(found), { ifNoneMatch: '*' });
  } catch (error) {
    if (!(error instanceof ConditionNotMet)) throw error; // the same validation, made at the same time
  }
}
