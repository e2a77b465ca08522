import type { Command as Program } from 'commander';
import * as z from 'zod';

import { invokeFunction, InvocationRefused } from '../shared/aws/invoke-function.ts';
import { findUnaccepted } from '../shared/job/approval.ts';
import { COMMANDS, hasEnded, isWaiting, type Command } from '../shared/job/job.ts';
import { resultsPrefix } from '../shared/job/keys.ts';
import type { WaitReasonCode } from '../shared/job/outcome.ts';
import { readState, type State } from '../shared/job/state.ts';
import { summaryOf } from '../shared/job/summary.ts';
import { approvalOf } from './approval.ts';
import { collectReason, JOB } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { findJob } from './jobs.ts';
import {
  addPipelineCommand,
  openInbox,
  openPipeline,
  openResults,
  type Pipeline,
  type PipelineOptions,
} from './pipeline.ts';
import { readChanges } from './plan-preview.ts';
import { describeSummary } from './show.ts';

const ABOUT: Readonly<Record<Command, string>> = {
  pause: 'stop a job for now: no further row starts',
  resume: 'continue a job that is paused or halted',
  cancel: 'end a job: rows that have not started stay unprocessed',
  approve: 'let a job start that waits for approval, once you have looked at its plan.csv',
};

const EXITS = { 0: 'the command was sent', 1: 'it was not; the message says why' };

/** `pause`, `resume`, `cancel` and `approve <job>`: what a person can ask of a job. */
export function addControls(program: Program): void {
  for (const command of COMMANDS) {
    const control = addPipelineCommand(program, command, ABOUT[command], EXITS).argument('<job>', JOB);
    ADD[command](control);
  }
}

type Add = (control: Program) => void;

const addStop =
  (command: 'pause' | 'cancel'): Add =>
  (control) =>
    void control
      .option(
        '--intake <function>',
        'function of a deployed pipeline that stops jobs at once (stack output IntakeFunctionName, or $ROLLCALL_INTAKE)',
      )
      .action((idOrPart: string, options: PipelineOptions) => stop(command, idOrPart, options));

const addResume: Add = (control) =>
  void control.action(async (idOrPart: string, options: PipelineOptions) => {
    const pipeline = await openPipeline(options);
    await putControl(pipeline, await findOpen(pipeline, idOrPart, 'resume'), 'resume');
  });

const addApprove: Add = (control) =>
  void control
    .option('--accept <reason>', 'a reason to wait that is accepted; can be given several times', collectReason)
    .option(
      '--hash <hash>',
      "the plan that is approved, by its hash in status.json (the job's present one unless given)",
    )
    .action(approve);

const ADD: Readonly<Record<Command, Add>> = {
  pause: addStop('pause'),
  resume: addResume,
  cancel: addStop('cancel'),
  approve: addApprove,
};

/** The id of a job that has not ended; throws CommandFailed where there is none, or where nobody can look. */
async function findOpen(pipeline: Pipeline, idOrPart: string, command: Command): Promise<string> {
  const { job, state } = await findJob(openResults(pipeline), idOrPart);
  if (!hasEnded(state)) return job.id;
  throw new CommandFailed(
    `${job.id} has ended (${state}), so there is nothing to ${command}. To run the rest of its rows, upload its unprocessed.csv or failed.csv.`,
  );
}

/** Asks intake itself where its name is known, for S3 may take its time to tell of a control object. */
async function stop(command: 'pause' | 'cancel', idOrPart: string, options: PipelineOptions): Promise<void> {
  const pipeline = await openPipeline(options);
  const { intakeFunctionName, inboxBucket, resultsBucket } = pipeline;
  // Where the results bucket is not known, intake looks whether there is such a job.
  const isLookedUp = resultsBucket !== undefined || !intakeFunctionName;
  const jobId = isLookedUp ? await findOpen(pipeline, idOrPart, command) : idOrPart;
  if (!intakeFunctionName) return putControl(pipeline, jobId, command);
  try {
    await askIntake(pipeline, { command, job: jobId });
  } catch (error) {
    if (!(error instanceof InvocationRefused) || inboxBucket === undefined || !isLookedUp) throw error;
    console.error(`${error.message}\nSending ${command} through the inbox bucket instead, which may take longer.`);
    return putControl(pipeline, jobId, command);
  }
  return saySent(jobId, command);
}

const answerSchema = z.union([
  z.object({ accepted: z.literal(true) }),
  z.object({ accepted: z.literal(false), message: z.string() }),
]);

async function askIntake(
  { environment, intakeFunctionName = '' }: Pipeline,
  payload: { readonly command: 'pause' | 'cancel'; readonly job: string },
): Promise<void> {
  const answer = answerSchema.safeParse(
    await invokeFunction({ environment, functionName: intakeFunctionName, payload }),
  );
  if (!answer.success)
    throw new CommandFailed(`${intakeFunctionName} is not the function that stops jobs. See --intake.`);
  if (!answer.data.accepted) throw new CommandFailed(answer.data.message);
}

interface ApproveOptions extends PipelineOptions {
  readonly accept?: readonly WaitReasonCode[];
  readonly hash?: string;
}

async function approve(idOrPart: string, { accept = [], hash, ...options }: ApproveOptions): Promise<void> {
  const pipeline = await openPipeline(options);
  const jobId = await findOpen(pipeline, idOrPart, 'approve');
  const state = await readWaiting(pipeline, jobId);
  console.log(await describePlanOf(pipeline, state));
  checkAccepted(state, accept);
  const approved = hash ?? state.plan?.gate?.hash;
  if (approved === undefined) throw new CommandFailed(`${jobId} has no plan yet, so there is nothing to approve.`);
  await putControl(pipeline, jobId, 'approve', approvalOf(state, { hash: approved, accepts: accept }));
}

async function describePlanOf(pipeline: Pipeline, state: State): Promise<string> {
  const { job } = state;
  const place = { prefix: resultsPrefix(job), operation: job.operation };
  return describeSummary(summaryOf(state), await readChanges(openResults(pipeline), place));
}

/** The job as it waits. Throws CommandFailed when it does not. */
async function readWaiting(pipeline: Pipeline, jobId: string): Promise<State> {
  const state = await readState(openResults(pipeline), jobId);
  if (state && isWaiting(state.state)) return state;
  throw new CommandFailed(
    `${jobId} is ${state?.state ?? 'gone'} and does not wait for approval, so there is nothing to approve.`,
  );
}

function checkAccepted(state: State, accepts: readonly WaitReasonCode[]): void {
  const left = findUnaccepted(state, accepts);
  if (left.length === 0) return;
  const options = left.map(({ code }) => `--accept ${code}`).join(' ');
  throw new CommandFailed(
    `Not approved: it also waits because of ${left.map(({ code }) => code).join(' and ')}. If you accept that, approve it with ${options}.`,
  );
}

async function putControl(pipeline: Pipeline, jobId: string, command: Command, body = ''): Promise<void> {
  await openInbox(pipeline).store.write(`control/${jobId}/${command}`, body);
  saySent(jobId, command);
}

const saySent = (jobId: string, command: Command): void =>
  console.log(`Sent ${command} to ${jobId}. \`status ${jobId}\` shows when it has taken effect.`);
