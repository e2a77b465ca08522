import { join } from 'node:path';
import type { Command } from 'commander';

import type { LocalStack } from '../local/stack.ts';
import { isCancelled, isWaiting } from '../shared/job/job.ts';
import type { WaitReasonCode } from '../shared/job/outcome.ts';
import type { Summary } from '../shared/job/summary.ts';
import { operationNames } from '../shared/operations/index.ts';
import type { ObjectStore } from '../shared/ports.ts';
import type { Target } from '../shared/target.ts';
import { askFor, findMissing, findNamed, followApproving, openTerminal, type Consent, type Given } from './approval.ts';
import { addCommand, checkOperation, collectReason, readStage, readTargetFile } from './arguments.ts';
import { catchSignals, CommandFailed } from './failures.ts';
import { makeReportFolder, measureFile, saveReport, uploadManifest } from './files.ts';
import { exitCodeOf, stopJob, type Followed } from './jobs.ts';
import { withStack } from './local-stack.ts';
import { connectTo, openInbox, openResults } from './pipeline.ts';
import { readChanges } from './plan-preview.ts';
import { countRows, describeSummary } from './show.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

const REPORTS = 'reports';
const MOST_REASON_CHARACTERS = 1_000;

interface RunOptions {
  readonly operation: string;
  readonly target?: string;
  readonly targetFile?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly accept?: readonly WaitReasonCode[];
  readonly reason?: string;
  readonly out?: string;
  readonly stage?: string;
}

/** `run <file.csv>`: plans one file on this machine and applies what is approved, through the functions and queues of the synthesized template. */
export const addRun = (program: Command): Command =>
  addCommand(program, 'run', 'plan one file on this machine, apply it once it is approved, and save its report', {
    0: 'every row is as the file asks, or a dry run would refuse none; rows that repeat an earlier one do not count',
    1: 'the file was rejected or could not be run, or a function made a call that its role does not allow',
    2: 'some rows are not as the file asks, or a dry run would refuse some; the report says which and why',
    3: 'it waits for approval; the message says which options give it',
    130: 'Ctrl-C: the job is cancelled and its report saved',
  })
    .argument('<file.csv>', 'the CSV file')
    .requiredOption('--operation <operation>', `what to do with each row: ${operationNames.join(', ')}`)
    .option('--target <cloud|data-center>', 'the simulated Atlassian to apply it to (cloud unless given)')
    .option('--target-file <secret.json>', "a real target's secret; the target has the name of the file")
    .option('--dry-run', 'plan only: nothing is changed')
    .option('--yes', 'approve the plan without being asked, as far as it waits for APPROVAL_REQUIRED or STEP alone')
    .option('--accept <reason>', 'another reason to wait that is accepted; can be given several times', collectReason)
    .option('--reason <text>', 'why, for the report and whoever approves')
    .option('--out <dir>', "where the report's files are written (reports/<job> unless given)")
    .option('--stage <settings.json>', 'stage settings instead of the defaults')
    .action(async (file: string, options: RunOptions) => {
      process.exitCode = await run(file, options);
    });

async function run(file: string, options: RunOptions): Promise<number> {
  // Whatever can be wrong with what was given is said before anything is started.
  measureFile(file);
  const given = options.targetFile === undefined ? undefined : readTargetFile(options.targetFile);
  const target = given?.name ?? checkSimulated(options.target);
  checkOperation(options.operation, given?.type ?? checkSimulated(options.target));
  const settings = readStage(options.stage);
  checkReason(options.reason);
  makeReportFolder(options.out ?? REPORTS);

  const ending = catchSignals();
  const stack = {
    folder: makeTemporaryFolder(),
    settings,
    ending,
    ...(given && { targets: { [given.name]: given.secret } }),
    simulator: given === undefined,
  };
  return withStack(stack, (running) => runFile(running, { ...options, file, target }, ending));
}

interface Request extends RunOptions {
  readonly file: string;
  readonly target: string;
}

async function runFile(stack: LocalStack, request: Request, ending: AbortSignal): Promise<number> {
  const { file, target, operation, out } = request;
  const { client, bucket, store: inbox } = openInbox(connectTo(stack));
  const results = openResults(connectTo(stack));
  const approver = openApprover(results, request, ending);
  const options = optionsOf(request, approver.asks);
  const { jobId, prefixes } = await uploadManifest({ client, bucket, target, operation, path: file, options });
  const job = { inbox, results, jobId, prefixes };
  const followed = await followApproving({ ...job, consent: approver.consent, signal: ending }).catch(
    (error: unknown) => {
      if (!ending.aborted) throw error;
      console.error('Stopping: rows in progress finish, no further row starts …');
      return stopJob(job);
    },
  );

  const { summary, prefix } = followed;
  const folder = await saveReport(results, prefix, out ?? join(REPORTS, jobId));
  await approver.sayEnd(followed);
  console.log(`The report is in ${folder}.`);
  if (!ending.aborted || !isCancelled(summary.state)) return exitCodeOf(summary);
  console.log(
    `Stopped after ${countRows(summary.counts.rows - summary.counts.unprocessed)}. To continue, run the file again: rows that are done come out unchanged.`,
  );
  throw ending.reason;
}

interface Approver {
  /** Whether the job is to wait for this approver, however few its changes. */
  readonly asks: boolean;
  /** Shows the plan, and asks for what the options do not approve. */
  readonly consent: Consent;
  /** Says how the job ended or what it waits for, with its plan where that was not shown yet. */
  readonly sayEnd: (followed: Followed) => Promise<void>;
}

function openApprover(results: ObjectStore, request: Request, ending: AbortSignal): Approver {
  const { operation, accept = [], yes, dryRun } = request;
  const given = { accept, yes };
  const ask = openTerminal(ending);
  const asks = (ask !== undefined || yes === true) && dryRun !== true;
  let shown: string | undefined;
  const show = async ({ summary, prefix }: Followed): Promise<void> => {
    const changes = summary.plan?.hash === shown ? [] : await readChanges(results, { prefix, operation });
    shown = summary.plan?.hash;
    console.log(describeSummary(summary, changes));
  };
  return {
    asks,
    consent: async (waiting) => {
      const { summary } = waiting;
      await show(asks ? { ...waiting, summary: withoutApproval(summary) } : waiting);
      if (needsAnother(summary)) return undefined;
      const isApproved = ask ? await askFor(summary, given, ask) : findMissing(summary, given).length === 0;
      return isApproved ? findNamed(summary) : undefined;
    },
    sayEnd: async (followed) =>
      isWaiting(followed.summary.state) ? console.log(describeWait(followed.summary, given)) : show(followed),
  };
}

/** Whether whoever uploaded the file cannot approve it. */
const needsAnother = ({ policy }: Summary): boolean => policy?.['twoPersons'] === true;

/** That a job waits because this command asked it to needs no word. */
const withoutApproval = ({ waiting, ...summary }: Summary): Summary => ({
  ...summary,
  waiting: waiting && { ...waiting, reasons: waiting.reasons.filter(({ code }) => code !== 'APPROVAL_REQUIRED') },
});

/** That a job waits, and what helps; options stand on a line of their own, to be copied. */
function describeWait(summary: Summary, given: Given): string {
  const { job, counts } = summary;
  const applied = counts.changed === 0 ? 'nothing was changed' : `${countRows(counts.changed)} changed so far`;
  const turnedDown = (summary.problems ?? []).map(({ message }) => ` ${message}`).join('');
  const waits = `${job} waits for approval; ${applied}.${turnedDown}\nThe stack that ran it ends here.`;
  const missing = findMissing(summary, given);
  if (needsAnother(summary))
    return `${waits} The policy asks for two persons: use a pipeline where another can \`approve\` it.`;
  if (missing.length === 0) return `${waits} To apply the plan, run the command again and answer y.`;
  return `${waits} To apply the plan, run the command again with\n    ${missing.join(' ')}`;
}

/** What comes with the file. */
const optionsOf = ({ dryRun, reason }: Request, asks: boolean): Readonly<Record<string, string>> => ({
  ...(dryRun === true && { 'dry-run': 'true' }),
  ...(asks && { approval: 'required' }),
  ...(reason !== undefined && { reason }),
});

/** S3 keeps what comes with a file as headers, which hold no other characters. */
function checkReason(reason = ''): void {
  if (/^[\x20-\x7E]*$/.test(reason) && reason.length <= MOST_REASON_CHARACTERS) return;
  throw new CommandFailed(
    `--reason can have at most ${MOST_REASON_CHARACTERS} letters, digits and signs of ASCII; write it without accents, on one line.`,
  );
}

function checkSimulated(name = 'cloud'): Target['type'] {
  if (name === 'cloud' || name === 'data-center') return name;
  throw new CommandFailed(
    `--target is "${name}"; cloud or data-center was expected, which are simulated. For your own Atlassian, give --target-file <secret.json>.`,
  );
}
