import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import type { Atlassian } from '../../shared/atlassian/atlassian.ts';
import { resultsPrefix, toldKey, toldOfTargetKey } from '../../shared/job/keys.ts';
import { noticeRequestSchema, type NoticeRequest } from '../../shared/job/messages.ts';
import { noticeName, stopOf } from '../../shared/job/notices.ts';
import { readState } from '../../shared/job/state.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import {
  type Clock,
  isStored,
  JobNotReadable,
  type ObjectStore,
  type TargetNames,
  type Targets,
  type Topic,
} from '../../shared/ports.ts';
import { quarantine, readMessage } from '../../shared/records.ts';
import { checkCredentials, findingName, type Finding } from '../../shared/atlassian/check-credentials.ts';
import type { Place } from '../../shared/job/commands.ts';
import { credentialsNotice } from './credentials-notice.ts';
import { jobNotice } from './job-notice.ts';
import { type Notice, renderMail, subjectOf } from '../../shared/notice.ts';

export interface NotifierPorts {
  readonly results: ObjectStore;
  readonly topic: Topic;
  readonly targets: Targets;
  readonly targetNames: TargetNames;
  readonly atlassian: Pick<Atlassian, 'open'>;
  readonly place: Place;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the schedule invokes the notifier with; only that it is no batch of records matters. */
interface ScheduledEvent {
  readonly source: string;
}

const UNKNOWN_REQUEST = 'This is no notice request of a version that the notifier knows.';

/** Tells people what became of a job, and once a day which credentials need them. Each thing is told once, or twice where this dies in between. */
export function createNotifier(ports: NotifierPorts) {
  return async function notifier(event: SQSEvent | ScheduledEvent): Promise<SQSBatchResponse> {
    if (!('Records' in event)) {
      await checkTargets(ports);
      return { batchItemFailures: [] };
    }
    const batchItemFailures: { readonly itemIdentifier: string }[] = [];
    for (const record of event.Records) {
      try {
        await handle(record, ports);
      } catch (error) {
        ports.log('notifier.failed', { messageId: record.messageId, ...errorFields(error) });
        batchItemFailures.push({ itemIdentifier: record.messageId });
      }
    }
    return { batchItemFailures: [...batchItemFailures] };
  };
}

async function handle(record: SQSRecord, ports: NotifierPorts): Promise<void> {
  const request = readMessage(noticeRequestSchema, record.body);
  if (!request) return quarantine(ports.results, record, UNKNOWN_REQUEST, ports.log);
  const { jobId } = request;
  const summary = await findSummary(request, ports.results);
  if (!summary) return ports.log('notice.outdated', { job: jobId });
  const notice = jobNotice({ summary, request, place: ports.place, at: ports.clock.now() });
  await tellOnce(notice, toldKey(jobId, noticeName(request)), ports);
}

/** The newest summary of the job, or nothing once it has gone on since the request. */
async function findSummary({ jobId, stop }: NoticeRequest, results: ObjectStore): Promise<Summary | undefined> {
  const state = await readState(results, jobId);
  if (!state || stopOf(state) !== stop) return undefined;
  const stored = await results.read(`${resultsPrefix(state.job)}summary.json`);
  if (!stored) throw new JobNotReadable(`The summary of ${jobId} is not there`);
  return JSON.parse(await stored.text()) as Summary; // the reporter's own writing
}

/** The mark comes after the notice: what a crash makes of that is a notice too many, and never one too few. */
async function tellOnce(notice: Notice, key: string, { results, topic, log }: NotifierPorts): Promise<void> {
  if (await isStored(results, key)) return;
  const { state, urgency, target, operation = '' } = notice;
  await topic.publish({
    subject: subjectOf(notice),
    text: renderMail(notice),
    body: notice,
    attributes: { target, operation, state, urgency },
  });
  await results.write(key, '');
  log('notice.published', { state, urgency, target });
}

async function checkTargets(ports: NotifierPorts): Promise<void> {
  const names = await ports.targetNames.list();
  for (const name of names) {
    try {
      const findings = await checkCredentials(name, ports);
      for (const finding of findings) await tellOfTarget(finding, ports);
      ports.log('credentials.checked', { target: name, findings: findings.length });
    } catch (error) {
      ports.log('credentials.unchecked', { target: name, ...errorFields(error) });
    }
  }
}

async function tellOfTarget(finding: Finding, ports: NotifierPorts): Promise<void> {
  const at = ports.clock.now();
  await tellOnce(
    credentialsNotice(finding, { at, secretName: ports.targets.secretNameOf(finding.target) }),
    toldOfTargetKey(finding.target, findingName(finding, at)),
    ports,
  );
}
