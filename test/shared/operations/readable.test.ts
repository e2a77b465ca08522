import { expect, it } from 'vitest';

import { describeChange, describeState } from '../../../shared/operations/readable.ts';

it.each([
  [
    'a membership',
    { subject: { accountId: 'ada', groupId: 'g-1' }, before: { member: false }, after: { member: true } },
    { subject: 'account id: ada; group id: g-1', before: 'member: no', after: 'member: yes' },
  ],
  [
    'a state of which nothing was known',
    { subject: { accountId: 'ada' }, before: {}, after: { member: true } },
    { subject: 'account id: ada', before: '', after: 'member: yes' },
  ],
  [
    'an address that stays beside one that does not',
    {
      subject: { username: 'ada' },
      before: { exists: true, emailAddress: 'ada@x.test', displayName: 'Ada' },
      after: { exists: true, emailAddress: 'ada@y.test', displayName: 'Ada' },
    },
    { subject: 'username: ada', before: 'email address: ada@x.test', after: 'email address: ada@y.test' },
  ],
  [
    'lists, empty and full',
    { subject: { email: 'ada@x.test' }, before: { products: [] }, after: { products: ['jira', 'confluence'] } },
    { subject: 'email: ada@x.test', before: 'products: none', after: 'products: jira, confluence' },
  ],
])('a change is shown by what differs: %s', (_what, change, shown) => {
  expect(describeChange(change)).toEqual(shown);
  expect(describeChange(JSON.parse(JSON.stringify(change)) as typeof change)).toEqual(shown);
});

it('a state is shown whole, without what is not known', () => {
  expect(describeState({ access: 'suspended', role: undefined, seats: 3, nested: { a: 1 } })).toBe(
    'access: suspended; seats: 3; nested: {"a":1}',
  );
  expect(describeState(undefined)).toBe('');
});
