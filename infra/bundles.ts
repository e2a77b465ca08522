import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildSync, type BuildOptions } from 'esbuild';

import type { PageAssets } from '../shared/page/document.ts';
import { callsAtlassian, type FunctionName, type Settings } from '../shared/settings.ts';
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

/** Where Node finds, beside the bundle, whom it is to trust. (AWS Lambda developer guide, LAMBDA_TASK_ROOT.) */
export const CERTIFICATES_PATH = '/var/task/certificates.pem';

/** The folder of a function's bundle: `index.mjs`, and `certificates.pem` where the stage has any and the function calls Atlassian. */
export const bundleOf = (name: FunctionName, { certificates }: Pick<Settings, 'certificates'> = {}): string =>
  bundle(`functions/${name}/handler.ts`, callsAtlassian(name) ? certificates : undefined);

/** Bundles a program as it runs on Lambda, once for the same sources; one of the tests has its source map beside it. */
export function bundle(program: string, certificates?: string): string {
  const isTest = program.startsWith('test/');
  const folder = buildFolder({
    kind: 'bundles',
    sources: isTest ? [...SOURCES, 'test'] : SOURCES,
    settings: { program, certificates },
  });
  buildOnce(folder, (outdir) => {
    buildSync({
      ...BUNDLING,
      absWorkingDir: ROOT,
      entryPoints: { index: program },
      outdir,
      outExtension: { '.js': '.mjs' },
      sourcemap: isTest && 'external',
      define: { PAGE_ASSETS: JSON.stringify(bundlePageAssets()) },
    });
    if (certificates !== undefined) writeFileSync(join(outdir, basename(CERTIFICATES_PATH)), certificates);
  });
  return folder;
}

/** The style and the script of our pages, each whole: what they import, a plotting library among it, is in them. */
export function bundlePageAssets(): PageAssets {
  const build = (entry: string, options: BuildOptions): string =>
    buildSync({
      bundle: true,
      minify: true,
      legalComments: 'none',
      logLevel: 'silent',
      absWorkingDir: ROOT,
      entryPoints: [entry],
      write: false,
      ...options,
    }).outputFiles?.[0]?.text.trim() ?? '';
  const script = (name: string): string =>
    build(`shared/page/client/${name}.ts`, { format: 'iife', platform: 'browser', target: 'es2022' });
  return {
    style: build('shared/page/style.css', {}),
    scripts: { report: script('report'), status: script('status') },
  };
}
