import type { Answer } from '../routes/answer.ts';
import type { Call, World } from '../routes/call.ts';
import type { Behaviour, RefusedWrite } from './behaviour.ts';

/** What goes wrong with one request; BEFORE names the kinds that keep it from being applied. */
export type Fault =
  | { readonly kind: 'rateLimited' }
  | { readonly kind: 'serverError' | 'serverErrorAfter' | 'page' | 'pageAfter'; readonly status: number }
  | {
      readonly kind:
        | 'resetBefore'
        | 'resetAfter'
        | 'hangBefore'
        | 'hangAfter'
        | 'truncated'
        | 'notJson'
        | 'empty'
        | 'emptyAfter'
        | 'trickled'
        | 'compressed'
        | 'repeated'
        | 'endless';
    };

const KINDS = [
  'rateLimited',
  'serverError',
  'serverErrorAfter',
  'resetBefore',
  'resetAfter',
  'hangBefore',
  'hangAfter',
  'truncated',
  'notJson',
  'page',
  'pageAfter',
  'empty',
  'emptyAfter',
  'trickled',
  'compressed',
  'repeated',
  'endless',
] as const;

/** Faults after which nothing was applied. */
export const BEFORE: ReadonlySet<Fault['kind']> = new Set([
  'rateLimited',
  'serverError',
  'resetBefore',
  'hangBefore',
  'page',
  'empty',
]);

/** Faults after which nobody hears an answer. */
const SILENT: ReadonlySet<Fault['kind']> = new Set(['resetBefore', 'resetAfter', 'hangBefore', 'hangAfter']);

export const isSilent = ({ kind }: Fault): boolean => SILENT.has(kind);

/** The dice of the faults: the same seed and the same requests meet the same faults. */
export interface Dice {
  /** At most one fault a request: the rates are shares of the requests, and add up. */
  readonly throwFor: (faults: Behaviour['faults'], write: boolean) => Fault | undefined;
}

export function createDice(seed: number): Dice {
  const random = mulberry32(seed);
  return {
    throwFor: (faults, write) => {
      if (faults.on === 'writes' ? !write : faults.on === 'reads' && write) return undefined;
      let left = random();
      for (const kind of KINDS) {
        if (left < faults[kind]) return faultOf(kind, faults, random);
        left -= faults[kind];
      }
      return undefined;
    },
  };
}

function faultOf(kind: (typeof KINDS)[number], faults: Behaviour['faults'], random: () => number): Fault {
  const pick = (statuses: readonly number[]): number => statuses[Math.floor(random() * statuses.length)] ?? 500;
  switch (kind) {
    case 'serverError':
    case 'serverErrorAfter':
      return { kind, status: pick(faults.serverErrorStatuses) };
    case 'page':
    case 'pageAfter':
      return { kind, status: pick(PAGE_STATUSES) };
    default:
      return { kind };
  }
}

/** With which an outage's page, a firewall's, and a proxy's come. */
const PAGE_STATUSES = [404, 403, 503, 200];

/** A small generator of good enough numbers in [0, 1) (Tommy Ettinger's mulberry32, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Answers, in place of the API, to writes about certain accounts or groups, by the behaviour's rules. */
export interface RefusedWrites {
  readonly answerTo: (rules: readonly RefusedWrite[], method: string, call: Call) => Answer | undefined;
}

export function createRefusedWrites(): RefusedWrites {
  // By the rule itself: a patch of the behaviour brings new rules, and their counts start again.
  const uses = new WeakMap<RefusedWrite, number>();
  return {
    answerTo: (rules, method, call) => {
      for (const rule of rules) {
        const used = uses.get(rule) ?? 0;
        if (used >= (rule.times ?? Infinity) || !applies(rule, method, call)) continue;
        uses.set(rule, used + 1);
        return answerOf(rule);
      }
      return undefined;
    },
  };
}

function answerOf({ status, body, headers }: RefusedWrite): Answer {
  const content = typeof body === 'string' ? { text: body } : body === undefined ? {} : { body };
  return { status, ...content, ...(headers ? { headers } : {}) };
}

function applies(rule: RefusedWrite, method: string, call: Call): boolean {
  if (rule.method !== undefined && rule.method !== method) return false;
  if (rule.path !== undefined && !call.path.includes(rule.path)) return false;
  if (rule.account !== undefined && !accountNames(call.world, rule.account).some((name) => names(call, name)))
    return false;
  return rule.group === undefined || groupNames(call.world, rule.group).some((name) => names(call, name));
}

/** Whether a value stands anywhere in the request. */
function names(call: Call, value: string): boolean {
  if (Object.values(call.params).includes(value)) return true;
  for (const values of call.query.values()) if (values.includes(value)) return true;
  return call.body.includes(JSON.stringify(value));
}

/** An account's id stands for its address, and the address for the id. */
function accountNames({ cloud }: World, account: string): readonly string[] {
  const user = cloud.user(account) ?? cloud.withEmail(account)[0];
  return user ? [account, user.accountId, user.email] : [account];
}

function groupNames({ cloud }: World, group: string): readonly string[] {
  const known = cloud.group(group) ?? cloud.groupsNamed(group)[0];
  return known ? [group, known.groupId, known.name] : [group];
}
