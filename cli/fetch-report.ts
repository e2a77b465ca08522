import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { REPORT_FILES } from '../shared/job/keys.ts';
import type { ObjectStore } from '../shared/ports.ts';

/** Copies a job's report into a folder. */
export async function fetchReport(results: ObjectStore, prefix: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const name of REPORT_FILES) {
    const object = await results.read(`${prefix}${name}`);
    if (object) await pipeline(object.body, createWriteStream(join(folder, name)));
  }
}
