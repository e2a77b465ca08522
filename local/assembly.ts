import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as z from 'zod';

import { buildFolder, buildOnce } from '../infra/build-cache.ts';
import type { Synthesized } from '../infra/synthesize.ts';
import type { Settings } from '../shared/settings.ts';

/** Everything that a template and its bundles come from. */
const SOURCES = ['functions', 'infra', 'shared', 'local/assembly.ts', 'package-lock.json'];

/** A stage as it would be deployed: synthesized, or, as that takes seconds, read from where these very sources were synthesized before. */
export async function assemble(stage: Settings): Promise<Synthesized> {
  const folder = buildFolder({ kind: 'local', sources: SOURCES, settings: stage });
  if (!existsSync(folder)) {
    const { synthesize } = await import('../infra/synthesize.ts');
    buildOnce(folder, (outdir) => keep(outdir, synthesize({ stage, outdir })));
  }
  return restore(folder);
}

const KEPT = 'synthesized.json';

/** Folders are kept relative to the assembly, which moves. */
const keptSchema = z.object({
  stackName: z.string(),
  template: z.unknown(),
  folders: z.record(z.string(), z.string()),
});

function keep(outdir: string, { stackName, template, folderOf }: Synthesized): void {
  const keys = JSON.stringify(template).match(/[0-9a-f]{64}\.zip/g) ?? [];
  const folders = Object.fromEntries(keys.map((key) => [key, relative(outdir, folderOf(key) ?? outdir)]));
  writeFileSync(join(outdir, KEPT), JSON.stringify({ stackName, template, folders }));
}

function restore(outdir: string): Synthesized {
  const { stackName, template, folders } = keptSchema.parse(JSON.parse(readFileSync(join(outdir, KEPT), 'utf8')));
  const folderOf = (assetKey: string): string | undefined => {
    const folder = folders[assetKey];
    return folder === undefined ? undefined : join(outdir, folder);
  };
  return { stackName, template, folderOf };
}
