import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type BuildOptions } from 'esbuild';

import type { FunctionName } from '../shared/settings.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FUNCTIONS: readonly FunctionName[] = ['splitter', 'worker', 'coordinator', 'reporter'];
/** Everything that a bundle is made of, this file's own settings among it. */
const SOURCES = ['functions', 'shared', 'infra/bundles.ts', 'package-lock.json'];

/** How everything that runs on Lambda is bundled. */
export const BUNDLING = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  // Names stay: errors are told apart by theirs in the logs.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'silent',
  // Some dependencies are CommonJS and call require for Node's own modules.
  banner: {
    js: "import{createRequire as rollcallRequire}from'node:module';const require=rollcallRequire(import.meta.url);",
  },
} satisfies BuildOptions;

/** The folder of a function's bundle, `index.mjs`. All are built together, and once for the same sources. */
export function bundleOf(name: FunctionName): string {
  const folder = join(ROOT, 'cdk.out', 'bundles', sourcesHash());
  if (!existsSync(folder)) build(folder);
  return join(folder, name);
}

function build(folder: string): void {
  const unfinished = `${folder}-${randomUUID()}`;
  try {
    buildSync({
      ...BUNDLING,
      absWorkingDir: ROOT,
      entryPoints: Object.fromEntries(FUNCTIONS.map((name) => [`${name}/index`, `functions/${name}/handler.ts`])),
      outdir: unfinished,
      outExtension: { '.js': '.mjs' },
    });
    mkdirSync(join(folder, '..'), { recursive: true });
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process may have built the same sources in the meantime.
    if (!existsSync(folder)) throw error;
  }
}

function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap(filesUnder)) hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest('hex').slice(0, 16);
}

function filesUnder(path: string): readonly string[] {
  const whole = join(ROOT, path);
  if (path.includes('.')) return [path];
  return readdirSync(whole, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}
