import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';

import { readSettings } from '../infra/stage.ts';
import { parseTarget } from '../shared/aws/targets.ts';
import { RESERVED_TARGET_NAMES } from '../shared/job/keys.ts';
import { WAIT_REASONS, type WaitReasonCode } from '../shared/job/outcome.ts';
import { OPERATIONS } from '../shared/operations/index.ts';
import { completeSettings, type Settings } from '../shared/settings.ts';
import type { Target } from '../shared/target.ts';
import { CommandFailed } from './failures.ts';

/** How an argument names a job. */
export const JOB =
  "the job's id, or as much of its beginning or end as is no other job's, such as the twelve characters that logs show";

/** What a command exits with, and what each code means. */
export type Exits = Readonly<Record<number, string>>;

/** Adds a command whose help lists its exit codes. */
export const addCommand = (program: Command, name: string, about: string, exits: Exits): Command =>
  documentExits(program.command(name).description(about), exits);

/** Lists a command's exit codes below its help. */
export function documentExits(command: Command, exits: Exits): Command {
  const lines = Object.entries(exits).map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`);
  return command.addHelpText('after', ['', 'Exit codes:', ...lines].join('\n'));
}

/** Throws CommandFailed that lists the operations when this is none of them, or none for targets of this type. */
export function checkOperation(name: string, type?: Target['type']): void {
  const known = OPERATIONS.filter(
    ({ cloud, dataCenter }) => type === undefined || (type === 'cloud' ? cloud : dataCenter) !== undefined,
  ).map((operation) => operation.name);
  if (known.includes(name)) return;
  const place = type === undefined ? '' : ` for a target of type ${type}`;
  throw new CommandFailed(`There is no operation "${name}"${place}; one of ${known.join(', ')} was expected.`);
}

/** Gathers the reasons that `--accept` names; throws CommandFailed that lists them when this is none. */
export function collectReason(name: string, reasons: readonly WaitReasonCode[] = []): readonly WaitReasonCode[] {
  const reason = WAIT_REASONS.find((known) => known === name);
  if (reason !== undefined) return [...reasons, reason];
  throw new CommandFailed(`There is no reason "${name}" to wait; one of ${WAIT_REASONS.join(', ')} was expected.`);
}

/** The settings of `--stage`, or the defaults. */
export const readStage = (path: string | undefined): Settings =>
  path === undefined ? completeSettings() : readSettings(path);

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
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
    throw new CommandFailed(
      `A target has the name of its file, and "${name}" cannot be a name. Call the file <target>.json: at most 63 of a-z, 0-9 and -, a letter or digit first.`,
    );
  }
  if ((RESERVED_TARGET_NAMES as readonly string[]).includes(name)) {
    throw new CommandFailed(
      `A target has the name of its file, and "${name}" is a folder of Rollcall's own. Give the file another name.`,
    );
  }
  const text = readSecret(path);
  const { type } = parseTarget(name, text);
  return { name, type, secret: JSON.parse(text) };
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CommandFailed(`The target's secret cannot be read from ${path}; a JSON file was expected.`, { cause });
  }
}
