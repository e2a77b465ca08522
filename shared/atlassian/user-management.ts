import * as z from 'zod';

import type { UserManagement } from './apis.ts';
import type { ApiClient } from './api-client.ts';
import { parse } from './parsing.ts';

const profileSchema = z.object({
  account: z.object({
    email: z.string().min(1).nullish().catch(undefined),
    account_status: z.string().nullish().catch(undefined),
  }),
});

/** Atlassian's user-management API, for the accounts that the organisation manages. */
export function createUserManagement(client: ApiClient): UserManagement {
  return {
    profile: async (accountId, signal) => {
      const json = await client.read('profile', { path: { accountId }, missing: 'undefined' }, signal);
      if (json === undefined) return undefined;
      const { account } = parse('profile', profileSchema, json);
      return { email: account.email ?? undefined, accountStatus: account.account_status ?? undefined };
    },
    setEmail: (accountId, email, signal) => client.write('setEmail', { path: { accountId }, body: { email } }, signal),
    disable: (accountId, message, signal) => {
      const body = message === undefined ? {} : { message };
      return client.write('disable', { path: { accountId }, body }, signal);
    },
    enable: (accountId, signal) => client.write('enable', { path: { accountId } }, signal),
  };
}
