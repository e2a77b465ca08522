import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

import { storedContacts } from '../../shared/job/contacts.ts';
import { mayPlan } from '../../shared/job/job.ts';
import { type PlanRequest, planRequestSchema } from '../../shared/job/messages.ts';
import { type PostPorts, postTo } from '../../shared/job/post.ts';
import { type Plan, readState, type State } from '../../shared/job/state.ts';
import { createJobViews } from '../../shared/job/views.ts';
import { errorFields } from '../../shared/log.ts';
import { deadlineOf, quarantine, readMessage, type Timeout } from '../../shared/records.ts';
import { type GatePorts, gate } from './gate.ts';
import { planChunk, type ChunkPorts } from './plan-chunk.ts';
import { handlePlanError } from './plan-errors.ts';

export type PlannerPorts = Omit<ChunkPorts & GatePorts, 'views' | 'post'> & PostPorts & { readonly timeout?: Timeout };

/** A job whose plan is being made. */
export interface PlanningJob {
  readonly state: State;
  readonly plan: Plan;
}

/** Time for storing what is planned and telling of it. */
const RESERVE_MS = 10_000;

const UNKNOWN_REQUEST = 'This is no request of a version that the planner knows.';

/** Plans row chunks and gates whole plans, and only reads at Atlassian; a message has failed unless what became of it is told. */
export function createPlanner(given: PlannerPorts) {
  const { results, clock } = given;
  const contacts = storedContacts(results, clock);
  const ports = { ...given, contacts, post: postTo(given), views: createJobViews(results, clock) };

  return async function planner(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    const deadline = deadlineOf(context, given, RESERVE_MS);
    const failed: string[] = [];
    for (const record of event.Records) if (!(await isDone(record, deadline.signal))) failed.push(record.messageId);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };

  async function isDone(record: SQSRecord, signal: AbortSignal): Promise<boolean> {
    const request = readMessage(planRequestSchema, record.body);
    try {
      if (request) await handle(request, signal);
      else await quarantine(given.results, record, UNKNOWN_REQUEST, given.log);
      return true;
    } catch (error) {
      given.log('planner.failed', { messageId: record.messageId, ...errorFields(error) });
      return false;
    }
  }

  /** A request of a job that is not being planned, or of a former plan, is void: who resumes the job asks again. */
  async function handle(request: PlanRequest, signal: AbortSignal): Promise<void> {
    const state = await readState(given.results, request.jobId); // as new as the request: a view may lack what was just planned
    if (!state) throw new Error('a request of a job that has no state'); // its state may be late
    const { plan } = state;
    if (!plan || !mayPlan(state.state) || plan.attempt !== request.attempt) return;
    const job = { state, plan };
    try {
      await (request.kind === 'gate' ? gate(job, ports, signal) : planChunk(request, job, ports, signal));
    } catch (error) {
      await handlePlanError(error, request, job, ports);
    }
  }
}
