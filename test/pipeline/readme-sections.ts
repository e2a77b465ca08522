import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';

const SECTION = /(<!-- report: (.+?) -->)[^]*?(<!-- \/report -->)/g;

/** Columns of the report that a page shows; times, traces and attempts differ from run to run. */
const SHOWN = ['rollcall_status', 'rollcall_code', 'rollcall_message'];

/** The page with the table of every `<!-- report: <target>/<operation>/<name>.csv -->` made anew: the manifest's columns, and what became of each row. */
export const withReports = (page: string, reports: string): string =>
  page.replace(SECTION, (_, start: string, manifest: string, end: string) =>
    [start, '', ...tableOf(resultsOf(manifest, reports)), '', end].join('\n'),
  );

const SOURCE = /(<!-- source: (.+?) -->)[^]*?(<!-- \/source -->)/g;

/** The page with every `<!-- source: <path> -->` filled with what the file says today. */
export const withSources = (page: string, root: string): string =>
  page.replace(SOURCE, (_, start: string, path: string, end: string) =>
    [start, '', '```ts', readFileSync(join(root, path), 'utf8').trimEnd(), '```', '', end].join('\n'),
  );

/** The manifests whose reports a page shows. */
export const reportsOn = (page: string): readonly string[] =>
  [...page.matchAll(SECTION)].map((match) => match[2] ?? '');

function resultsOf(manifest: string, reports: string): string {
  const folder = join(reports, dirname(manifest));
  const stem = manifest.slice(dirname(manifest).length + 1).replace(/\.csv$/, '');
  const job = readdirSync(folder).find((name) => name.startsWith(`${stem}-`));
  if (job === undefined) throw new Error(`${folder} has no report of a manifest ${stem}.csv`);
  return readFileSync(join(folder, job, 'results.csv'), 'utf8');
}

function tableOf(results: string): readonly string[] {
  const delimiter = [',', ';'].find((one) => results.includes(`${one}rollcall_status`)) ?? ',';
  const [header = [], ...rows] = parse(results, { bom: true, delimiter });
  const own = header.filter((name) => !name.startsWith('rollcall_'));
  const shown = [...own, ...SHOWN].map((name) => header.indexOf(name));
  const lines = [header, ...rows].map((cells) => shown.map((index) => (cells[index] ?? '').replaceAll('|', '\\|')));
  const [head = [], ...body] = lines;
  return [row(head), row(head.map(() => '---')), ...body.map(row)];
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
