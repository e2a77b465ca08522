import { describe, expect, it } from 'vitest';

import type { UserManagement } from '../../../shared/atlassian/apis.ts';
import { API } from './targets.ts';
import { mockAtlassian, signal, type Mock, type Reply } from './mock-atlassian.ts';

const ACCOUNT = '557058:aa|b';
const MANAGE = `${API}/users/557058%3Aaa%7Cb/manage`;

function start(...replies: readonly Reply[]): { mock: Mock; userManagement: UserManagement } {
  const mock = mockAtlassian(...replies);
  const { userManagement } = mock.cloud();
  if (userManagement === undefined) throw new Error('a target with organisation keys has the user-management API');
  return { mock, userManagement };
}

describe('the user-management API', () => {
  it.each<[string, (api: UserManagement) => Promise<unknown>, string, string, unknown]>([
    [
      'sets an e-mail',
      (api) => api.setEmail(ACCOUNT, 'a@b.example', signal()),
      'PUT',
      '/email',
      { email: 'a@b.example' },
    ],
    ['deactivates', (api) => api.disable(ACCOUNT, undefined, signal()), 'POST', '/lifecycle/disable', {}],
    [
      'deactivates with a message',
      (api) => api.disable(ACCOUNT, 'bye', signal()),
      'POST',
      '/lifecycle/disable',
      { message: 'bye' },
    ],
    ['reactivates', (api) => api.enable(ACCOUNT, signal()), 'POST', '/lifecycle/enable', undefined],
  ])('%s', async (_, call, method, path, body) => {
    const { mock, userManagement } = start({ status: 204 });

    expect(await call(userManagement)).toEqual({ status: 'changed', httpStatus: 204, traceId: undefined });

    expect(mock.sent).toMatchObject([{ method, url: MANAGE + path }]);
    expect(mock.sent[0]?.body).toEqual(body);
    expect(mock.sent[0]?.headers.authorization).toBe('Bearer org-secret');
  });

  it('reads the present address and status of an account', async () => {
    const { userManagement } = start({
      status: 200,
      body: { account: { account_id: ACCOUNT, email: 'a@b.example', account_status: 'active' } },
    });

    expect(await userManagement.findProfile(ACCOUNT, signal())).toEqual({
      email: 'a@b.example',
      accountStatus: 'active',
    });
  });

  it('takes 404 to a profile for an answer', async () => {
    const { userManagement } = start({ status: 404, body: { key: 'accountNotFound' } });

    expect(await userManagement.findProfile(ACCOUNT, signal())).toBeUndefined();
  });
});
