import { createHash } from 'node:crypto';

import type { OutcomeChunks } from '../../shared/job/outcome-chunks.ts';
import { type Code, statusOfRefusal } from '../../shared/job/outcome.ts';
import type { Gate, RowChange, RowPlan } from '../../shared/job/plan.ts';
import { AWAITING_ROW, PENDING, rowStatusOf, settledStatus } from '../../shared/job/row-status.ts';
import type { Policy } from '../../shared/job/policy.ts';
import type { Protection } from '../../shared/operations/protection.ts';
import type { Session } from '../../shared/operations/session.ts';
import type { ReadPlan, Relations, Settled } from './relations.ts';

/** What becomes of every row of a plan, and what the plan would do in all. */
export interface Judgement extends Pick<
  Gate,
  'hash' | 'dependencies' | 'counts' | 'codes' | 'takes' | 'seats' | 'domains'
> {
  readonly rowStatuses: Uint8Array;
  /** Rows that planning refused, by code. */
  readonly refusals: Readonly<Partial<Record<Code, number>>>;
  /** By group, how many people the plan takes out of it. */
  readonly takesByGroup: ReadonlyMap<string, number>;
}

export interface Judging {
  readonly readPlan: ReadPlan;
  readonly relations: Relations;
  /** As validation left them: rows that are invalid have theirs. */
  readonly rowStatuses: Uint8Array;
  readonly policy: Policy;
  readonly effect: Session['effect'];
  readonly seats: Session['seats'];
  readonly domain: Session['domain'];
  readonly countAdmins: Protection['countAdmins'];
  /** Gets the outcomes of the rows that other rows settle. */
  readonly outcomes: OutcomeChunks;
}

/** Reads the plan in order, gives each row what becomes of it, and counts. */
export async function judgeRows({ readPlan, relations, policy, outcomes, ...judging }: Judging): Promise<Judgement> {
  const rowStatuses = Uint8Array.from(judging.rowStatuses);
  const hash = createHash('sha256');
  const refusals: Partial<Record<Code, number>> = {};
  const dependencies: Gate['dependencies'] = [];
  const sum = createSum(judging);
  for await (const rows of readPlan()) {
    for (const row of rows) {
      const settled = relations.settled.get(row.row) ?? sum.findLastAdmin(row);
      const onRow = relations.dependencies.get(row.row);
      rowStatuses[row.row] = statusOf(row, settled, onRow);
      hash.update(hashLine(row, settled?.code, onRow));
      if (row.kind === 'refused') refusals[row.code] = (refusals[row.code] ?? 0) + 1;
      const told = settled && outcomes.add({ ...which(row), ...settled });
      if (told) await told;
      if (settled || row.kind !== 'change') continue;
      if (onRow !== undefined) dependencies.push([row.row, row.line, onRow, relations.lines[onRow] ?? 1]);
      sum.add(row);
    }
  }
  hash.update(JSON.stringify(policy));
  return { rowStatuses, hash: hash.digest('hex'), dependencies, refusals, ...sum.result(), ...tally(rowStatuses) };
}

/** Sums what the changes of a plan do. */
function createSum({
  effect,
  seats,
  domain,
  countAdmins,
}: Pick<Judging, 'effect' | 'seats' | 'domain' | 'countAdmins'>) {
  const takesByGroup = new Map<string, number>();
  const seatsByProduct: Record<string, number> = {};
  const domains = new Map<string, number>();
  let takes = 0;
  return {
    /** Why a change may not be made after those before it: it would take the last member out of an admin group. */
    findLastAdmin: (row: RowPlan): Settled | undefined => {
      if (row.kind !== 'change' || effect(row.after) !== 'takes') return undefined;
      const group = groupOf(row);
      const admins = group === undefined ? undefined : countAdmins(group);
      if (group === undefined || admins === undefined || (takesByGroup.get(group) ?? 0) + 1 < admins) return undefined;
      return LAST_ADMIN;
    },
    add: (row: RowChange): void => {
      for (const [product, number] of Object.entries(seats(row)))
        seatsByProduct[product] = (seatsByProduct[product] ?? 0) + number;
      const created = domain(row);
      if (created !== undefined) domains.set(created, (domains.get(created) ?? 0) + 1);
      if (effect(row.after) === 'gives') return;
      takes += 1;
      const group = groupOf(row);
      if (group !== undefined) takesByGroup.set(group, (takesByGroup.get(group) ?? 0) + 1);
    },
    result: () => ({ takes, takesByGroup, seats: seatsByProduct, domains: mostFrequent(domains) }),
  };
}

const DOMAINS_NAMED = 20;

const mostFrequent = (domains: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...domains].toSorted(([, one], [, other]) => other - one).slice(0, DOMAINS_NAMED));

const LAST_ADMIN: Settled = {
  status: 'failed',
  code: 'PROTECTED',
  message:
    'The file would take everybody out of this group of admins, which must keep one member. Add somebody else to it first.',
};

const which = ({ row, line }: RowPlan) => ({ row, line });

/** The byte of a row; one that is to be applied has none yet. */
function statusOf(row: RowPlan, settled: Settled | undefined, onRow: number | undefined): number {
  if (settled) return rowStatusOf(settled.status, settled.code);
  if (row.kind === 'refused') return rowStatusOf(statusOfRefusal(row.code), row.code);
  if (row.kind === 'noop') return rowStatusOf('unchanged');
  return onRow === undefined ? PENDING : AWAITING_ROW;
}

/** What an approval is given for: no times, and nothing that differs between two plans of the same. */
function hashLine(row: RowPlan, code: Code | undefined, onRow: number | undefined): string {
  const { subject, before, after } = { subject: null, before: null, after: null, ...row };
  const own = row.kind === 'refused' ? row.code : null;
  return `${JSON.stringify([row.row, subject, before, after, code ?? own, onRow ?? null])}\n`;
}

/** The group that a change takes somebody out of, as its subject names it. */
function groupOf({ subject }: RowChange): string | undefined {
  const named = subject as { readonly groupId?: unknown; readonly group?: unknown } | null; // plain data of ours
  const group = named?.groupId ?? named?.group;
  return typeof group === 'string' ? group : undefined;
}

function tally(rowStatuses: Uint8Array): Pick<Gate, 'counts' | 'codes'> {
  const counts = { change: 0, unchanged: 0, failed: 0, invalid: 0, unprocessed: 0 };
  const codes: Partial<Record<Code, number>> = {};
  for (const rowStatus of rowStatuses) {
    const settled = settledStatus(rowStatus);
    if (!settled) counts.change += 1;
    else if (settled.status !== 'changed') counts[settled.status] += 1;
    if (settled?.code) codes[settled.code] = (codes[settled.code] ?? 0) + 1;
  }
  return { counts, codes };
}
