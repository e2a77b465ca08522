import { NoAnswer, RateLimited, Refusal } from './errors.ts';
import type { Atlassian } from './atlassian.ts';
import { CODES, type Code } from '../job/outcome.ts';
import { type Clock, type Targets, TargetUnreadable } from '../ports.ts';
import type { Target } from '../target.ts';

/** What is the matter with a target's credentials. */
export interface Finding {
  readonly target: string;
  readonly kind: 'refused' | 'expires';
  /** Of an expiry: in so many days, 0 for today, negative where it is over. */
  readonly days?: number | undefined;
  /** The day itself; ISO 8601. */
  readonly expires?: string | undefined;
  readonly code?: Code | undefined;
  readonly message: string;
  readonly remedy: string;
}

interface CheckPorts {
  readonly targets: Targets;
  readonly atlassian: Pick<Atlassian, 'open'>;
  readonly clock: Clock;
}

const CHECK_MS = 30_000;

/** Tries each of a target's credentials with a call that only reads, and looks at the day on which they end. An Atlassian that is down is no finding. */
export async function checkCredentials(name: string, ports: CheckPorts): Promise<readonly Finding[]> {
  const target = await findTarget(name, ports);
  if (!target) return [];
  if ('kind' in target) return [target];
  const refused = await tryCredentials(target, ports);
  const expiry = expiryOf(target, ports.clock.now());
  return [...refused, ...(expiry ? [expiry] : [])];
}

async function findTarget(name: string, { targets }: CheckPorts): Promise<Target | Finding | undefined> {
  try {
    return await targets.find(name, { fresh: true });
  } catch (error) {
    if (!(error instanceof TargetUnreadable)) throw error;
    return { target: name, kind: 'refused', message: error.message, remedy: 'Correct the secret.' };
  }
}

async function tryCredentials(target: Target, { atlassian, clock }: CheckPorts): Promise<readonly Finding[]> {
  const reading = {
    atlassian,
    signal: AbortSignal.timeout(CHECK_MS),
    deadlineMs: clock.now().getTime() + CHECK_MS,
  };
  try {
    const findings: Finding[] = [];
    for (const [field, read] of readsOf(target, reading)) findings.push(...(await tryOne(target.name, field, read)));
    return findings;
  } catch (error) {
    return findingsOf(error, target.name, 'the secret');
  }
}

const tryOne = (target: string, field: string, read: () => Promise<unknown>): Promise<readonly Finding[]> =>
  read().then(
    () => [],
    (error: unknown) => findingsOf(error, target, field),
  );

/** What an error says of credentials; throws it where it is none of Atlassian's. */
function findingsOf(error: unknown, target: string, field: string): readonly Finding[] {
  const isRefusal = error instanceof Refusal;
  if (!isRefusal && !(error instanceof RateLimited || error instanceof NoAnswer)) throw error;
  if (!isRefusal || error.temporary) return [];
  const { code, message } = error;
  return [{ target, kind: 'refused', code, message: `${field}: ${message}`, remedy: CODES[code].remedy }];
}

interface Reading {
  readonly atlassian: Pick<Atlassian, 'open'>;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

/** For each credential in a secret, by the name of its field, a call that needs it. */
function readsOf(
  target: Target,
  { atlassian, signal, deadlineMs }: Reading,
): readonly (readonly [field: string, read: () => Promise<unknown>])[] {
  const opened = atlassian.open(target, { deadlineMs });
  if (opened.type === 'data-center') return [['token', () => opened.apis.findMyself(signal)]];
  const { jira, organisation } = opened.apis;
  return [
    ['apiToken', () => jira.findMyself(signal)],
    ...(organisation ? [['orgApiKey', () => organisation.listVerifiedDomains(signal)] as const] : []),
  ];
}

const DAY_MS = 86_400_000;

/** So many days before the end it is told, and every day once it is over. */
const TOLD_DAYS = [30, 7, 1] as const;

const dayOf = (date: Date): string => date.toISOString().slice(0, 10);

function expiryOf({ name, expires }: Target, now: Date): Finding | undefined {
  if (expires === undefined) return undefined;
  const days = Math.round((Date.parse(expires) - Date.parse(dayOf(now))) / DAY_MS);
  if (days > TOLD_DAYS[0]) return undefined;
  return {
    target: name,
    kind: 'expires',
    days,
    expires,
    message: `${days < 0 ? 'They ended' : 'They end'} on ${expires}, as the secret says.`,
    remedy: 'Make new ones at Atlassian and put them into the secret, with their own last day as expires.',
  };
}

/** What makes two findings one notice: an expiry is told as often as TOLD_DAYS says, all else once a day. */
export function findingName({ kind, days = 0, expires = '', code }: Finding, now: Date): string {
  if (kind === 'refused') return `refused-${code ?? 'secret'}-${dayOf(now)}`;
  const told = TOLD_DAYS.findLast((before) => days <= before);
  return days < 1 || told === undefined ? `expires-${expires}-${dayOf(now)}` : `expires-${expires}-in-${told}`;
}
