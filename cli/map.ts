import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Command } from 'commander';

import { foldCase, foldName } from '../shared/folding.ts';
import { columnKey, isBlank, trimIdentifier } from '../shared/manifest/cells.ts';
import type { Manifest } from '../shared/manifest/manifest.ts';
import { csvLineWriter, csvStart } from '../shared/manifest/write-csv.ts';
import { ACCOUNT_ID, column, EMAIL } from '../shared/operations/columns.ts';
import type { Column } from '../shared/operations/operation.ts';
import { addCommand } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { measureFile } from './files.ts';
import { openReportCsv } from './report-csv.ts';
import { countRows } from './show.ts';

interface MapOptions {
  readonly users?: string;
  readonly groups?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** `map <file.csv>`: fills in ids out of Atlassian's exports, in place of look-ups in a spreadsheet. */
export const addMap = (program: Command): Command =>
  addCommand(program, 'map', "fill in account and group ids out of Atlassian's exports, on this machine", {
    0: 'every address and group name has its id',
    1: 'a file cannot be read or written, or lacks a column; the message says which',
    2: 'some have none, or more than one; they are listed, and their ids left empty',
  })
    .argument('<file.csv>', 'a file with addresses, group names, or both')
    .option('--users <users.csv>', "Atlassian's export of users, or one of managed accounts")
    .option('--groups <groups.csv>', 'an export of groups, with their ids')
    .requiredOption('--out <mapped.csv>', 'where the file with its ids is written')
    .option('--json', 'print JSON: how many rows, and what was not found')
    .action(async (path: string, options: MapOptions) => {
      process.exitCode = await mapFile(path, options);
    });

const GROUP_ID = column('groupId', ['Group id', 'group_id', 'id'], "The group's id.");
const GROUP_NAME = column('groupName', ['Group name', 'group', 'name'], "The group's name.");

/** What is looked up: from which column, into which, and out of which export. */
interface LookUp {
  readonly key: Column;
  readonly id: Column;
  readonly ids: ReadonlyMap<string, ReadonlySet<string>>;
  readonly fold: (text: string) => string;
}

/** A cell for which no one id was found. */
export interface Missed {
  readonly line: number;
  readonly cell: string;
  readonly found: number;
}

async function mapFile(path: string, { users, groups, out, json }: MapOptions): Promise<number> {
  if (users === undefined && groups === undefined)
    throw new CommandFailed('Nothing to look ids up in: name an export with --users, --groups, or both.');
  const lookUps = [
    ...(users === undefined ? [] : [await readExport(users, { key: EMAIL, id: ACCOUNT_ID, fold: foldCase })]),
    ...(groups === undefined ? [] : [await readExport(groups, { key: GROUP_NAME, id: GROUP_ID, fold: foldName })]),
  ];
  const { rows, missed } = await writeMapped(path, out, lookUps);
  if (json) console.log(JSON.stringify({ file: out, rows, missed }));
  else console.log([`Wrote ${countRows(rows)} to ${out}.`, ...describeMissed(missed)].join('\n'));
  return missed.length > 0 ? 2 : 0;
}

async function readExport(path: string, { key, id, fold }: Omit<LookUp, 'ids'>): Promise<LookUp> {
  const file = await open(path, [key, id]);
  const [keyAt, idAt] = [requirePlace(file, key, path), requirePlace(file, id, path)];
  const ids = new Map<string, Set<string>>();
  for await (const rows of file.batches)
    for (const { cells } of rows) {
      const [name, found] = [fold(trimIdentifier(cells[keyAt] ?? '')), trimIdentifier(cells[idAt] ?? '')];
      if (name === '' || found === '') continue;
      const known = ids.get(name) ?? new Set();
      ids.set(name, known.add(found));
    }
  return { key, id, ids, fold };
}

/** Copies a file with ids in it, a row at a time; gives what has no one id. */
async function writeMapped(
  path: string,
  out: string,
  lookUps: readonly LookUp[],
): Promise<{ readonly rows: number; readonly missed: readonly Missed[] }> {
  const file = await open(
    path,
    lookUps.flatMap(({ key, id }) => [key, id]),
  );
  const wanted = lookUps
    .map((lookUp) => ({ ...lookUp, keyAt: placeOf(file, lookUp.key), idAt: placeOf(file, lookUp.id) }))
    .filter(({ keyAt }) => keyAt >= 0);
  if (wanted.length === 0)
    throw new CommandFailed(
      `${path} has no column to look ids up by: ${lookUps.map(({ key }) => key.name).join(' or ')} was expected; it has ${file.header.cells.join(', ')}.`,
    );
  const lineOf = csvLineWriter(file.delimiter);
  const written = createWriteStream(out, { flags: 'wx' });
  await once(written, 'open').catch((cause: unknown) => {
    throw new CommandFailed(`${out} cannot be written, or is there already; choose another name with --out.`, {
      cause,
    });
  });
  const write = async (text: string): Promise<void> => {
    if (!written.write(text)) await once(written, 'drain');
  };
  const added = wanted.filter(({ idAt }) => idAt < 0);
  await write(csvStart(file.delimiter) + lineOf([...file.header.cells, ...added.map(({ id }) => id.name)]));
  const missed: Missed[] = [];
  let count = 0;
  for await (const rows of file.batches)
    for (const { line, cells } of rows) {
      const own = file.header.cells.map((_, index) => cells[index] ?? '');
      for (const { keyAt, idAt, ids, fold } of wanted) {
        const cell = trimIdentifier(own[keyAt] ?? '');
        const isGiven = idAt >= 0 && !isBlank(own[idAt] ?? '');
        const found = isGiven || cell === '' ? undefined : (ids.get(fold(cell)) ?? new Set<string>());
        if (found && found.size !== 1) missed.push({ line, cell, found: found.size });
        const id = found?.size === 1 ? ([...found][0] ?? '') : '';
        if (idAt < 0) own.push(id);
        else if (!isGiven) own[idAt] = id;
      }
      count += 1;
      await write(lineOf(own));
    }
  written.end();
  await once(written, 'finish');
  return { rows: count, missed };
}

async function open(path: string, columns: readonly Column[]): Promise<Manifest> {
  measureFile(path);
  return openReportCsv(createReadStream(path), columns);
}

/** Where a column stands, by any of its spellings; -1 where it does not. */
const placeOf = ({ header }: Manifest, { name, aliases }: Column): number => {
  const keys = new Set([name, ...aliases].map(columnKey));
  return header.cells.findIndex((cell) => keys.has(columnKey(cell)));
};

function requirePlace(file: Manifest, wanted: Column, path: string): number {
  const place = placeOf(file, wanted);
  if (place >= 0) return place;
  throw new CommandFailed(
    `${path} has no column ${wanted.name} (also written ${wanted.aliases.join(', ')}); it has ${file.header.cells.join(', ')}. Export it with that column.`,
  );
}

const SHOWN = 20;

function describeMissed(missed: readonly Missed[]): readonly string[] {
  if (missed.length === 0) return [];
  const shown = missed
    .slice(0, SHOWN)
    .map(
      ({ line, cell, found }) =>
        `  line ${line}: ${cell} ${found === 0 ? 'is not in the export' : `has ${found} ids in the export`}`,
    );
  const more = missed.length > SHOWN ? [`  and ${missed.length - SHOWN} more; --json lists them all`] : [];
  return ['Without an id:', ...shown, ...more];
}
