import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { parseTarget } from '../shared/aws/target-secret.ts';
import { RESERVED_TARGET_NAMES } from '../shared/job/keys.ts';
import type { Target } from '../shared/target.ts';
import { CommandFailed } from './failure.ts';

/** A target out of a file: it is named as the file is, and the file holds what its secret would. */
export interface TargetFile {
  readonly name: string;
  readonly type: Target['type'];
  readonly secret: unknown;
}

/** Reads a target's secret from `<target>.json`; throws CommandFailed or TargetUnreadable that show none of its values. */
export function readTargetFile(path: string): TargetFile {
  const name = basename(path)
    .replace(/\.json$/i, '')
    .toLowerCase();
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name) || (RESERVED_TARGET_NAMES as readonly string[]).includes(name)) {
    throw new CommandFailed(
      `A target is named as its file is, and "${name}" cannot be a target's name. Call the file <target>.json, of a-z, 0-9 and -, and none of ${RESERVED_TARGET_NAMES.join(', ')}.`,
    );
  }
  const text = contentOf(path);
  const { type } = parseTarget(name, text);
  return { name, type, secret: JSON.parse(text) };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CommandFailed(`The target's secret cannot be read from ${path}. Name a JSON file that is there.`, {
      cause,
    });
  }
}
