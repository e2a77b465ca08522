import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

import type { Settings } from '../shared/settings.ts';
import type { Synthesized } from '../infra/synthesize.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Everything that a template and its bundles come from. */
const SOURCES = ['functions', 'infra', 'shared', 'package-lock.json'];

/** A stage as it would be deployed: synthesized, or, as that takes seconds, read from where these very sources were synthesized before. */
export async function assemble(stage: Settings): Promise<Synthesized> {
  const outdir = join(ROOT, 'cdk.out', 'local', fingerprint(stage));
  if (!existsSync(outdir)) await synthesizeInto(outdir, stage);
  return restore(outdir);
}

/** Under another name first: what bears the right name is whole, whoever else synthesizes the same at this moment. */
async function synthesizeInto(outdir: string, stage: Settings): Promise<void> {
  const unfinished = `${outdir}-${randomUUID()}`;
  try {
    const { synthesize } = await import('../infra/synthesize.ts');
    keep(unfinished, synthesize({ stage, outdir: unfinished }));
    renameSync(unfinished, outdir);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(outdir)) throw error;
  }
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

function fingerprint(stage: Settings): string {
  const hash = createHash('sha256').update(JSON.stringify(stage));
  for (const path of SOURCES.flatMap(filesUnder)) hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest('hex').slice(0, 16);
}

function filesUnder(path: string): readonly string[] {
  if (path.endsWith('.json')) return [path];
  return readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith(`local${sep}`))
    .map((name) => join(path, name))
    .sort();
}
