import { parse } from 'csv-parse/sync';

import { writeReportFiles } from '../../functions/reporter/report.ts';
import { isCode, type Code, CODES, STATUSES } from '../../shared/job/outcome.ts';
import { resultsPrefix } from '../../shared/job/keys.ts';
import type { State } from '../../shared/job/state.ts';
import { summaryOf, type Summary } from '../../shared/job/summary.ts';
import { taskSchema } from '../../shared/job/messages.ts';
import { memoryObjectStore, type MemoryObjectStore } from '../fakes/memory-object-store.ts';
import type { Expected } from './expected.ts';
import type { FaultKind, Faults } from './faults.ts';
import type { SimulatedJob } from './jobs.ts';
import { MAX_ATTEMPTS } from './pipeline.ts';
import type { Promises } from './promises.ts';
import type { Parcel } from './simulated-queue.ts';
import type { Wish } from './wishes.ts';
import { PAGE } from '../fakes/page-parts.ts';

export interface Ended {
  readonly results: MemoryObjectStore;
  readonly promises: Promises;
  readonly faults: Faults;
  readonly deadLetters: readonly Parcel[];
  readonly lagMs: number;
}

/** A row as the report gives it. */
interface Reported {
  readonly status: string;
  readonly code: string;
  readonly attempts: number;
}

/** A job that has ended, with its report. */
interface Checked extends Ended {
  readonly job: SimulatedJob;
  readonly state: State;
  readonly summary: Summary;
  readonly rows: readonly Reported[];
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
  const wishes = job.file.wishes.rows;
  if (rows.length !== wishes.length)
    return promises.violate('Conservation', `${rows.length} rows reported of ${wishes.length}`);
  const checked: Checked = { ...ended, job, state, summary, rows };
  rows.forEach((row, index) => {
    for (const [promise, what] of findBreaches(index, checked))
      promises.violate(
        promise,
        `row ${index} of ${job.id} (${wishes[index]?.cells.join(',')}) is ${row.status} ${row.code}: ${what}`,
      );
  });
  checkReasons(checked);
  checkUndo(checked);
  if (!hasLostEvents(ended)) checkFolded(checked);
  await checkRebuilt(checked);
}

/** What a dead letter says. */
interface DeadLetter {
  readonly row: number;
  readonly generation: number;
  readonly code: string | undefined;
}

/** After these a reporter may have sent dead letters without having written down that it did, and sends them again. */
const CUTS_OFF: readonly FaultKind[] = [
  'dies before an effect',
  'dies after an effect',
  'little time',
  'send refused in part',
  'send accepted, answer lost',
  'store fails',
  'store fails after the write',
  'race lost',
  'race won, answer says lost',
];

/** status.json, summary.json, results.csv and dead letters name the same reason for a row; a job that never applied leaves no dead letters. */
function checkReasons({ state, summary, rows, promises, deadLetters, faults }: Checked): void {
  const { id } = state.job;
  const violate = (what: string): void => promises.violate('Conservation', what);
  if (JSON.stringify(sorted(summaryOf(state).codes)) !== JSON.stringify(sorted(summary.codes)))
    violate(
      `status.json of ${id} counts ${JSON.stringify(summaryOf(state).codes)}, summary.json ${JSON.stringify(summary.codes)}`,
    );
  const letters = lettersOf(id, deadLetters);
  if (state.appliedAt === undefined) {
    if (letters.length > 0) violate(`${id} never began to apply, and has ${letters.length} dead letters`);
    return;
  }
  const mayBeDoubled = CUTS_OFF.some((kind) => faults.injected().has(kind));
  const byRow = Map.groupBy(letters, ({ row }) => row);
  rows.forEach(({ status, code }, row) => {
    if (status !== 'failed') return;
    const own = byRow.get(row) ?? [];
    const newest = own.filter(({ generation }) => own.every((other) => other.generation <= generation));
    const codes = newest.map((letter) => letter.code ?? 'nothing');
    if (newest.length === 0 || codes.some((other) => other !== code))
      violate(`row ${row} of ${id} is failed ${code}, and its dead letters say ${codes.join(', ') || 'nothing'}`);
    if (newest.length > 1 && !mayBeDoubled) violate(`row ${row} of ${id} has ${newest.length} dead letters`);
  });
}

const lettersOf = (jobId: string, deadLetters: readonly Parcel[]): readonly DeadLetter[] =>
  deadLetters.flatMap(({ body, attributes }) => {
    const task = taskSchema.parse(JSON.parse(body));
    return task.jobId === jobId ? [{ row: task.row, generation: task.generation, code: attributes?.['code'] }] : [];
  });

const sorted = (codes: Summary['codes']): unknown => Object.entries(codes).toSorted();

/** undo.csv lists exactly the rows that were changed, and those whose write may have begun and whose end is not known. */
function checkUndo({ results, state, rows, promises, job, ...ended }: Checked): void {
  const csv = results.textOf(`${resultsPrefix(state.job)}undo.csv`);
  const records = parse<Record<string, string>>(csv, { bom: true, columns: true });
  const listed = new Set(records.map((record) => Number(record['row'])));
  const { attempted } = promises.eventsOf(job.id);
  rows.forEach(({ status }, row) => {
    const isOwed = status === 'changed' || (attempted.has(row) && status !== 'unchanged');
    const isLost = hasLostEvents({ promises, ...ended }) && status !== 'changed';
    if (isOwed === listed.has(row) || isLost) return;
    const what = isOwed ? 'is not listed in undo.csv' : 'is listed in undo.csv, and no write of it began';
    promises.violate('Undo', `row ${row} of ${job.id} is ${status}, and ${what}`);
  });
}

/** Whether events that the job's events had accepted may never have reached a coordinator. */
const hasLostEvents = ({ faults }: Pick<Ended, 'faults' | 'promises'>): boolean =>
  faults.injected().has('eventsQueue purged');

/** How many ids of events a state remembers, so that one that comes twice counts once. */
const REMEMBERED_EVENTS = 100;

/** Everything that the job's events was told is in the state, once. */
function checkFolded({ rows, state: { job, calls }, promises }: Checked): void {
  const { outcomes, callsSent, ids } = promises.eventsOf(job.id);
  for (const [row, { status }] of outcomes)
    if (STATUSES.indexOf(status) < STATUSES.findIndex((known) => known === rows[row]?.status))
      promises.violate(
        'Fail closed',
        `row ${row} of ${job.id} is ${rows[row]?.status}, and the eventsQueue was told ${status}`,
      );
  if (ids.size < REMEMBERED_EVENTS && calls.sent !== callsSent)
    promises.violate(
      'Conservation',
      `${job.id} counts ${calls.sent} calls, and the eventsQueue was told of ${callsSent}`,
    );
}

/** Each row has at most one effective write, while nobody else changes the same subject. */
function checkWrites({ id, file }: SimulatedJob, promises: Promises): void {
  const { wishes, log } = file;
  const touched = new Set(wishes.rows.flatMap(({ write }, row) => (log.isTouched(row) ? [write] : [])));
  // What was as desired at first needs a write once somebody else has undone it.
  const isUndone = wishes.rows.some(({ write }, row) => write === undefined && log.isTouched(row));
  const wished = new Set(wishes.rows.map(({ write }) => write));
  for (const [write, times] of log.effective) {
    if (!wished.has(write) && !isTorn(file) && !isUndone)
      promises.violate('Once', `${id} wrote what no row wished: ${write}`);
    if (times > 1 && !touched.has(write)) promises.violate('Once', `${id} wrote ${times} times with effect: ${write}`);
  }
}

/** Whether somebody else changed a row's person in a file whose rows contradict or repeat one another: planned without that row, the others may not. */
const isTorn = ({ wishes: { rows }, log }: SimulatedJob['file']): boolean =>
  rows.some(({ expected }) => ENTANGLED.includes(expected.code ?? '')) && rows.some((_, row) => log.isTouched(row));

const ENTANGLED: readonly string[] = ['CONTRADICTION', 'DUPLICATE'] satisfies Code[];

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

/** Whether another job with the same file was planned before. */
function isSecond({ id, file }: SimulatedJob): boolean {
  const begunMs = (jobId: string): number => file.log.of(jobId).heardAtMs[0] ?? Infinity;
  return file.jobs.some((other) => other.id !== id && begunMs(other.id) < begunMs(id));
}

type Breach = readonly [promise: string, what: string];

function findBreaches(index: number, checked: Checked): readonly Breach[] {
  const breaches = [...findGreenBreaches(index, checked), ...findWriteBreaches(index, checked)];
  const reported = checked.rows[index]!; // as many as wishes
  const { takesFrom } = wishAt(index, checked);
  const { spent } = checked.job.file.log.of(checked.job.id);
  // That a freed address still shows as in use spends an attempt: nobody can tell how long that lasts.
  if (takesFrom === undefined && reported.attempts > 1 + spent)
    breaches.push(['Waiting is not failing', `${reported.attempts} attempts, and ${spent} answers that spend one`]);
  const goal = goalOf(index, checked);
  if (!mayBe(reported, goal, index, checked))
    breaches.push(['Conservation', `expected is ${goal.status} ${goal.code ?? ''}`]);
  return breaches;
}

const wishAt = (index: number, { job }: Checked): Wish => job.file.wishes.rows[index]!; // as many as rows

/** Writes of a row by this job that changed something. */
const writesOf = (index: number, checked: Checked): number =>
  checked.job.file.log.of(checked.job.id).effective.get(wishAt(index, checked).write ?? '') ?? 0;

/** `changed`: Atlassian confirmed a write of ours, or it was read after one; `unchanged`: it was so when it was read. */
function findGreenBreaches(index: number, checked: Checked): Breach[] {
  const { status } = checked.rows[index]!; // as many as wishes
  if (status !== 'changed' && status !== 'unchanged') return [];
  const { file, id } = checked.job;
  const { write, holds } = wishAt(index, checked);
  const { confirmed, heardAtMs } = file.log.of(id);
  const isTouched = file.log.isTouched(index);
  const wasSeen = heardAtMs.some((atMs) => file.log.heldBetween(index, atMs - checked.lagMs, atMs));
  if (!isTouched && !holds(file.site.truth)) return [['Green is true', 'Atlassian is not so']];
  if (status === 'unchanged') {
    if (isTouched && !wasSeen) return [['Green is true', 'it was so at no time when anything was read']];
    const isOwn = writesOf(index, checked) > 0 && !hasLostEvents(checked);
    return isOwn && !isTouched ? [['Green is true', 'it was written']] : [];
  }
  if (writesOf(index, checked) > 0) return [];
  const isConfirmed = write !== undefined && confirmed.has(write);
  const isShared = isTouched || file.jobs.length > 1;
  // A row that is redriven after a copy of the file has been applied is found as that one left it.
  const isLater = file.jobs.length > 1 && checked.promises.isRedriven();
  const mayBeOthers = isLater || (isShared && (isConfirmed || wasSeen));
  return mayBeOthers ? [] : [['Green is true', 'nothing was written']];
}

/** After these nobody knows whether the last write arrived. */
const UNCERTAIN: readonly string[] = ['TIMED_OUT', 'ATLASSIAN_ERROR', 'WORKER_DIED', 'UNAUTHORIZED'] satisfies Code[];

/** A row that is not green was not written, as far as anybody can know. */
function findWriteBreaches(index: number, checked: Checked): readonly Breach[] {
  const { status, code, attempts } = checked.rows[index]!; // as many as wishes
  const { expected, holds } = wishAt(index, checked);
  const { file } = checked.job;
  const isRepeat = expected.code === 'DUPLICATE';
  if (file.log.isTouched(index) || isRepeat) return [];
  const writes = writesOf(index, checked);
  const heldBefore = isSecond(checked.job) || holds(file.wishes.site());
  if (status === 'failed' && writes > 0 && !UNCERTAIN.includes(code)) return [['Once', 'it was written']];
  if (status === 'failed' && holds(file.site.truth) && !heldBefore && writes === 0 && file.jobs.length === 1)
    return [['Once', 'Atlassian is so']];
  if (status === 'unprocessed' && writes > 0 && attempts === 0 && !hasLostEvents(checked))
    return [['Once', 'it was written']];
  return [];
}

/** What a row comes to in this job: nothing is applied in a dry run. */
function goalOf(index: number, checked: Checked): Expected {
  const { expected } = wishAt(index, checked);
  const isDry = checked.job.file.planned.dryRun === true && expected.decidedBy === 'apply';
  return isDry ? { status: 'unprocessed', code: 'DRY_RUN', decidedBy: 'plan' } : expected;
}

/** Why a job ended before it applied, or applied all. */
const ENDINGS: readonly string[] = ['CANCELLED', 'EXPIRED'] satisfies Code[];
/** What a row may come to where somebody else changed its subject, or the same file was applied before. */
const ELSEWHERE: readonly string[] = [
  'CHANGED_SINCE_PLAN',
  'EMAIL_IN_USE',
  'EMAIL_MISMATCH',
  'USER_NOT_FOUND',
] satisfies Code[];

function mayBe(reported: Reported, goal: Expected, index: number, checked: Checked): boolean {
  const { status, code } = reported;
  if (status === goal.status && code === (goal.code ?? '')) return true;
  if (goal.decidedBy === 'validation') return false;
  const { state, job, promises } = checked;
  const isUngated = state.plan?.gate === undefined;
  if (isUngated) return status === 'unprocessed' && ENDINGS.includes(code);
  const { log, jobs } = job.file;
  // The mailbox was emptied, and with it that a write had begun.
  if (hasLostEvents(checked) && goal.status === 'changed' && status === 'unchanged') return true;
  const isEntangled = ENTANGLED.includes(goal.code ?? '');
  const isTouched = log.isTouched(index) || (isEntangled && isTorn(job.file));
  const isElsewhere = isTouched || isSecond(job) || (jobs.length > 1 && promises.isRedriven());
  if (isElsewhere && (!isEntangled || isTorn(job.file) || isSecond(job)))
    return (
      (code === 'DRY_RUN' && job.file.planned.dryRun === true) ||
      status === 'changed' ||
      status === 'unchanged' ||
      ELSEWHERE.includes(code) ||
      isMisfortune(reported, checked)
    );
  if (code === 'EMAIL_IN_USE' && mayBeInUse(index, checked)) return true;
  const mayBeUnlucky = goal.decidedBy === 'apply' || (goal.status === 'failed' && promises.isRedriven());
  return mayBeUnlucky && isMisfortune(reported, checked);
}

/** What faults alone may do to a row that is applied: what is temporary fails after the last attempt only, and waiting never. */
function isMisfortune({ status, code, attempts }: Reported, { promises, job }: Checked): boolean {
  if (job.file.planned.dryRun) return ENDINGS.includes(code);
  if (status === 'unprocessed') return ENDINGS.includes(code) || code === 'NOT_APPLIED';
  if (status !== 'failed' || !isCode(code) || code === 'RATE_LIMITED') return false;
  if (code === 'UNAUTHORIZED') return promises.isRedriven();
  return code === 'WORKER_DIED' || (CODES[code].temporary && attempts >= MAX_ATTEMPTS);
}

/**
 * A row's new address is in use while the row that was to free it failed. When both are redriven at once they
 * do not wait for each other; and a row that names its person by an address which another has taken since cannot tell the two.
 */
function mayBeInUse(index: number, { job, rows, promises }: Checked): boolean {
  const wishes = job.file.wishes.rows;
  const { takesFrom } = wishes[index]!; // as many as rows
  if (promises.isRedriven()) return takesFrom !== undefined || wishes.some((other) => other.takesFrom === index);
  return takesFrom !== undefined && !['changed', 'unchanged'].includes(rows[takesFrom]!.status);
}

const REPORTS = ['results.csv', 'failed.csv', 'unprocessed.csv', 'plan.csv', 'undo.csv'] as const;

/** The report is a function of manifest, plan and events. */
async function checkRebuilt({ state, summary, results, promises }: Checked): Promise<void> {
  const folder = resultsPrefix(state.job);
  const copies = memoryObjectStore(Object.fromEntries(results.objects));
  const rebuilt = await writeReportFiles(copies, state, PAGE);
  for (const name of REPORTS)
    if (copies.textOf(folder + name) !== results.textOf(folder + name))
      promises.violate('A job always ends', `${name} of ${state.job.id} is another when it is rebuilt`);
  if (JSON.stringify([rebuilt.counts, rebuilt.codes]) !== JSON.stringify([summary.counts, summary.codes]))
    promises.violate('A job always ends', `the summary of ${state.job.id} is another when it is rebuilt`);
}
