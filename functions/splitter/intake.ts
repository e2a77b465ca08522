import { jobIdOf } from '../../shared/job/job-id.ts';
import { COMMANDS, type Job } from '../../shared/job/job.ts';
import type { Clock } from '../../shared/ports.ts';
import { MessageUnreadable } from './errors.ts';
import { findPlan, type PlanPorts, type RowPlan } from './find-plan.ts';
import type { Upload } from './message.ts';
import type { Post } from './post.ts';

export interface IntakePorts extends PlanPorts {
  readonly clock: Clock;
  readonly post: Post;
  readonly validation: (job: Job, plan: RowPlan) => Promise<void>;
}

/**
 * Takes in one object of the inbox: a manifest becomes a job, or is refused with a report; a control object becomes a
 * command; a folder is nothing. Throws MessageUnreadable for a command that there is not.
 */
export async function takeIn(upload: Upload, ports: IntakePorts): Promise<void> {
  if (upload.key.endsWith('/')) return;
  if (upload.key.startsWith('control/')) return takeCommand(upload.key, ports.post);

  const { at, ...manifest } = upload;
  const [target = '', operation = ''] = upload.key.split('/');
  const startedAt = at ?? ports.clock.now().toISOString();
  const job: Job = { id: jobIdOf(upload), target, operation, manifest, startedAt };
  const found = await findPlan(upload.key, ports);
  if (found.kind === 'plan') return ports.validation(job, found.plan);
  const refused = found.isNowhere ? { ...job, target: '', operation: '' } : job;
  const problems = found.problems.map((message) => ({ message }));
  await ports.post(job.id, { type: 'rejected', job: refused, problems });
}

/** No other text is a job's id, and SQS refuses most others as the name of a mailbox. */
const MAY_BE_JOB_ID = /^[a-z0-9-]{1,128}$/;

async function takeCommand(key: string, post: Post): Promise<void> {
  const [, jobId = '', name, ...more] = key.split('/');
  const command = COMMANDS.find((known) => known === name);
  if (!MAY_BE_JOB_ID.test(jobId) || command === undefined || more.length > 0)
    throw new MessageUnreadable(`There is no such command; expected is control/<jobId>/<${COMMANDS.join('|')}>.`);
  await post(jobId, { type: 'commanded', command });
}
