import { buildSync, type BuildOptions } from 'esbuild';

import type { FunctionName } from '../shared/settings.ts';
import { buildFolder, buildOnce, ROOT } from './build-cache.ts';

/** What every bundle is made of, its settings among it. */
const SOURCES = ['functions', 'shared', 'infra/bundles.ts', 'package-lock.json'];

const BUNDLING = {
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

/** The folder of a function's bundle, `index.mjs`. */
export const bundleOf = (name: FunctionName): string => bundle(`functions/${name}/handler.ts`);

/** Bundles a program as it runs on Lambda, once for the same sources; one of the tests has its source map beside it. */
export function bundle(program: string): string {
  const isTest = program.startsWith('test/');
  const folder = buildFolder({
    kind: 'bundles',
    sources: isTest ? [...SOURCES, 'test'] : SOURCES,
    settings: program,
  });
  buildOnce(folder, (outdir) =>
    buildSync({
      ...BUNDLING,
      absWorkingDir: ROOT,
      entryPoints: { index: program },
      outdir,
      outExtension: { '.js': '.mjs' },
      sourcemap: isTest && 'external',
    }),
  );
  return folder;
}
