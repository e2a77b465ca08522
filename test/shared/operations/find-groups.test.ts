import { describe, expect, it } from 'vitest';

import { findGroups, findGroupNames } from '../../../shared/operations/find-groups.ts';
import { fakeCloud } from '../../fakes/atlassian-cloud.ts';

const NEVER = new AbortController().signal;
const GROUPS = [
  { groupId: 'g-1', name: 'Support\u00A0Team' },
  { groupId: 'g-2', name: 'engineering' },
  { groupId: 'g-3', name: 'Twins A' },
  { groupId: 'g-4', name: 'TWINS A' },
  { groupId: 'g-5', name: 'Team ' },
  { groupId: 'g-6', name: 'Kelvin' },
];

async function look(reference: { readonly groupName: string; readonly groupId?: string }) {
  const { apis } = fakeCloud({ groups: GROUPS.map((group) => ({ ...group, members: [] })) });
  const groupOf = await findGroups([reference], apis, NEVER);
  const finding = groupOf(reference);
  return finding.kind === 'found' ? finding.value : finding.kind === 'refused' ? finding.refusal : undefined;
}

describe('a group by a name that looks like its own', () => {
  it.each([
    ['Support Team', 'g-1', /^Taken for the group "Support\u00A0Team": Jira has a no-break space after "Support"\.$/],
    ['support  team', 'g-1', /the row has more than one space after "support"/],
    ['Engineering', 'g-2', /^Taken for the group "engineering", which is written in another case\.$/],
    ['Team', 'g-5', /^Taken for the group "Team ": Jira has a space after "Team"\.$/],
  ])('%j is found, and told', async (groupName, groupId, message) => {
    expect(await look({ groupName })).toMatchObject({ groupId, message: expect.stringMatching(message) as unknown });
  });

  it('is taken as it is where it is exact', async () => {
    expect(await look({ groupName: 'Twins A' })).toMatchObject({ groupId: 'g-3' });
    expect(await look({ groupName: 'engineering' })).not.toHaveProperty('message', expect.anything());
  });

  it.each([
    ['twins a', /More than one group looks like "twins a": "Twins A" and "TWINS A"/],
    ['\u212Aelvin', /There is no group called .*It has the Kelvin sign at its start\./],
    ['enginering', /There is no group called "enginering"\.$/],
    ['engineerings', /There is no group called "engineerings"\./],
    ['engineering team', /There is no group called "engineering team"\./],
    ['engineering, Team', /A row names one group: if these are several, write a row for each \("engineering", …\)/],
  ])('%j is refused, and says what can be seen', async (groupName, message) => {
    expect(await look({ groupName })).toMatchObject({
      code: 'GROUP_NOT_FOUND',
      message: expect.stringMatching(message) as unknown,
    });
  });

  it('may stand beside its id', async () => {
    expect(await look({ groupId: 'g-5', groupName: 'Team' })).toMatchObject({ groupId: 'g-5' });
    expect(await look({ groupId: 'g-2', groupName: 'Other' })).toMatchObject({ code: 'GROUP_MISMATCH' });
  });
});

describe('the name of a group on Data Center', () => {
  const picking = (names: readonly string[], isWhole = true) => ({
    pickGroups: async (text: string) => ({
      names: names.filter((name) => name.toLowerCase().includes(text.toLowerCase())),
      isWhole,
    }),
    hasGroup: async (name: string) => name === 'beyond',
  });

  it.each([
    ['developers', ['Developers', 'developers-2'], 'Developers'],
    ['C\u2011Guild', ['c-guild'], 'c-guild'],
    ['beyond', [], 'beyond'],
  ])('%j is that of %j in any case', async (group, names, name) => {
    const nameOf = await findGroupNames([{ group }], picking(names, false), NEVER);

    expect(nameOf({ group })).toMatchObject({ kind: 'found', value: { name } });
  });

  it('is refused where nothing has it, with what comes near', async () => {
    const nameOf = await findGroupNames([{ group: 'developerz x' }], picking(['developerz y']), NEVER);

    expect(nameOf({ group: 'developerz x' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'GROUP_NOT_FOUND', message: expect.stringMatching(/Is "developerz y" meant\?$/) as unknown },
    });
  });
});
