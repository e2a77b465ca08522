import type { JobEvent } from './events.ts';
import { hasStopped, isWaiting } from './job.ts';
import type { WaitReasonCode } from './outcome.ts';
import type { WaitReason } from './plan.ts';
import type { State } from './state.ts';
import { enter, enterPlanning, type Draft } from './transitions.ts';

type Approve = JobEvent & { readonly type: 'commanded' };

/** Lets a job go on that waits, as far as the approval says; an approval that does not fit releases nothing, and the job tells why. */
export function approve(
  draft: Draft,
  event: Approve,
  context: { readonly nowMs: number; readonly approvalMs: number },
): void {
  const problem = findProblem(draft, event);
  const { approval, principal, at } = event;
  const gate = draft.plan?.gate;
  if (problem !== undefined || !approval || !gate)
    return tell(draft, `An approval of ${at} released nothing: ${problem ?? ''}`);
  if (principal !== undefined) draft.actors = [...draft.actors, { action: 'approve', principal, at }];
  draft.approval = { hash: gate.hash, accepts: approval.accepts, steps: nextStep(draft) };
  draft.waitReasons = [];
  const isOld = context.nowMs - gate.atMs > context.approvalMs;
  if (isOld && draft.releasedChanges === 0) enterPlanning(draft, context.nowMs);
  else enter(draft, 'running', context.nowMs);
}

/** The step that an approval would let be applied: 1 in a job that has not begun. */
export const nextStep = ({ approval, appliedAt }: Pick<State, 'approval' | 'appliedAt'>): number =>
  approval ? approval.steps + 1 : appliedAt === undefined ? 1 : 2;

function findProblem(draft: Draft, { approval, principal }: Approve): string | undefined {
  const gate = draft.plan?.gate;
  if (!isWaiting(draft.state)) return `the job was ${draft.state} and did not wait for one.`;
  if (!gate) return 'nothing is planned yet; approve it when the job says that it waits for approval.';
  if (!approval) return `it did not hold the hash of the plan, which is ${gate.hash}.`;
  if (approval.hash !== gate.hash) return `it was for another plan; look at plan.csv again, and approve ${gate.hash}.`;
  if (gate.steps !== undefined && approval.step !== nextStep(draft))
    return `it was ${approval.step === undefined ? 'for no step' : `for step ${approval.step}`}; the job waits with step ${nextStep(draft)} (STEP=${nextStep(draft)}).`;
  if (gate.twoPersons && (principal === undefined || principal === draft.job.uploadedBy))
    return 'whoever uploaded the file cannot approve it; somebody else must.';
  const left = findUnaccepted(draft, approval.accepts).map(({ code }) => code);
  return left.length === 0
    ? undefined
    : `the job also waits because of ${left.join(' and ')}; an approval must accept that by name.`;
}

/** Why a job would still wait after an approval that accepts these: naming the plan accepts some reasons, all others are accepted by name. */
export const findUnaccepted = (
  { waitReasons }: Pick<State, 'waitReasons'>,
  accepts: readonly WaitReasonCode[],
): readonly WaitReason[] => waitReasons.filter(({ code }) => !ACCEPTED_BY_HASH.has(code) && !accepts.includes(code));

const ACCEPTED_BY_HASH: ReadonlySet<string> = new Set(['APPROVAL_REQUIRED', 'STEP', 'CHANGED_PLAN']);

const MOST_PROBLEMS = 20;

function tell(draft: Draft, message: string): void {
  if (draft.problems.length === MOST_PROBLEMS) return;
  draft.problems = [...draft.problems, { message }];
  draft.reportDue ||= hasStopped(draft.state);
}
