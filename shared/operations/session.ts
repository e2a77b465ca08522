import { Refusal, TargetUnusable, Withheld } from '../atlassian/errors.ts';
import type { CallCount } from '../atlassian/apis.ts';
import type { Atlassian, Opened, OpenOptions } from '../atlassian/atlassian.ts';
import { countActivePeople, countMembers } from './counts.ts';
import { bindOperation, type BoundOperation, type Operation, type PlannedRow } from './operation.ts';
import { openProtection, type Protection } from './protection.ts';
import type { Contacts } from '../job/contacts.ts';
import type { Code } from '../job/outcome.ts';
import { type Targets, TargetUnreadable } from '../ports.ts';
import type { Target } from '../target.ts';

/** What a session is made of: the targets' secrets, and the APIs that they open. */
export interface SessionPorts {
  readonly targets: Targets;
  readonly atlassian: Pick<Atlassian, 'open'>;
  /** Absent where nobody remembers: then the first answer that is not Atlassian's own means a wrong address. */
  readonly contacts?: Contacts | undefined;
}

/** Which target a session is for, and which operation it plans and applies. */
export interface SessionOptions extends OpenOptions {
  readonly targetName: string;
  readonly operation: Operation;
}

/**
 * One job's dealings with its target during one batch. What would halt the job is believed only when the secret, read again,
 * still says the same.
 */
export interface Session {
  /** Rows that would change what is protected are refused. */
  readonly plan: BoundOperation['plan'];
  /** Plans changes whose subjects are known; those of what is protected are refused. */
  readonly planChanges: BoundOperation['planChanges'];
  readonly invert: BoundOperation['invert'];
  /** The present states of the subjects of changes, in order. */
  readonly read: BoundOperation['read'];
  readonly compare: BoundOperation['compare'];
  /** What a change with this desired state does. */
  readonly effect: BoundOperation['effect'];
  /** How many seats of which product a change takes, as far as that is known. */
  readonly seats: BoundOperation['seats'];
  readonly domain: BoundOperation['domain'];
  readonly rebase: BoundOperation['rebase'];
  /** Who and what no file may touch at the target; asked at most once a minute. */
  readonly protection: (signal: AbortSignal) => Promise<Protection>;
  /** How many people of the target are active; `undefined` when nobody tells. */
  readonly countActivePeople: (signal: AbortSignal) => Promise<number | undefined>;
  /** How many members a group has, by id (on Data Center by name); `undefined` when nobody tells. */
  readonly countMembers: (group: string, signal: AbortSignal) => Promise<number | undefined>;
  /** Whether the state is read before every write. */
  readonly readsFirst: () => Promise<boolean>;
  readonly write: BoundOperation['write'];
  readonly calls: () => CallCount;
  /** Whether the secret, read again, holds other credentials than this session was opened with. */
  readonly isOutdated: () => Promise<boolean>;
}

export async function openSession(ports: SessionPorts, options: SessionOptions): Promise<Session> {
  const connection = await connect(ports, options);
  const { ask } = connection;
  const bind = (opened: Opened): BoundOperation => bindOperation(options.operation, opened);
  const bound = (): BoundOperation => bind(connection.opened());

  const planUnlessProtected = (
    plan: (operation: BoundOperation) => ReturnType<BoundOperation['plan']>,
    signal: AbortSignal,
  ): ReturnType<BoundOperation['plan']> =>
    ask(async (opened) => {
      const operation = bind(opened);
      return refuseProtected(await plan(operation), operation, () => openProtection(opened.apis, signal));
    });

  return {
    plan: (rows, signal) => planUnlessProtected((operation) => operation.plan(rows, signal), signal),
    planChanges: (changes, signal) =>
      planUnlessProtected((operation) => operation.planChanges(changes, signal), signal),
    read: (changes, signal) => ask((opened) => bind(opened).read(changes, signal)),
    compare: (change, state) => bound().compare(change, state),
    effect: (after) => bound().effect(after),
    seats: (change) => bound().seats(change),
    domain: (change) => bound().domain(change),
    rebase: (change, state) => bound().rebase(change, state),
    invert: (change) => bound().invert(change),
    protection: (signal) => ask(({ apis }) => openProtection(apis, signal)),
    countActivePeople: (signal) => ask(({ apis }) => countActivePeople(apis, signal)),
    countMembers: (group, signal) => ask(({ apis }) => countMembers(apis, group, signal)),
    readsFirst: () => ask(async (opened) => bind(opened).readsFirst),
    write: (change, signal) => bound().write(change, signal),
    calls: connection.calls,
    isOutdated: connection.isOutdated,
  };
}

/** A target as its secret says, and again as it says after a refusal that a new secret may have mended. */
interface Connection extends Pick<Session, 'calls' | 'isOutdated'> {
  readonly opened: () => Opened;
  /** Asks once more with the secret read again, where that has changed since. */
  readonly ask: <Value>(question: (opened: Opened) => Promise<Value>) => Promise<Value>;
}

async function connect(ports: SessionPorts, options: SessionOptions): Promise<Connection> {
  const { targets, atlassian, contacts } = ports;
  const open = (one: Target): Opened =>
    atlassian.open(one, { ...(contacts && { isKnown: () => contacts.has(one) }), ...options });
  const noted = async <Value>(answer: Promise<Value>): Promise<Value> => {
    const value = await answer;
    if (contacts && opened.countCalls().sent > 0) await contacts.note(target);
    return value;
  };
  let target = await find(false);
  let opened = open(target);
  let former: CallCount = { sent: 0, rateLimited: 0 };

  return {
    opened: () => opened,
    ask: async (question) => {
      try {
        return await noted(question(opened));
      } catch (error) {
        if (!haltsJob(error)) throw error;
        const fresh = await find(true);
        if (same(fresh, target)) throw error;
        former = callsSoFar();
        target = fresh;
        opened = open(target);
        return await noted(question(opened));
      }
    },
    calls: callsSoFar,
    isOutdated: async () => !same(await find(true), target),
  };

  async function find(fresh: boolean): Promise<Target> {
    const found = await targets.find(options.targetName, { fresh }).catch(unusableIfUnreadable);
    if (found) return found;
    throw new TargetUnusable(
      'UNAUTHORIZED',
      `There is no secret ${targets.secretNameOf(options.targetName)} any more. Create it again and resume the job.`,
    );
  }

  function callsSoFar(): CallCount {
    const { sent, rateLimited } = opened.countCalls();
    return { sent: former.sent + sent, rateLimited: former.rateLimited + rateLimited };
  }
}

/** Planned rows; those that would change what is protected are refused. */
async function refuseProtected(
  planned: readonly PlannedRow[],
  { effect }: Pick<BoundOperation, 'effect'>,
  open: () => Promise<Protection>,
): Promise<readonly PlannedRow[]> {
  if (!planned.some(({ kind }) => kind === 'change')) return planned;
  const { refusalOf } = await open();
  return planned.map((row): PlannedRow => {
    const refusal = row.kind === 'change' ? refusalOf(effect(row.after), row) : undefined;
    return refusal ? { kind: 'refused', refusal } : row;
  });
}

/** A secret that somebody has spoilt halts the job as a missing one does, until it is fixed. */
function unusableIfUnreadable(error: unknown): never {
  if (!(error instanceof TargetUnreadable)) throw error;
  throw new TargetUnusable('UNAUTHORIZED', `${error.message} Then resume the job.`, { cause: error });
}

const same = (one: Target, other: Target): boolean => JSON.stringify(one) === JSON.stringify(other);

const HALTING: readonly Code[] = ['UNAUTHORIZED', 'INSUFFICIENT_SCOPE', 'SITE_NOT_FOUND'];

/** Whether nothing of the job can be planned or applied until somebody fixes the target or its credentials. */
export const haltsJob = (error: unknown): error is Refusal =>
  error instanceof TargetUnusable || (error instanceof Refusal && HALTING.includes(error.code));

/** Throws Withheld unless the job runs. */
export function withholdUnless(runs: boolean): void {
  if (!runs) throw new Withheld('The job does not run any more.');
}
