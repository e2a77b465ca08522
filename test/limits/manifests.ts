import type { ManifestLimits } from '../../shared/manifest/refusal.ts';
import { start } from '../functions/splitter/start.ts';

const MANIFEST = 'email,group\nann@acme.example,staff\nbarbara@acme.example,staff\n';
const KEY = 'acme/membership/joiners.csv';

/** Why the whole file is refused under these limits; the same file is taken when each of them is one more. */
export async function manifestOverLimit(limits: Partial<ManifestLimits>): Promise<string> {
  const within = start({ limits: oneMore(limits) });
  await within.upload(KEY, MANIFEST);
  if (within.happened().at(-1) !== 'validated') throw new Error('The limit is lower than it says');

  const { upload, problems } = start({ limits });
  await upload(KEY, MANIFEST);
  return problems()
    .map(({ line, message }) => (line === undefined ? message : `line ${line}: ${message}`))
    .join('; ');
}

/** Why a row is invalid under these limits, while the other one is not. */
export async function rowOverLimit(limits: Partial<ManifestLimits>): Promise<string> {
  const { upload, outcomesOf, validationOf } = start({ limits });
  const jobId = await upload(KEY, MANIFEST);
  const outcomes = outcomesOf(jobId);
  if (outcomes.length !== 1 || validationOf(jobId).rows !== 2) throw new Error('Not exactly one row is invalid');
  return outcomes.map(({ code, message }) => `${code}: ${message}`).join('; ');
}

const oneMore = (limits: Partial<ManifestLimits>): Partial<ManifestLimits> =>
  Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, limit + (name === 'rowBytes' ? 8 : 2)]));
