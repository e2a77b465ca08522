import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Build {
  /** A folder of cdk.out for builds of one kind. */
  readonly kind: string;
  /** Files and folders that it is made of, from the project's root on. */
  readonly sources: readonly string[];
  /** Whatever else makes one build differ from another. */
  readonly settings: unknown;
}

/** The folder of a build, named by a hash of what it is made of: where it exists, nothing has to be built. */
export function buildFolder({ kind, sources, settings }: Build): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const path of sources.flatMap(listFiles)) hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return join(ROOT, 'cdk.out', kind, hash.digest('hex').slice(0, 16));
}

/** Builds a folder that does not exist yet; it appears whole or not at all, even when two processes build the same. */
export function buildOnce(folder: string, build: (unfinished: string) => void): void {
  if (existsSync(folder)) return;
  const unfinished = `${folder}-${randomUUID()}`;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    build(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process may have built the same in the meantime.
    if (!existsSync(folder)) throw error;
  }
}

function listFiles(path: string): readonly string[] {
  if (path.includes('.')) return [path];
  return readdirSync(join(ROOT, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .toSorted();
}
