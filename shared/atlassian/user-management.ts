import * as z from 'zod';

import type { Rule, UserManagement } from './apis.ts';
import type { Caller } from './calling.ts';
import { parse } from './parsing.ts';

const ruleSchema = z.object({
  allowed: z.boolean(),
  reason: z.object({ key: z.string() }).nullish().catch(undefined),
});

const profileSchema = z.object({
  account: z.object({
    email: z.string().min(1).nullish().catch(undefined),
    account_status: z.string().nullish().catch(undefined),
  }),
});

/** Atlassian's user-management API, for the accounts that the organisation manages. */
export function createUserManagement(caller: Caller): UserManagement {
  return {
    privileges: async (accountId, privileges, signal) => {
      const query = [['privileges', privileges.join(',')] as const];
      const json = await caller.read('privileges', { path: { accountId }, query }, signal);
      return rulesIn(parse('privileges', z.record(z.string(), z.unknown()), json), privileges);
    },
    profile: async (accountId, signal) => {
      const json = await caller.read('profile', { path: { accountId }, missing: 'undefined' }, signal);
      if (json === undefined) return undefined;
      const { account } = parse('profile', profileSchema, json);
      return { email: account.email ?? undefined, accountStatus: account.account_status ?? undefined };
    },
    setEmail: async (accountId, email, signal) =>
      (await caller.write('setEmail', { path: { accountId }, body: { email } }, signal)).answer,
    disable: async (accountId, message, signal) => {
      const body = message === undefined ? {} : { message };
      return (await caller.write('disable', { path: { accountId }, body }, signal)).answer;
    },
    enable: async (accountId, signal) => (await caller.write('enable', { path: { accountId } }, signal)).answer,
  };
}

/** Other privileges have other shapes; those that were asked for are a rule each. */
function rulesIn(
  json: Readonly<Record<string, unknown>>,
  privileges: readonly string[],
): Readonly<Record<string, Rule>> {
  return Object.fromEntries(
    privileges.flatMap((privilege) => {
      const rule = ruleSchema.safeParse(json[privilege]);
      return rule.success ? [[privilege, { allowed: rule.data.allowed, reason: rule.data.reason?.key }] as const] : [];
    }),
  );
}
