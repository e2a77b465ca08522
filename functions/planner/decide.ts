import type { Job } from '../../shared/job/job.ts';
import type { Gate, WaitReason } from '../../shared/job/plan.ts';
import type { Policy } from '../../shared/job/policy.ts';
import type { Validation } from '../../shared/job/validation.ts';

/** What a plan would do, in figures. */
export interface Figures {
  readonly counts: Gate['counts'];
  /** Changes that take access away or rename. */
  readonly takes: number;
  /** Changes that do neither. */
  readonly gives: number;
  /** Rows that planning refused, but for people who are not there any more in a file that takes access away. */
  readonly refused: number;
  /** People of the target who are active; `undefined` when nobody tells. */
  readonly activePeople?: number | undefined;
  /** Groups that the plan takes people out of: how many, and of how many members. */
  readonly groups: readonly { readonly name: string; readonly takes: number; readonly members: number | undefined }[];
  /** Of how many people other jobs of the target took access away, or renamed them, within the last 24 hours. */
  readonly takesElsewhere: number;
  /** The job that had the same file and changed rows by it. */
  readonly repeats?: Pick<Job, 'id' | 'startedAt'> | undefined;
  readonly foreign: Validation['foreign'];
}

/** Everything for which a job with this plan must wait for a person; nothing when it changes nothing. */
export function findWaitReasons(figures: Figures, policy: Policy): readonly WaitReason[] {
  if (figures.counts.change === 0) return [];
  const rules = [approvalRequired, tooManyPeople, tooManyOfGroup, manyRefused, repeatedFile, wrongFolder];
  return rules.flatMap((rule) => rule(figures, policy) ?? []);
}

type Rule = (figures: Figures, policy: Policy) => WaitReason | undefined;

const approvalRequired: Rule = ({ takes, gives }, { above }) => {
  if (takes <= above.takes && gives <= above.gives) return undefined;
  const [count, limit] = takes > above.takes ? [takes, above.takes] : [gives, above.gives];
  const message = `${countOf(count, 'change')}, and more than ${limit} need approval. Look at plan.csv, then approve the job.`;
  return { code: 'APPROVAL_REQUIRED', message };
};

const tooManyPeople: Rule = ({ takes, takesElsewhere, activePeople }, { tooMany }) => {
  const sum = takes + takesElsewhere;
  const limit =
    activePeople === undefined
      ? tooMany.unknownTotal
      : Math.max(tooMany.people, Math.floor((activePeople * tooMany.percent) / 100));
  if (takes === 0 || sum <= limit) return undefined;
  const own = `The job takes access away from, or renames, ${countOf(takes, 'person', 'people')}`;
  const all = takesElsewhere > 0 ? `${own}; with those of other jobs in the last 24 hours that is ${sum}` : own;
  const limits =
    activePeople === undefined
      ? `nobody tells how many people there are, so more than ${limit} wait`
      : `of ${activePeople} active people more than ${limit} wait`;
  const message = `${all}, and ${limits}. Make sure that the file is meant, then approve the job and accept TOO_MANY_PEOPLE.`;
  return { code: 'TOO_MANY_PEOPLE', message };
};

const tooManyOfGroup: Rule = ({ groups }, { tooMany }) => {
  const worst = groups.find(
    ({ takes, members }) =>
      members !== undefined && members >= tooMany.groupSize && takes * 100 > members * tooMany.groupPercent,
  );
  if (!worst) return undefined;
  const message =
    `The job takes ${worst.takes} of ${worst.members} people out of the group ${JSON.stringify(worst.name)}, more than ${tooMany.groupPercent}%. ` +
    'Make sure that the file is meant, then approve the job and accept TOO_MANY_PEOPLE.';
  return { code: 'TOO_MANY_PEOPLE', message };
};

const manyRefused: Rule = ({ counts, refused }, { manyRefused: { share, least } }) => {
  const planned = counts.change + counts.unchanged + counts.failed;
  if (refused < least || refused <= planned * share) return undefined;
  const message =
    `${refused} of ${planned} rows cannot be applied, so the file may be meant for another target or operation. ` +
    'Look at failed.csv, then approve the job and accept MANY_REFUSED, or cancel it.';
  return { code: 'MANY_REFUSED', message };
};

const repeatedFile: Rule = ({ repeats }) =>
  repeats && {
    code: 'REPEATED_FILE',
    message:
      `The same file was applied before, as ${repeats.id} on ${repeats.startedAt.slice(0, 10)}, and somebody has changed things since. ` +
      'If it is meant to be applied again, approve the job and accept REPEATED_FILE.',
  };

const wrongFolder: Rule = ({ foreign }) =>
  foreign && {
    code: 'WRONG_FOLDER',
    message:
      `The file has ${foreign.columns.map((name) => JSON.stringify(name)).join(', ')}, which belongs to ${foreign.operation}: it may lie in the wrong folder. ` +
      'If it is meant for this one, approve the job and accept WRONG_FOLDER; else cancel the job.',
  };

const countOf = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
