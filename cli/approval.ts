import { createInterface } from 'node:readline/promises';

import { nextStep } from '../shared/job/approval.ts';
import { isWaiting } from '../shared/job/job.ts';
import type { WaitReasonCode } from '../shared/job/outcome.ts';
import { readState, type State } from '../shared/job/state.ts';
import type { Summary } from '../shared/job/summary.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { followJob, type Followed, type FollowOptions } from './jobs.ts';
import { showProgress } from './show.ts';

/** What a control object `approve` holds: the plan's hash, what is accepted by name, and the step where there are steps. */
export function approvalOf(
  state: State | undefined,
  { hash, accepts }: { readonly hash: string; readonly accepts: readonly WaitReasonCode[] },
): string {
  const step = state?.plan?.gate?.steps === undefined ? [] : [`STEP=${nextStep(state)}`];
  return [hash, ...accepts, ...step].join(' ');
}

/** The reasons that somebody accepts for a job that waits; `undefined` where they do not approve it. */
export type Consent = (waiting: Followed) => Promise<readonly WaitReasonCode[] | undefined>;

interface Approving extends Omit<FollowOptions, 'after' | 'isOver' | 'onStatus'> {
  readonly inbox: ObjectStore;
  readonly jobId: string;
  readonly consent: Consent;
}

/** Follows a job to its end, and approves it each time that it waits, as far as `consent` goes; gives it as it waits where that ends, or where its approval was turned down. */
export async function followApproving({ inbox, jobId, consent, ...options }: Approving): Promise<Followed> {
  for (let revision = 0, problems = 0; ;) {
    const progress = showProgress();
    const followed = await followJob({
      ...options,
      onStatus: progress.add(jobId),
      after: revision,
    }).finally(progress.stop);
    const { summary } = followed;
    if (!isWaiting(summary.state) || !summary.plan) return followed;
    const known = summary.problems?.length ?? 0;
    if (revision > 0 && known > problems) return followed;
    const accepts = await consent(followed);
    if (!accepts) return followed;
    const state = await readState(options.results, jobId);
    await inbox.write(`control/${jobId}/approve`, approvalOf(state, { hash: summary.plan.hash, accepts }));
    [revision, problems] = [summary.revision, known];
  }
}

/** What a person has approved before the job said why it waits. */
export interface Given {
  readonly yes?: boolean | undefined;
  readonly accept: readonly WaitReasonCode[];
}

/** What `--yes` approves: any other reason to wait is accepted by its name. */
const BY_YES: readonly WaitReasonCode[] = ['APPROVAL_REQUIRED', 'STEP'];

/** The options that would have approved a job that waits. */
export function findMissing({ waiting }: Summary, { yes = false, accept }: Given): readonly string[] {
  const codes = new Set(waiting?.reasons.map(({ code }) => code));
  const left = [...codes].filter((code) => !accept.includes(code));
  const byName = left.filter((code) => !BY_YES.includes(code)).map((code) => `--accept ${code}`);
  return !yes && left.some((code) => BY_YES.includes(code)) ? ['--yes', ...byName] : byName;
}

/** The reasons of a job that waits that an approval must name. */
export const findNamed = ({ waiting }: Pick<Summary, 'waiting'>): readonly WaitReasonCode[] => [
  ...new Set(waiting?.reasons.map(({ code }) => code).filter((code) => !BY_YES.includes(code))),
];

/** The command that approves a job, as a person types it. */
export const describeApproval = (jobId: string, accepts: readonly WaitReasonCode[]): string =>
  [`npx rollcall approve ${jobId}`, ...accepts.map((code) => `--accept ${code}`)].join(' ');

/** Asks a person; whether the answer was yes. */
export type Ask = (question: string) => Promise<boolean>;

/** Asks for what was not given: for each reason by its name, and then for the changes. */
export async function askFor(summary: Summary, given: Given, ask: Ask): Promise<boolean> {
  const missing = findMissing(summary, given).filter((option) => option !== '--yes');
  for (const option of missing) if (!(await ask(`Accept ${option.replace('--accept ', '')}?`))) return false;
  return given.yes === true || ask(`Apply ${countChanges(summary)}?`);
}

/** How many changes an approval would release: in steps, those of the next one. */
function countChanges({ plan, policy, codes }: Summary): string {
  const left = codes.NOT_APPROVED ?? plan?.change ?? 0;
  const steps = policy?.['steps'];
  const next = typeof steps === 'number' ? Math.min(steps, left) : left;
  return next < left ? `${next} of ${left} changes` : `${left} ${left === 1 ? 'change' : 'changes'}`;
}

/** Asks on the terminal, where this process has one; anything but y or yes is no. */
export function openTerminal(signal: AbortSignal): Ask | undefined {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  return async (question) => {
    // Without a terminal of its own, for in raw mode Ctrl-C would be a key and no signal.
    const lines = createInterface({ input: stdin, output: stdout, terminal: false });
    try {
      const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
      const answer = await Promise.race([lines.question(`${question} (y/N) `, { signal }), ended]);
      return /^\s*y(es)?\s*$/i.test(answer);
    } finally {
      lines.close();
    }
  };
}
