import type { Command } from 'commander';

import { foldCase } from '../shared/folding.ts';
import { jobHash } from '../shared/job/keys.ts';
import type { Summary } from '../shared/job/summary.ts';
import { isBlank } from '../shared/manifest/cells.ts';
import { findOperation } from '../shared/operations/index.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { CommandFailed } from './failures.ts';
import { openReportCsv } from './report-csv.ts';
import { addPipelineCommand, openPipeline, openResults, type PipelineOptions } from './pipeline.ts';
import { renderTable } from './show.ts';

/** What became of somebody in one row of one job, and who answers for it. */
export interface Entry {
  readonly at: string;
  readonly job: string;
  readonly target: string;
  readonly operation: string;
  readonly line: number;
  readonly status: string;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** Who put the file there, and who approved the plan, as AWS names them. */
  readonly uploadedBy: readonly string[];
  readonly approvedBy: readonly string[];
  /** As it was given with the file. */
  readonly reason?: string | undefined;
  /** The row's own cells, by their columns. */
  readonly cells: Readonly<Record<string, string>>;
}

interface HistoryOptions extends PipelineOptions {
  readonly since?: string;
  readonly json?: boolean;
}

/** `history <person or job>`: what was changed, who uploaded and approved it, and the reason that was given. */
export const addHistory = (program: Command): Command =>
  addPipelineCommand(program, 'history', 'show what was changed about a person, or by a job, and who asked for it', {
    0: 'shown; nothing may have been found',
    1: 'it could not be read; the message says why',
  })
    .argument('<person or job>', "a cell of the person's rows, whole (address, account id, username), or a job's id")
    .option('--since <day>', 'only jobs that began on this day or later, such as 2026-11-01')
    .option('--json', 'print JSON: an array of rows, oldest first')
    .action(showHistory);

async function showHistory(who: string, { since, json, ...options }: HistoryOptions): Promise<void> {
  const sinceMs = parseSince(since);
  const entries: Entry[] = [];
  for await (const entry of findHistory(openResults(await openPipeline(options)), { who, sinceMs }))
    entries.push(entry);
  entries.sort((one, other) => one.at.localeCompare(other.at));
  if (json) return console.log(JSON.stringify(entries));
  console.log(entries.length === 0 ? `No row of any report is about ${who}.` : describeEntries(entries));
}

function parseSince(day: string | undefined): number {
  if (day === undefined) return -Infinity;
  const ms = Date.parse(day);
  if (/^\d{4}-\d{2}-\d{2}/.test(day) && !Number.isNaN(ms)) return ms;
  throw new CommandFailed(`--since is "${day}"; a day such as 2026-11-01 was expected.`);
}

interface Wanted {
  readonly who: string;
  /** Epoch milliseconds. */
  readonly sinceMs: number;
}

const SUMMARY = '/summary.json';

/** The rows of all reports that are about somebody, or that are a job's, one report after the other, in bounded memory. */
export async function* findHistory(results: ObjectStore, { who, sinceMs }: Wanted): AsyncIterable<Entry> {
  const sought = foldCase(who.trim());
  for await (const key of results.list('')) {
    if (!key.endsWith(SUMMARY)) continue;
    const stored = await results.read(key);
    const summary = stored && (JSON.parse(await stored.text()) as Summary); // the reporter's own
    if (!summary || Date.parse(summary.startedAt) < sinceMs) continue;
    const isJob = summary.job === who || jobHash(summary.job) === who;
    for await (const entry of readEntries(results, summary, `${key.slice(0, -SUMMARY.length)}/results.csv`))
      if (isJob || Object.values(entry.cells).some((cell) => foldCase(cell.trim()) === sought)) yield entry;
  }
}

const OWN = /^rollcall_/;

async function* readEntries(results: ObjectStore, summary: Summary, key: string): AsyncIterable<Entry> {
  const stored = await results.read(key);
  if (!stored) return;
  const operation = findOperation(summary.operation);
  const columns = [...(operation?.cloud?.columns ?? []), ...(operation?.dataCenter?.columns ?? [])];
  const report = await openReportCsv(stored.body, columns);
  const header = report.header.cells;
  const place = (name: string): number => header.indexOf(`rollcall_${name}`);
  const [line, status, code, message, at] = ['line', 'status', 'code', 'message', 'finished_at'].map(place);
  const actors = (action: string): readonly string[] =>
    summary.actors.filter((actor) => actor.action === action).map(({ principal }) => principal);
  const common = {
    job: summary.job,
    target: summary.target,
    operation: summary.operation,
    uploadedBy: actors('upload'),
    approvedBy: actors('approve'),
    reason: summary.reason,
  };
  for await (const rows of report.batches)
    for (const { cells } of rows) {
      const own = header.flatMap((name, index) => {
        const cell = cells[index] ?? '';
        return OWN.test(name) || isBlank(cell) ? [] : [[name, cell] as const];
      });
      yield {
        at: cells[at ?? -1] ?? '',
        ...common,
        line: Number(cells[line ?? -1]),
        status: cells[status ?? -1] ?? '',
        code: cells[code ?? -1] || undefined,
        message: cells[message ?? -1] || undefined,
        cells: Object.fromEntries(own),
      };
    }
}

/** For a terminal of 100 columns: a table of what happened, and below it who answers for each job. */
function describeEntries(entries: readonly Entry[]): string {
  const table = renderTable(
    ['when', 'job', 'what', 'line', 'outcome'],
    entries.map(({ at, job, target, operation, line, status, code }) => [
      at.slice(0, 16).replace('T', ' '),
      jobHash(job),
      `${operation} on ${target}`,
      line,
      code === undefined ? status : `${status} ${code}`,
    ]),
  );
  const jobs = new Map(entries.map((entry) => [entry.job, entry]));
  const answers = [...jobs.values()].map(
    ({ job, uploadedBy, approvedBy, reason }) =>
      `${jobHash(job)}: uploaded by ${listOr(uploadedBy, 'nobody known')}, approved by ${listOr(approvedBy, 'nobody')}${reason === undefined ? '' : `; reason: ${reason}`}`,
  );
  return [table, ...answers].join('\n');
}

const listOr = (names: readonly string[], none: string): string => (names.length === 0 ? none : names.join(', '));
