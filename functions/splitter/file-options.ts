import * as z from 'zod';

import type { FileOptions } from '../../shared/job/job.ts';
import { refuse } from '../../shared/manifest/refusal.ts';

const PREFIX = 'rollcall-';
const MOST_REASON_CHARACTERS = 1_000;

/** By the name of a metadata entry, without `rollcall-`: the option that it sets, and what it may hold. */
const OPTIONS: Readonly<Record<string, { readonly expected: string; readonly read: z.ZodType<FileOptions> }>> = {
  'dry-run': {
    expected: 'true',
    read: z.literal('true').transform(() => ({ dryRun: true as const })),
  },
  approval: {
    expected: 'required',
    read: z.literal('required').transform((approval) => ({ approval })),
  },
  steps: {
    expected: 'a whole number from 1 on',
    read: z.coerce
      .number()
      .pipe(z.int().positive())
      .transform((steps) => ({ steps })),
  },
  'not-before': {
    expected: 'a time such as 2026-12-01T06:00:00Z',
    read: z.iso.datetime({ offset: true }).transform((time) => ({ notBefore: new Date(time).toISOString() })),
  },
  reason: {
    expected: `text of at most ${MOST_REASON_CHARACTERS} characters`,
    read: z
      .string()
      .max(MOST_REASON_CHARACTERS)
      .transform((reason) => ({ reason })),
  },
};

/** What came with a file as object metadata `rollcall-…`, or in a name that ends in `.dry-run.csv`. Throws ManifestRefused for an option that there is not, or that holds something else. */
export function readFileOptions(key: string, metadata: Readonly<Record<string, string>>): FileOptions {
  const given = Object.entries(metadata).filter(([name]) => name.toLowerCase().startsWith(PREFIX));
  const named: FileOptions = /\.dry-run\.csv$/i.test(key) ? { dryRun: true } : {};
  return given.reduce((options, [name, value]) => ({ ...options, ...readOption(name, value) }), named);
}

function readOption(name: string, value: string): FileOptions {
  const option = OPTIONS[name.toLowerCase().slice(PREFIX.length)];
  if (!option) {
    const known = Object.keys(OPTIONS).map((one) => `${PREFIX}${one}`);
    refuse(`the file came with the option ${name}, which there is not; the options are ${known.join(', ')}`);
  }
  const read = option.read.safeParse(value.trim());
  if (read.success) return read.data;
  return refuse(`the file came with ${name}: ${JSON.stringify(value.slice(0, 60))}; expected is ${option.expected}`);
}
