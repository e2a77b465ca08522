import type { Settings } from '../settings.ts';
import type { FileOptions, Job } from './job.ts';

type Rule = Settings['policy']['rules'][number];

/** The rules that hold for one job: what it may do unattended, and what holds it whatever it may. */
export interface Policy extends Omit<Settings['policy'], 'rules'> {
  /** How many changes run without approval: those that take access away or rename, and those that give access. */
  readonly above: Above;
  /** Whoever uploaded the file does not approve it. */
  readonly twoPersons: boolean;
  /** Nothing is applied. */
  readonly dryRun: boolean;
  /** After so many changes the job waits for approval again. */
  readonly steps?: number | undefined;
}

interface Above {
  readonly takes: number;
  readonly gives: number;
}

const DEFAULT_ABOVE: Above = { takes: 50, gives: 200 };

/**
 * The policy of a target, operation and sender: what each later rule sets counts over the earlier ones. A rule that names no
 * sender lets no sender's file do more: a sender states its own numbers.
 */
export function policyFor(
  { rules, ...held }: Settings['policy'],
  job: Pick<Job, 'target' | 'operation' | 'sender'>,
): Policy {
  const byHand: Policy = { ...held, above: DEFAULT_ABOVE, twoPersons: false, dryRun: false };
  return rules.filter((rule) => concerns(rule, job)).reduce((policy, rule) => override(policy, rule, job), byHand);
}

const concerns = (rule: Rule, job: Pick<Job, 'target' | 'operation' | 'sender'>): boolean =>
  (rule.target ?? job.target) === job.target &&
  (rule.operation ?? job.operation) === job.operation &&
  (rule.sender ?? job.sender) === job.sender;

function override(policy: Policy, rule: Rule, job: Pick<Job, 'sender'>): Policy {
  const { above = policy.above, twoPersons = policy.twoPersons, dryRun = policy.dryRun, steps = policy.steps } = rule;
  const isAbout = rule.sender === job.sender;
  return { ...policy, above: isAbout ? above : lower(policy.above, above), twoPersons, dryRun, steps };
}

const lower = (one: Above, other: Above): Above => ({
  takes: Math.min(one.takes, other.takes),
  gives: Math.min(one.gives, other.gives),
});

/** What came with a file makes its policy tighter, and never looser. */
export function tighten(policy: Policy, { approval, dryRun, steps }: FileOptions): Policy {
  const given = [policy.steps, steps].filter((step) => step !== undefined);
  return {
    ...policy,
    above: approval === 'required' ? { takes: 0, gives: 0 } : policy.above,
    dryRun: dryRun ?? policy.dryRun,
    ...(given.length > 0 && { steps: Math.min(...given) }),
  };
}
