import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(ROOT, 'docs/architecture.md');
const page = readFileSync(PAGE, 'utf8');
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** The folders of the domain: what they export needs a word that everybody knows. */
const DOMAIN = ['shared/job', 'shared/manifest', 'shared/operations'];

const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);

interface ExportedType {
  readonly name: string;
  readonly file: string;
  /** Its docstring; empty where it has none. */
  readonly about: string;
}

const exportedTypes = (file: string): readonly ExportedType[] =>
  [...textOf(file).matchAll(/(?:\/\*\*((?:(?!\*\/).)*)\*\/\n)?export (?:interface|type) (\w+)/gs)].map(
    ([, comment = '', name = '']) => ({ name, file, about: comment.replace(/\s*\n\s*\*?\s*/g, ' ').trim() }),
  );

const types = DOMAIN.flatMap(filesIn).flatMap(exportedTypes);

it.each(types)('$name of $file says in a sentence what it is', ({ about }) => {
  expect(about).toMatch(/\w.*[.!?]$/);
});

it('has every exported type of the domain in its glossary (npm test -- test/docs -u writes it)', async () => {
  const rows = types
    .toSorted((one, other) => one.name.localeCompare(other.name))
    .map(({ name, file, about }) => `| \`${name}\` | ${about.replaceAll('|', '\\|')} | \`${file}\` |`);
  const table = ['| type | meaning | file |', '| --- | --- | --- |', ...rows].join('\n');
  const written = page.replace(
    /(<!-- table: types -->\n).*?(<!-- \/table -->)/s,
    (_, open: string, close: string) => `${open}\n${table}\n\n${close}`,
  );

  expect(types.length).toBeGreaterThan(50);
  await expect(await format(written, { ...(await resolveConfig(PAGE)), filepath: PAGE })).toMatchFileSnapshot(PAGE);
});

const HANDLERS = ['intake', 'splitter', 'planner', 'worker', 'coordinator', 'reporter'].map(
  (name) => `functions/${name}/handler.ts`,
);

/** What is loaded for a row and does nothing with it: other operations and undo, Data Center, lists, approvals, outages, dead letters, what people are told and shown, metrics, ports, errors, and what every function starts with or counts on. */
const NOT_ON_THE_WAY =
  /^shared\/(?:operations\/(?!membership|operation|columns|finding|find-people)|atlassian\/(?:data-center|listings|stored-list|pages|errors)|job\/(?:approval|commands|contacts|notices|words)|page\/|aws\/(?:clients|metrics|place|system)|(?:errors|metrics|notice|ports|(?:network-)?settings|log|target|in-parallel)\.ts)|handler\.ts|measure-run\.ts|page-rows\.ts|undone-job\.ts|plan-undo\.ts|plan-errors\.ts|dead-letters\.ts$/;

/** The files that are loaded from a file on: what it imports, and what that imports, types aside. */
function load(file: string, loaded: Set<string>): void {
  if (loaded.has(file)) return;
  loaded.add(file);
  const imports = textOf(file).matchAll(/^(?:import|export)\s([^;]*?)\sfrom\s'(\.[^']+\.ts)'/gms);
  for (const [, names = '', path = ''] of imports) {
    const isTypes = names.startsWith('type ') || /^\{(?:\s*type \w+,?)*\s*\}$/.test(names);
    if (!isTypes) load(normalize(join(dirname(file), path)), loaded);
  }
}

it('follows one row through every file that it passes, in at most 80', () => {
  const loaded = new Set<string>();
  for (const handler of HANDLERS) load(handler, loaded);
  const passed = [...loaded].filter((file) => !NOT_ON_THE_WAY.test(file));
  const [, section = ''] = page.split('\n## One row, file by file\n');
  const told = [...(section.split('\n## ')[0] ?? '').matchAll(/`((?:functions|shared)\/[\w./-]+\.ts)`/g)];

  expect(told.map(([, file]) => file).toSorted()).toEqual(passed.toSorted());
  expect(passed.length).toBeLessThanOrEqual(80);
});
