import { parse } from 'csv-parse/sync';

import { writeReportFiles } from '../../functions/reporter/report.ts';
import { isCode, type Code, STATUSES } from '../../shared/job/outcome.ts';
import { resultsPrefix } from '../../shared/job/keys.ts';
import type { State } from '../../shared/job/state.ts';
import { summaryOf, type Summary } from '../../shared/job/summary.ts';
import { taskSchema } from '../../shared/job/messages.ts';
import type { Target } from '../../shared/target.ts';
import { memoryObjectStore, type MemoryObjectStore } from '../fakes/memory-object-store.ts';
import type { Faults } from './faults.ts';
import type { Promises } from './promises.ts';
import type { SimulatedSite } from './simulated-atlassian.ts';
import type { Parcel } from './simulated-queue.ts';
import type { Wish, Wishes } from './wishes.ts';

/** One job of a run, with the Atlassian that is its own. */
export interface SimulatedJob {
  readonly id: string;
  readonly key: string;
  readonly wishes: Wishes;
  readonly target: Target;
  readonly site: SimulatedSite;
  /** Writes that changed Atlassian's state, and how often. */
  readonly effective: ReadonlyMap<string, number>;
  /** Answers that cost a row an attempt. */
  readonly spent: { attempts: number };
}

interface Ended {
  readonly results: MemoryObjectStore;
  readonly promises: Promises;
  readonly faults: Faults;
  readonly deadLetters: readonly Parcel[];
  /** Whether a worker may have been kept from recording a failure whose dead letter was sent: then the next delivery sends it again. */
  readonly isCutOff: boolean;
}

/** A row as the report gives it. */
interface Reported {
  readonly status: string;
  readonly code: string;
  readonly attempts: number;
}

/** Holds the report of a job that has ended against the manifest, the job's events and Atlassian, row by row. */
export async function checkJob(job: SimulatedJob, ended: Ended): Promise<void> {
  const { promises, results } = ended;
  checkWrites(job, promises);
  const state = promises.states.get(job.id);
  if (!state) return promises.violate('A job always ends', `nothing is known of ${job.id}`);
  const folder = resultsPrefix(state.job);
  if (!results.objects.has(`${folder}summary.json`))
    return promises.violate('A job always ends', `${job.id} has no report`);
  const summary = JSON.parse(results.textOf(`${folder}summary.json`)) as Summary; // our own writing
  checkSummary(summary, state, promises);
  const rows = readReport(results.textOf(`${folder}results.csv`));
  if (state.manifest === undefined) return; // it was stopped before its rows were known
  if (rows.length !== job.wishes.rows.length)
    return promises.violate('Conservation', `${rows.length} rows reported of ${job.wishes.rows.length}`);
  rows.forEach((row, index) => {
    const wish = job.wishes.rows[index]!; // as many as rows
    const isInUse = row.code === 'EMAIL_IN_USE' && mayBeInUse(index, rows, { job, ended });
    for (const [promise, what] of isInUse ? [] : breachesOf(row, wish, { job, ended }))
      promises.violate(
        promise,
        `row ${index} of ${job.id} (${wish.cells.join(',')}) is ${row.status} ${row.code}: ${what}`,
      );
  });
  checkReasons(rows, { state, summary }, ended);
  if (!hasLostEvents(ended)) checkFolded(rows, state, promises);
  await checkRebuilt(state, summary, ended);
}

/** What a dead letter says. */
interface DeadLetter {
  readonly row: number;
  readonly generation: number;
  readonly code: string | undefined;
}

/** status.json, summary.json, results.csv and dead letters name the same reason for a row. */
function checkReasons(
  rows: readonly Reported[],
  { state, summary }: { readonly state: State; readonly summary: Summary },
  ended: Ended,
): void {
  const { promises, deadLetters } = ended;
  if (JSON.stringify(sorted(summaryOf(state).codes)) !== JSON.stringify(sorted(summary.codes)))
    promises.violate(
      'Conservation',
      `status.json of ${state.job.id} counts ${JSON.stringify(summaryOf(state).codes)}, summary.json ${JSON.stringify(summary.codes)}`,
    );
  const byRow = Map.groupBy(lettersOf(state.job.id, deadLetters), ({ row }) => row);
  rows.forEach(({ status, code }, row) => {
    if (status !== 'failed') return;
    const letters = byRow.get(row) ?? [];
    const newest = letters.filter(({ generation }) => letters.every((other) => other.generation <= generation));
    // What SQS itself gives up on has no attributes: its reason is nowhere but in the report.
    const codes = newest.flatMap((letter) => letter.code ?? []);
    if (newest.length === 0 || codes.some((other) => other !== code))
      promises.violate(
        'Conservation',
        `row ${row} of ${state.job.id} is failed ${code}, and its dead letters say ${codes.join(', ') || 'nothing'}`,
      );
    if (newest.length > 1 && !ended.isCutOff)
      promises.violate('Conservation', `row ${row} of ${state.job.id} has ${newest.length} dead letters`);
  });
}

const lettersOf = (jobId: string, deadLetters: readonly Parcel[]): readonly DeadLetter[] =>
  deadLetters.flatMap(({ body, attributes }) => {
    const task = taskSchema.parse(JSON.parse(body));
    return task.jobId === jobId ? [{ row: task.row, generation: task.generation, code: attributes?.['code'] }] : [];
  });

const sorted = (codes: Summary['codes']): unknown => Object.entries(codes).toSorted();

/** Whether events that the job's events had accepted may never have reached a coordinator. */
const hasLostEvents = ({ faults }: Ended): boolean => faults.injected().has('eventsQueue purged');

/** How many ids of events a state remembers, so that one that comes twice counts once. */
const REMEMBERED_EVENTS = 100;

/** Everything that the job's events was told is in the state, once. */
function checkFolded(rows: readonly Reported[], { job, calls }: State, promises: Promises): void {
  const { outcomes, callsSent, events } = promises.eventsOf(job.id);
  for (const [row, { status }] of outcomes)
    if (STATUSES.indexOf(status) < STATUSES.findIndex((known) => known === rows[row]?.status))
      promises.violate(
        'Fail closed',
        `row ${row} of ${job.id} is ${rows[row]?.status}, and the eventsQueue was told ${status}`,
      );
  if (events < REMEMBERED_EVENTS && calls.sent !== callsSent)
    promises.violate(
      'Conservation',
      `${job.id} counts ${calls.sent} calls, and the eventsQueue was told of ${callsSent}`,
    );
}

function checkWrites({ effective, wishes, id }: SimulatedJob, promises: Promises): void {
  const wished = new Set(wishes.rows.map(({ write }) => write));
  for (const [write, times] of effective) {
    if (!wished.has(write)) promises.violate('Once', `${id} wrote what no row wished: ${write}`);
    if (times > 1) promises.violate('Once', `${id} wrote ${times} times with effect: ${write}`);
  }
}

function checkSummary(summary: Summary, state: State, promises: Promises): void {
  if (summary.revision !== state.revision || summary.state !== state.state)
    promises.violate(
      'A job always ends',
      `the report is of revision ${summary.revision}, ${summary.state}; the job of ${state.revision}, ${state.state}`,
    );
}

function readReport(csv: string): readonly Reported[] {
  const records = parse<Record<string, string>>(csv, { bom: true, columns: true });
  return records.map((record) => ({
    status: record['rollcall_status'] ?? '',
    code: record['rollcall_code'] ?? '',
    attempts: Number(record['rollcall_attempts']),
  }));
}

/** After these nobody knows whether the last write arrived. */
const UNCERTAIN: readonly string[] = ['TIMED_OUT', 'ATLASSIAN_ERROR', 'WORKER_DIED', 'UNAUTHORIZED'] satisfies Code[];
/** What faults alone may do to a row. */
const MISFORTUNES: readonly string[] = [
  'RATE_LIMITED',
  'ATLASSIAN_ERROR',
  'TIMED_OUT',
  'WORKER_DIED',
  'UNAUTHORIZED',
  'LOST',
  'CANCELLED',
  'EXPIRED',
  'HALTED',
] satisfies Code[];

type Breach = readonly [promise: string, what: string];

interface Of {
  readonly job: SimulatedJob;
  readonly ended: Ended;
}

/**
 * A row's new address is in use while the row that was to free it failed. When both are redriven at once they
 * do not wait for each other; and a row that names its person by an address which another has taken since cannot tell the two.
 */
function mayBeInUse(index: number, rows: readonly Reported[], { job, ended }: Of): boolean {
  const { takesFrom } = job.wishes.rows[index]!; // as many as rows
  if (ended.promises.isRedriven())
    return takesFrom !== undefined || job.wishes.rows.some((other) => other.takesFrom === index);
  return takesFrom !== undefined && !['changed', 'unchanged'].includes(rows[takesFrom]!.status);
}

function breachesOf({ status, code, attempts }: Reported, wish: Wish, { job, ended }: Of): readonly Breach[] {
  const breaches: Breach[] = [];
  const holds = wish.holds(job.site.truth);
  const heldBefore = wish.holds(job.wishes.site());
  const writes = (wish.write !== undefined && job.effective.get(wish.write)) || 0;
  const isRepeat = wish.expected.code === 'DUPLICATE';

  if ((status === 'changed' || status === 'unchanged') && !holds) breaches.push(['Once', 'Atlassian is not so']);
  if (status === 'changed' && writes === 0) breaches.push(['Once', 'nothing was written']);
  const lostEvents = hasLostEvents(ended);
  if (status === 'unchanged' && writes > 0 && !lostEvents) breaches.push(['Once', 'it was written']);
  if (status === 'failed' && writes > 0 && !UNCERTAIN.includes(code) && !isRepeat)
    breaches.push(['Once', 'it was written']);
  if (status === 'failed' && holds && !heldBefore && writes === 0) breaches.push(['Once', 'Atlassian is so']);
  if (status === 'unprocessed' && writes > 0 && attempts === 0 && !isRepeat && !lostEvents)
    breaches.push(['Once', 'it was written']);
  // That a freed address still shows as in use spends an attempt: nobody can tell how long that lasts.
  if (wish.takesFrom === undefined && attempts > 1 + job.spent.attempts)
    breaches.push(['Waiting is not failing', `${attempts} attempts, and ${job.spent.attempts} answers that spend one`]);
  if (!isExpected({ status, code, attempts }, wish))
    breaches.push(['Conservation', `expected is ${wish.expected.status} ${wish.expected.code ?? ''}`]);
  return breaches;
}

function isExpected({ status, code }: Reported, { expected, write }: Wish): boolean {
  if (status === expected.status && code === (expected.code ?? '')) return true;
  if (expected.status === 'invalid' || expected.code === 'DUPLICATE') return false;
  if (isCode(code) && MISFORTUNES.includes(code)) return true;
  return write !== undefined && expected.status === 'changed' && status === 'unchanged';
}

/** The report is a function of manifest and events. */
async function checkRebuilt(state: State, summary: Summary, { results, promises }: Ended): Promise<void> {
  const folder = resultsPrefix(state.job);
  const copies = memoryObjectStore(Object.fromEntries(results.objects));
  const rebuilt = await writeReportFiles(copies, state);
  for (const name of ['results.csv', 'failed.csv', 'unprocessed.csv'])
    if (copies.textOf(folder + name) !== results.textOf(folder + name))
      promises.violate('A job always ends', `${name} of ${state.job.id} is another when it is rebuilt`);
  if (JSON.stringify([rebuilt.counts, rebuilt.codes]) !== JSON.stringify([summary.counts, summary.codes]))
    promises.violate('A job always ends', `the summary of ${state.job.id} is another when it is rebuilt`);
}
