import { COMMANDS, type Job } from '../../shared/job/job.ts';
import { jobIdOf, RESERVED_TARGET_NAMES } from '../../shared/job/keys.ts';
import type { Operation, Recipe } from '../../shared/operations/operation.ts';
import { type Clock, type Targets, TargetUnreadable } from '../../shared/ports.ts';
import type { Target } from '../../shared/target.ts';
import { MessageUnreadable, type Post, type Upload } from './message.ts';

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

/** What the rows of a job are meant for: an operation as it is done at this target. */
export interface RowPlan {
  readonly target: Target;
  readonly recipe: Pick<Recipe<unknown>, 'columns' | 'required' | 'readHeader' | 'check'>;
}

interface PlanPorts {
  readonly targets: Targets;
  readonly operations: readonly Operation[];
}

/** What a key's folders mean, or everything that is wrong with it; `isNowhere` when they name no known target and operation. */
type FoundPlan =
  | { readonly kind: 'plan'; readonly plan: RowPlan }
  | { readonly kind: 'refused'; readonly isNowhere: boolean; readonly problems: readonly string[] };

const EXPECTED = 'expected is <target>/<operation>/<any folders>/<name>.csv';

/** Finds target and operation in the folders of a manifest's key. */
async function findPlan(key: string, { targets, operations }: PlanPorts): Promise<FoundPlan> {
  const [targetName = '', operationName = '', ...rest] = key.split('/');
  if (rest.length === 0)
    return nowhere([`The file lies in no folder of a target and an operation; ${EXPECTED}. ${known(operations)}`]);

  const operation = operations.find(({ name }) => name === operationName);
  const target = await findTarget(targetName, targets);
  if (target === undefined || operation === undefined) {
    return nowhere([
      ...(target === undefined ? [`There is no target ${shown(targetName)}: no secret is named so; ${EXPECTED}.`] : []),
      ...(operation === undefined ? [`There is no operation ${shown(operationName)}. ${known(operations)}`] : []),
    ]);
  }
  if (target instanceof TargetUnreadable) return refused(target.message);
  const recipe = recipeFor(operation, target);
  if (!recipe)
    return refused(
      `The target ${target.name} is ${ON[target.type]}, where there is no ${operation.name}. ${known(doneOn(target, operations))}`,
    );
  if (!/\.csv$/i.test(key)) return refused(`The file's name does not end in .csv; ${EXPECTED}.`);
  return { kind: 'plan', plan: { target, recipe } };
}

async function findTarget(name: string, targets: Targets): Promise<Target | TargetUnreadable | undefined> {
  if (name === '' || RESERVED_TARGET_NAMES.some((reserved) => reserved === name)) return undefined;
  try {
    return await targets.find(name);
  } catch (error) {
    if (error instanceof TargetUnreadable) return error;
    throw error;
  }
}

const recipeFor = (operation: Operation, target: Target): RowPlan['recipe'] | undefined =>
  target.type === 'cloud' ? operation.cloud : operation.dataCenter;

const doneOn = (target: Target, operations: readonly Operation[]): readonly Operation[] =>
  operations.filter((operation) => recipeFor(operation, target) !== undefined);

const ON = { cloud: 'on Jira Cloud', 'data-center': 'a Jira Data Center' } as const;

const known = (operations: readonly Operation[]): string =>
  `The operations are ${operations.map(({ name }) => name).join(', ')}.`;

const nowhere = (problems: readonly string[]): FoundPlan => ({ kind: 'refused', isNowhere: true, problems });

const refused = (problem: string): FoundPlan => ({ kind: 'refused', isNowhere: false, problems: [problem] });

const shown = (name: string): string => JSON.stringify(name.slice(0, 100)).toWellFormed();
