import * as z from 'zod';

import type { UserManagement } from './apis.ts';
import type { Caller } from './calling.ts';
import { parse } from './parsing.ts';

const profileSchema = z.object({
  account: z.object({
    email: z.string().min(1).nullish().catch(undefined),
    account_status: z.string().nullish().catch(undefined),
  }),
});

/** Atlassian's user-management API, for the accounts that the organisation manages. */
export function createUserManagement(caller: Caller): UserManagement {
  return {
    profile: async (accountId, signal) => {
      const json = await caller.read('profile', { path: { accountId }, missing: 'undefined' }, signal);
      if (json === undefined) return undefined;
      const { account } = parse('profile', profileSchema, json);
      return { email: account.email ?? undefined, accountStatus: account.account_status ?? undefined };
    },
    setEmail: (accountId, email, signal) => caller.write('setEmail', { path: { accountId }, body: { email } }, signal),
    disable: (accountId, message, signal) => {
      const body = message === undefined ? {} : { message };
      return caller.write('disable', { path: { accountId }, body }, signal);
    },
    enable: (accountId, signal) => caller.write('enable', { path: { accountId } }, signal),
  };
}
