import { describe, expect, it } from 'vitest';

import { describeOperations } from './describe.ts';
import { findOperation, operationNames, OPERATIONS } from '../../../shared/operations/index.ts';
import type { Column } from '../../../shared/operations/operation.ts';

describe('the registry of operations', () => {
  it('holds the seven operations, each findable by its name', () => {
    expect(operationNames).toEqual([
      'creation',
      'deactivate',
      'email-change',
      'membership',
      'reactivate',
      'restore',
      'suspend',
    ]);
    expect(operationNames.map(findOperation)).toEqual(OPERATIONS);
  });

  it.each(['Membership', 'constructor', ''])('knows no operation %j', (name) => {
    expect(findOperation(name)).toBeUndefined();
  });

  it.each(recipes())('%s: no two columns answer to one spelling', (_, { columns }) => {
    const spellings = columns.flatMap((column) => [...spellingsOf(column)]);

    expect(spellings).toHaveLength(new Set(spellings).size);
  });

  it.each(recipes())('%s: asks for columns of its own only', (_, { columns, required }) => {
    const names = columns.map(({ name }) => name);

    expect(names).toEqual(expect.arrayContaining(required.flat()));
  });

  it.each([
    ['userid', 'accountId'],
    ['User id', 'accountId'],
    ['account_id', 'accountId'],
    ['Atlassian ID', 'accountId'],
    ['emailAddress', 'email'],
    ['groupid', 'groupId'],
    ['Group id', 'groupId'],
    ['group', 'groupName'],
    ['Group name', 'groupName'],
    ['groupname', 'groupName'],
    ['Action', 'action'],
    ['User name', undefined],
    ['Username', undefined],
  ])('a membership column %j on Cloud is %s', (header, name) => {
    const columns = findOperation('membership')?.cloud?.columns ?? [];

    expect(columns.find((column) => spellingsOf(column).has(keyOf(header)))?.name).toBe(name);
  });
});

describe('docs/operations.md', () => {
  it('says what the operations say (write it anew with: npx vitest run test/shared/operations/registry.test.ts -u)', async () => {
    await expect(describeOperations()).toMatchFileSnapshot('../../../docs/operations.md');
  });
});

function recipes() {
  return OPERATIONS.flatMap(({ name, cloud, dataCenter }) => [
    ...(cloud ? [[`${name} on Cloud`, cloud] as const] : []),
    ...(dataCenter ? [[`${name} on Data Center`, dataCenter] as const] : []),
  ]);
}

const spellingsOf = ({ name, aliases }: Column): ReadonlySet<string> => new Set([name, ...aliases].map(keyOf));

const keyOf = (spelling: string): string => spelling.toLowerCase().replace(/[\s_-]/g, '');
