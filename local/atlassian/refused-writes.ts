import type { Answer } from './answer.ts';
import type { RefusedWrite } from './behaviour.ts';
import type { Call, World } from './call.ts';

/** Answers, in place of the API, to writes about certain accounts or groups. */
export interface RefusedWrites {
  readonly answerTo: (method: string, call: Call) => Answer | undefined;
}

export function refusedWrites(): RefusedWrites {
  // By the rule itself: a patch of the behaviour brings new rules, and their counts start again.
  const uses = new WeakMap<RefusedWrite, number>();
  return {
    answerTo: (method, call) => {
      for (const rule of call.world.behaviour.refusedWrites) {
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
  const user = cloud.user(account) ?? cloud.byEmail(account);
  return user ? [account, user.accountId, user.email] : [account];
}

function groupNames({ cloud }: World, group: string): readonly string[] {
  const known = cloud.group(group) ?? cloud.groupNamed(group);
  return known ? [group, known.groupId, known.name] : [group];
}
