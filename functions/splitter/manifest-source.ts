import type { Job } from '../../shared/job/job.ts';
import { refuse } from '../../shared/manifest/errors.ts';
import type { ObjectStore, StoredObject } from '../../shared/ports.ts';
import { ManifestReplaced } from './errors.ts';

/** Reads one job's manifest as often as it takes, always the same version. */
export interface ManifestSource {
  /** From this byte on. Throws ManifestRefused when it is gone, ManifestReplaced when it is another than before. */
  readonly open: (from?: number) => Promise<StoredObject>;
}

export function manifestSource({ manifest }: Job, inbox: ObjectStore, signal: AbortSignal): ManifestSource {
  let etag: string | undefined;
  return {
    open: async (from = 0) => {
      const stored = await inbox.read(manifest.key, { versionId: manifest.versionId, from, signal });
      if (!stored) return refuse('the file was taken away before it was read; upload it again');
      if (etag !== undefined && etag !== stored.etag)
        throw new ManifestReplaced(`${manifest.key} was replaced while it was being read`);
      etag = stored.etag;
      return stored;
    },
  };
}
