import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ObjectStore } from '../shared/ports.ts';
import { CommandFailed } from './failure.ts';
import { fetchReport } from './fetch-report.ts';

/** Makes a folder for reports; throws CommandFailed when nothing can be put there. */
export function makeReportFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    rmSync(mkdtempSync(join(folder, '.probe-')), { recursive: true });
  } catch (cause) {
    throw new CommandFailed(
      `No report can be put into ${folder} (${reasonOf(cause)}); a folder that can be written was expected. Name one by --out.`,
      { cause },
    );
  }
}

/** Copies a report into its folder, or, as the rows are applied already, into a spare one when that fails; says which. */
export async function leaveReport(results: ObjectStore, prefix: string, folder: string): Promise<string> {
  try {
    await fetchReport(results, prefix, folder);
    return folder;
  } catch (error) {
    const spare = mkdtempSync(join(tmpdir(), 'rollcall-report-'));
    await fetchReport(results, prefix, spare);
    console.error(`The report could not be written to ${folder} (${reasonOf(error)}), and was put elsewhere.`);
    return spare;
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
