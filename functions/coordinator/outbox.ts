import type { EnqueueRequest, ReportRequest } from '../../shared/job/messages.ts';
import type { Outbox, State } from '../../shared/job/state.ts';
import type { Queue } from '../../shared/ports.ts';

export interface OutboxQueues {
  readonly enqueueQueue: Queue;
  readonly reports: Queue;
}

/** The state with everything that is due marked as sent now, and what that is: what is new, and what nobody confirmed in time. */
export function takeDue(
  state: State,
  nowMs: number,
  resendMs: number,
): { readonly state: State; readonly due: Outbox } {
  const isDue = (entry: { readonly sentAtMs: number } | undefined): boolean =>
    entry !== undefined && nowMs - entry.sentAtMs >= resendMs;
  const { enqueue, validation, report } = state.outbox;
  const due: Outbox = {
    ...(isDue(enqueue) && { enqueue }),
    ...(isDue(validation) && { validation }),
    ...(isDue(report) && { report }),
  };
  const outbox: Outbox = {
    enqueue: due.enqueue ? { ...due.enqueue, sentAtMs: nowMs } : enqueue,
    validation: due.validation ? { sentAtMs: nowMs } : validation,
    report: due.report ? { ...due.report, sentAtMs: nowMs } : report,
  };
  return { state: { ...state, outbox }, due };
}

/** Sends what is due. Whatever a crash keeps from being sent stays in the outbox and is due again. */
export async function sendDue({ job }: State, due: Outbox, queues: OutboxQueues): Promise<void> {
  const { enqueue, validation, report } = due;
  const sends: Promise<void>[] = [];
  if (enqueue) {
    const { id: enqueueId, from, to } = enqueue;
    const body: EnqueueRequest = { version: 1, kind: 'enqueue', jobId: job.id, enqueueId, from, to };
    sends.push(queues.enqueueQueue.send([{ body }]));
  }
  if (validation) sends.push(queues.enqueueQueue.send([{ body: notificationOf(job.manifest) }]));
  if (report) {
    const body: ReportRequest = { version: 1, kind: 'report', jobId: job.id };
    sends.push(queues.reports.send([{ body }]));
  }
  await Promise.all(sends);
}

/** The S3 event that began the job, once more: validating has one way in. */
function notificationOf({ bucket, key, versionId, bytes }: State['job']['manifest']): unknown {
  const object = { key: encodeURIComponent(key), versionId, size: bytes };
  return { Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: bucket }, object } }] };
}
