import { TargetUnusable } from '../../shared/atlassian/errors.ts';
import { mayPlan } from '../../shared/job/job.ts';
import { planPrefix } from '../../shared/job/keys.ts';
import type { Validation } from '../../shared/job/validation.ts';
import type { JobViews } from '../../shared/job/views.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import { openSession, type Session, type SessionPorts, withholdUnless } from '../../shared/operations/session.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import type { ErrorPorts } from './plan-errors.ts';
import type { PlanningJob } from './planner.ts';

export interface SessionOfPlanPorts extends SessionPorts, ErrorPorts {
  readonly results: ObjectStore;
  readonly views: JobViews;
  readonly operations: (name: string) => Operation | undefined;
}

/** How long a message may work; what is left is sent on. */
export const WORK_MS = 20_000;

/** A job's dealings with its target while it is planned: no call begins once the job is stopped. An undo performs the operation that it takes back. */
export async function openFor(
  { state, plan }: PlanningJob,
  { rows, undoes }: Validation,
  ports: SessionOfPlanPorts,
): Promise<Session> {
  const { id, target: targetName } = state.job;
  const name = undoes?.operation ?? state.job.operation;
  const operation = ports.operations(name);
  if (!operation) throw new TargetUnusable('REQUEST_REFUSED', `There is no operation ${name} any more.`);
  const beforeCall = async (): Promise<void> => {
    const now = await ports.views.view(id);
    withholdUnless(now !== undefined && mayPlan(now.state) && now.plan?.attempt === plan.attempt);
  };
  const deadlineMs = ports.clock.now().getTime() + WORK_MS;
  const listings = { store: ports.results, prefix: planPrefix(id, plan.attempt), rows };
  return openSession(ports, { targetName, operation, deadlineMs, beforeCall, listings });
}
