import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'rollcall-run-';
const OURS = /^rollcall-run-(\d+)-/;

/** Makes a folder that goes when this process ends; one that SIGKILL ended leaves it to the next start (removeLeftovers). */
export function makeTemporaryFolder(): string {
  // Its name says whose it is: the target's secret comes to lie in it.
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Removes the temporary folders of processes that are dead. */
export function removeLeftovers(): void {
  for (const name of listNames(tmpdir())) {
    const [, pid] = OURS.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Somebody else's, who will remove it.
    }
  }
}

/** Whether a process runs, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // another user's
  }
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // whoever needs it says so
  }
}
