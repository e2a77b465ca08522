import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { distance } from 'fastest-levenshtein';
import * as z from 'zod';

import { createEvent, type EventBody } from '../../shared/job/events.ts';
import { COMMANDS, type Command, WHERE_IDS_ARE } from '../../shared/job/job.ts';
import { jobIdOf, RESERVED_TARGET_NAMES, stateKey } from '../../shared/job/keys.ts';
import type { ValidateRequest } from '../../shared/job/messages.ts';
import { WAIT_REASONS } from '../../shared/job/outcome.ts';
import { factsOf, type SightedTarget } from '../../shared/target.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import {
  type Chance,
  type Clock,
  type EventsQueue,
  isStored,
  type ObjectStore,
  type Queue,
  type Targets,
  TargetUnreadable,
} from '../../shared/ports.ts';
import { quarantine, refuseCommand } from '../../shared/records.ts';
import { STOP_ALIAS } from '../../shared/settings.ts';
import { MessageUnreadable, readNotification, type Upload } from './notification.ts';

export interface IntakePorts {
  readonly inbox: ObjectStore;
  readonly results: ObjectStore;
  readonly targets: Targets;
  /** To the splitter. */
  readonly validate: Queue;
  readonly eventsQueue: EventsQueue;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}

/** Whether a stop that was asked for directly is on its way to the job, or why not. */
export type Answer = { readonly accepted: true } | { readonly accepted: false; readonly message: string };

type Commanded = Extract<EventBody, { readonly type: 'commanded' }>;

/** No other text is a job's id, and SQS refuses most others as the name of a mailbox. */
const jobIdSchema = z.string().regex(/^[a-z0-9-]{1,128}$/);
const stopSchema = z.strictObject({ command: z.enum(['pause', 'cancel']), job: jobIdSchema });

const NOT_A_STOP =
  'Only {"command": "pause" | "cancel", "job": "<full job id>"} is accepted here. To resume or approve a job, put an object at control/<job>/<command> into the inbox.';

/** Routes what S3 tells of the inbox: manifests to validation, control objects to their jobs. Who invokes it directly may stop a job, and nothing else. */
export function createIntake(ports: IntakePorts) {
  const { log } = ports;

  return async function intake(
    event: unknown,
    { invokedFunctionArn }: Pick<Context, 'invokedFunctionArn'>,
  ): Promise<SQSBatchResponse | Answer> {
    const isByPerson = invokedFunctionArn.endsWith(`:${STOP_ALIAS}`);
    if (!isByPerson && isBatch(event)) return receive(event);
    const stop = stopSchema.safeParse(event);
    if (!stop.success) return { accepted: false, message: NOT_A_STOP };
    return takeStop(stop.data, ports);
  };

  async function receive({ Records: records }: SQSEvent): Promise<SQSBatchResponse> {
    // All at once: a stop waits for nobody.
    const done = await Promise.all(records.map(isDone));
    const failed = records.filter((_, index) => !done[index]);
    return { batchItemFailures: failed.map(({ messageId: itemIdentifier }) => ({ itemIdentifier })) };
  }

  async function isDone(record: SQSRecord): Promise<boolean> {
    try {
      await read(record);
      return true;
    } catch (error) {
      log('intake.failed', { messageId: record.messageId, ...errorFields(error) });
      return false;
    }
  }

  async function read(record: SQSRecord): Promise<void> {
    try {
      for (const upload of readNotification(record.body)) await route(upload, ports);
    } catch (error) {
      if (!(error instanceof MessageUnreadable)) throw error;
      await quarantine(ports.results, record, error.message, log);
    }
  }
}

/** Passes a stop on, whatever the job's state says, and only then looks whether there is such a job. */
async function takeStop({ command, job }: z.infer<typeof stopSchema>, ports: IntakePorts): Promise<Answer> {
  await post(job, { type: 'commanded', command }, ports);
  if (await isKnown(job, ports)) return { accepted: true };
  return {
    accepted: false,
    message: `There is no job ${job} yet, so there is nothing to ${command}. ${WHERE_IDS_ARE}`,
  };
}

async function isKnown(job: string, { results, log }: IntakePorts): Promise<boolean> {
  try {
    return await isStored(results, stateKey(job));
  } catch (error) {
    log('intake.failed', { job, ...errorFields(error) });
    return true; // as far as anybody can tell, and the stop is on its way
  }
}

async function route(upload: Upload, ports: IntakePorts): Promise<void> {
  if (upload.key.endsWith('/')) return;
  if (upload.key.startsWith('control/')) return sendCommand(upload, ports);
  const target = await findTarget(upload.key, ports.targets);
  const body = validateRequestOf(upload, { now: ports.clock.now, target });
  await ports.validate.send([{ body, groupId: groupOf(upload.key) }]);
  ports.log('job.uploaded', { job: jobIdOf(upload) });
}

/** A control object becomes a command; what is none is told to whoever looks for it, and wakes nobody. */
async function sendCommand(upload: Upload, ports: IntakePorts): Promise<void> {
  const control = parseControlKey(upload.key);
  if ('reason' in control) return refuseCommand(ports.results, { key: upload.key, ...control }, ports.log);
  const { jobId, command } = control;
  const { versionId, principal, at } = upload;
  const approval = command === 'approve' ? await readApproval(ports.inbox, upload) : undefined;
  await post(jobId, { type: 'commanded', command, approval, versionId, principal }, { ...ports, at });
}

async function post(
  jobId: string,
  body: Commanded,
  { at, ...ports }: IntakePorts & { readonly at?: string | undefined },
): Promise<void> {
  const event = createEvent(jobId, body, ports);
  await ports.eventsQueue.post([{ ...event, at: at ?? event.at }]);
  ports.log('job.commanded', { job: jobId, command: body.command });
}

const isBatch = (event: unknown): event is SQSEvent =>
  typeof event === 'object' && event !== null && 'Records' in event && Array.isArray(event.Records);

/** The target that a key's first folder names; `undefined` where there is none. */
async function findTarget(key: string, targets: Targets): Promise<SightedTarget | undefined> {
  const [name = '', ...rest] = key.split('/');
  if (rest.length === 0 || name === '' || RESERVED_TARGET_NAMES.some((reserved) => reserved === name)) return undefined;
  try {
    const target = await targets.find(name);
    return target && factsOf(target);
  } catch (error) {
    if (error instanceof TargetUnreadable) return { type: 'unreadable', message: error.message };
    throw error;
  }
}

const validateRequestOf = (
  { at, ...upload }: Upload,
  { now, target }: Clock & Pick<ValidateRequest, 'target'>,
): ValidateRequest => ({
  version: 2,
  kind: 'validate',
  ...upload,
  at: at ?? now().toISOString(),
  target,
});

/** What SQS takes for the name of a group, as far as it can be a target's. (SQS API reference, MessageGroupId.) */
const MAY_BE_GROUP = /^[A-Za-z0-9_+=.@-]{1,128}$/;

/** Each target's files take turns with the others'. */
function groupOf(key: string): string | undefined {
  const [folder = ''] = key.split('/');
  return MAY_BE_GROUP.test(folder) ? folder : undefined;
}

type Control =
  | { readonly jobId: string; readonly command: Command }
  | { readonly jobId?: string | undefined; readonly reason: string };

function parseControlKey(key: string): Control {
  const [, given = '', word = '', ...more] = key.split('/');
  const jobId = jobIdSchema.safeParse(given).data;
  const command = COMMANDS.find((known) => known === word);
  if (jobId === undefined)
    return {
      reason: `${shown(given)} is no id of a job, so nothing was done; expected is ${EXPECTED_CONTROL}. ${WHERE_IDS_ARE}`,
    };
  if (command !== undefined && more.length === 0) return { jobId, command };
  const meant = COMMANDS.find((known) => distance(known, word.toLowerCase()) <= MISSPELT);
  const guess = meant === undefined ? '' : ` Did you mean control/${jobId}/${meant}?`;
  const name = [word, ...more].join('/');
  return {
    jobId,
    reason: `There is no command ${shown(name)}, so nothing was done; expected is ${EXPECTED_CONTROL}.${guess}`,
  };
}

/** Two letters off, or two neighbours swapped. */
const MISSPELT = 2;
const EXPECTED_CONTROL = `control/<job>/<${COMMANDS.join('|')}>`;
const shown = (text: string): string => JSON.stringify(text.slice(0, 100)).toWellFormed();

/** An approval is a few words. */
const APPROVAL_BYTES = 1_024;
const HASH = /^[0-9a-f]{64}$/;
const STEP = /^STEP=([1-9]\d{0,8})$/;

/** What an `approve` object says: the plan's hash, then the reasons that are accepted and `STEP=<n>`; `undefined` when it names no plan. */
async function readApproval(inbox: ObjectStore, { key, versionId }: Upload): Promise<Commanded['approval']> {
  const stored = await inbox.read(key, { versionId });
  if (!stored || stored.bytes > APPROVAL_BYTES) {
    stored?.body.destroy();
    return undefined;
  }
  const [hash = '', ...words] = (await stored.text()).trim().split(/\s+/);
  if (!HASH.test(hash)) return undefined;
  const step = words.flatMap((word) => STEP.exec(word)?.[1] ?? [])[0];
  const accepts = WAIT_REASONS.filter((reason) => words.includes(reason));
  return { hash, accepts, ...(step !== undefined && { step: Number(step) }) };
}
