import { readFileSync } from 'node:fs';

import { completeSettings, SettingsInvalid, type Settings } from '../shared/settings.ts';

/** A stage's settings out of a JSON file; throws SettingsInvalid when there is no such file, it is not JSON or a setting is wrong. */
export function readSettings(path: string): Settings {
  return completeSettings(jsonOf(path));
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const message = `The stage's settings cannot be read from ${path} (${cause instanceof Error ? cause.message : String(cause)}). Name a JSON file of settings.`;
    throw new SettingsInvalid(message, { cause });
  }
}
