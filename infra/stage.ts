import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { operationNames } from '../shared/operations/index.ts';
import { PEM_BEGIN } from '../shared/network-settings.ts';
import { completeSettings, SettingsInvalid, type Settings } from '../shared/settings.ts';

/** A stage's settings out of a JSON file; throws SettingsInvalid when there is no such file, it is not JSON or a setting is wrong. */
export function readSettings(path: string): Settings {
  const settings = completeSettings(withCertificates(jsonOf(path), dirname(path)));
  const unknown = settings.policy.rules.flatMap(({ operation }) => operation ?? []).filter(isUnknown);
  if (unknown.length === 0) return settings;
  throw new SettingsInvalid(
    `The stage cannot be deployed with these settings: policy.rules: there is no operation ${unknown.join(', ')}; expected is one of ${operationNames.join(', ')}. Correct the rules, which would hold for no file.`,
  );
}

const isUnknown = (operation: string): boolean => !operationNames.includes(operation);

/** Certificates may be named by the path of their file, from the stage file on. */
function withCertificates(given: unknown, folder: string): unknown {
  if (typeof given !== 'object' || given === null || !('certificates' in given)) return given;
  const { certificates } = given;
  if (typeof certificates !== 'string' || certificates.includes(PEM_BEGIN)) return given;
  const path = resolve(folder, certificates);
  try {
    return { ...given, certificates: readFileSync(path, 'utf8') };
  } catch (cause) {
    const message = `The stage cannot be deployed with these settings: certificates: ${path} cannot be read (${cause instanceof Error ? cause.message : String(cause)}). Give the path of a PEM file, relative to the stage file, or its text.`;
    throw new SettingsInvalid(message, { cause });
  }
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const message = `The stage's settings cannot be read from ${path} (${cause instanceof Error ? cause.message : String(cause)}). Name a JSON file of settings.`;
    throw new SettingsInvalid(message, { cause });
  }
}
