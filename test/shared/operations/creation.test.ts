import { describe, expect, it } from 'vitest';

import { Refusal } from '../../../shared/atlassian/errors.ts';
import { creation } from '../../../shared/operations/creation.ts';
import { fakeCloud, type FakeCloudOptions } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter } from '../../fakes/atlassian-data-center.ts';
import { applyTasks, asSent, lookUps, plan, writes } from './apply-tasks.ts';
import { CLOUD, DATA_CENTER } from './targets.ts';

const NO_DEFAULTS = {};
const DEFAULTS = { defaultProducts: ['jira-software', 'jira-core'] };

describe('a creation row is checked', () => {
  it.each([
    ['no products', undefined, NO_DEFAULTS, ''],
    ["the target's default", undefined, DEFAULTS, 'jira-core jira-software'],
    ['none', 'None', DEFAULTS, ''],
    ['one', 'Jira-Software', DEFAULTS, 'jira-software'],
    ['commas', 'jira-software, jira-core', NO_DEFAULTS, 'jira-core jira-software'],
    ['semicolons', 'jira-software;confluence', NO_DEFAULTS, 'confluence jira-software'],
    ['bars', 'jira-servicedesk|jira-product-discovery', NO_DEFAULTS, 'jira-product-discovery jira-servicedesk'],
    ['spaces', 'jira-core  confluence', NO_DEFAULTS, 'confluence jira-core'],
    ['repeats', 'jira-core,jira-core', NO_DEFAULTS, 'jira-core'],
  ])('%s', async (_, products, target, desired) => {
    const cells = { email: 'New@acme.example', ...(products === undefined ? {} : { products }) };
    const { apis } = fakeCloud({ target });

    expect(creation.cloud?.check(cells, apis.target)).toEqual([]);
    expect(await plan(creation.cloud, [cells], apis)).toMatchObject([
      {
        keys: [
          { subject: `email:new@acme.example gets ${desired}`, desired: '' },
          { subject: 'email:new@acme.example', inTurn: true },
        ],
      },
    ]);
  });

  it.each([
    ['an unknown product', 'jira', /^products: "jira" is not a product; jira-core, .*confluence, or none alone/],
    ['none beside another', 'none,confluence', /^products: "none" is not a product/],
    ['separators alone', ';', /^products: ";" is not a product/],
  ])('%s is a problem', (_, products, problem) => {
    const checked = creation.cloud?.check({ email: 'new@acme.example', products }, CLOUD);

    expect(checked).toEqual([expect.stringMatching(problem)]);
  });

  it.each([
    [{}, /^email: it is empty/],
    [{ email: 'new' }, /^email: "new" is not an e-mail address/],
    [{ email: 'new@acme@example' }, /^email: "new@acme@example" is not/],
    [{ email: '@acme.example' }, /^email:/],
    [{ email: 'new\u0000@acme.example' }, /^email: "new\\u0000@acme.example" is not/],
    [{ email: `${'n'.repeat(250)}@a.example` }, /^email: "n{80}…" is not.*at most 254/],
  ])('%j is a problem', (cells, problem) => {
    expect(creation.cloud?.check(cells, CLOUD)).toEqual([expect.stringMatching(problem)]);
  });

  it.each([
    'mailto:ann@acme.example',
    '<ann@acme.example>',
    'ann@acme.example;',
    '"ann"@acme.example',
    'ann@acme..example',
    'ann@acme.example.',
    'ann@.acme.example',
    '.ann@acme.example',
  ])('%s is no address, as something stands around it', (email) => {
    expect(creation.cloud?.check({ email }, CLOUD)).toEqual([
      expect.stringMatching(/^email: .* is not an e-mail address; name@domain alone/),
    ]);
  });

  it.each(["o'hara+tag@sub.acme.example", 'jürgen@bücher.example', 'root@intranet', `${'n'.repeat(245)}@a.bcdefg`])(
    '%s is an address',
    (email) => {
      expect(creation.cloud?.check({ email }, CLOUD)).toEqual([]);
    },
  );

  it('on Data Center tells every empty cell', () => {
    const checked = creation.dataCenter?.check({}, DATA_CENTER);

    expect(checked).toEqual(
      ['username', 'email', 'displayName'].map((column) => expect.stringMatching(`^${column}: it is empty`)),
    );
  });
});

const SITE = {
  users: [
    { accountId: 'ann', email: 'ann@acme.example', products: ['jira-software'] },
    { accountId: 'cat', email: 'cat@acme.example', products: ['confluence', 'jira-core'] },
    { accountId: 'sue', email: 'sue@acme.example', products: ['jira-software'], membershipStatus: 'suspended' },
    { accountId: 'dee', email: 'dee@acme.example', products: ['jira-software'], accountStatus: 'inactive' },
    { accountId: 'two', email: 'two@acme.example', accountStatus: 'inactive', membershipStatus: 'suspended' },
    { accountId: 'hid', email: 'hid@acme.example', hidden: true },
  ],
} satisfies FakeCloudOptions;

describe('creation on Cloud', () => {
  it.each([
    ['one who is new', 'new@acme.example', 'jira-software', 'changed', 'jira.createUser', ['jira-software']],
    ['one who is new, without access', 'new@acme.example', 'none', 'changed', 'jira.createUser', []],
    ['Confluence', 'new@acme.example', 'confluence', 'changed', 'organisation.invite', ['confluence']],
    [
      'both, in one call',
      'new@acme.example',
      'jira-core,confluence',
      'changed',
      'organisation.invite',
      ['confluence', 'jira-core'],
    ],
    [
      'the product that is missing',
      'ann@acme.example',
      'jira-software,jira-core',
      'changed',
      'organisation.invite',
      ['jira-core'],
    ],
    [
      'Confluence beside Jira that is there',
      'ANN@acme.example',
      'jira-software,confluence',
      'changed',
      'organisation.invite',
      ['confluence'],
    ],
    ['one who has that access', 'Ann@acme.example', 'jira-software', 'unchanged', undefined, undefined],
    ['one who has Confluence', 'cat@acme.example', 'confluence', 'unchanged', undefined, undefined],
    ['one who has both', 'cat@acme.example', 'jira-core,confluence', 'unchanged', undefined, undefined],
    [
      'the Jira product that is missing beside Confluence that is there',
      'cat@acme.example',
      'jira-software,confluence',
      'changed',
      'organisation.invite',
      ['jira-software'],
    ],
    ['one who is there, without access', 'ann@acme.example', 'none', 'unchanged', undefined, undefined],
  ])('%s', async (_, email, products, expected, call, sent) => {
    const { apis, calls } = fakeCloud(SITE);

    expect(await applyTasks(creation.cloud, [{ email, products }], apis)).toEqual([expected]);

    const [write, ...more] = writes(calls);
    expect(more).toEqual([]);
    expect(write?.name).toBe(call);
    expect(write?.args[0]).toEqual(sent && expect.objectContaining({ products: sent }));
  });

  it.each([
    ['sue', 'jira-software', 'USER_SUSPENDED', /"sue" is suspended; it must be restored \(operation restore\) first/],
    ['sue', 'none', 'USER_SUSPENDED', /restore/],
    [
      'dee',
      'jira-software',
      'USER_DEACTIVATED',
      /"dee" is deactivated; it must be reactivated \(operation reactivate\)/,
    ],
    ['dee', 'none', 'USER_DEACTIVATED', /reactivate/],
    ['two', 'confluence', 'USER_DEACTIVATED', /reactivate/],
  ])('%s with %s is %s, naming the operation that helps (promise 8)', async (name, products, code, message) => {
    const { apis } = fakeCloud(SITE);

    const [planned] = await plan(creation.cloud, [{ email: `${name}@acme.example`, products }], apis);

    expect(planned).toMatchObject({ kind: 'refused', refusal: { code, message: expect.stringMatching(message) } });
  });

  it.each([
    ['none', []],
    ['confluence', ['organisation.findUsersByProduct']],
  ])(
    'comes out unchanged when the same file for %s comes again, with so few look-ups for all',
    async (products, more) => {
      const { apis, calls } = fakeCloud(SITE);
      const rows = Array.from({ length: 50 }, (_, n) => ({ email: `n${n}@acme.example`, products }));
      await applyTasks(creation.cloud, rows, apis);
      const before = calls.length;

      expect(new Set(await applyTasks(creation.cloud, rows, apis))).toEqual(new Set(['unchanged']));
      expect(calls.slice(before).map(({ name }) => name)).toEqual(['organisation.findUsersByEmail', ...more]);
    },
  );

  it('asks about products of those alone who are there and whose rows ask for them', async () => {
    const { apis, calls } = fakeCloud(SITE);
    const rows = [
      { email: 'new@acme.example', products: 'confluence' },
      { email: 'sue@acme.example', products: 'confluence' },
      { email: 'cat@acme.example', products: 'confluence' },
      { email: 'ann@acme.example', products: 'jira-core' },
      { email: 'hid@acme.example', products: 'none' },
    ];

    await plan(creation.cloud, rows, apis);

    expect(calls.slice(1, 3)).toMatchObject([
      { name: 'organisation.findUsersByProduct', args: ['confluence', ['cat@acme.example']] },
      { name: 'organisation.findUsersByProduct', args: ['jira-core', ['ann@acme.example']] },
    ]);
  });

  it('lets rows without Confluence pass when nobody may be asked who has it', async () => {
    const { apis } = fakeCloud({
      ...SITE,
      intercept: async ({ name, args }, proceed) => {
        if (name === 'organisation.findUsersByProduct' && args[0] === 'confluence')
          throw new Refusal('FORBIDDEN', 'no');
        return proceed();
      },
    });
    const rows = ['confluence', 'jira-core'].map((products) => ({ email: 'cat@acme.example', products }));

    expect(await applyTasks(creation.cloud, rows, apis)).toEqual(['FORBIDDEN', 'unchanged']);
  });

  it.each([
    ['new@acme.example', 'jira-core,confluence', { 'jira-core': 1, confluence: 1 }],
    ['ann@acme.example', 'jira-core,jira-software', { 'jira-core': 1 }],
    ['new@acme.example', 'none', {}],
  ])('%s with %s takes the seats %j', async (email, products, seats) => {
    const { apis } = fakeCloud(SITE);

    const [planned] = await plan(creation.cloud, [{ email, products }], apis);

    expect(planned?.kind === 'change' && creation.cloud?.seats(asSent(planned))).toEqual(seats);
  });

  it('is about the address, whether somebody has it or not', async () => {
    const { apis } = fakeCloud(SITE);

    const rows = ['ann@acme.example', 'New@acme.example'].map((email) => ({ email, products: 'jira-core' }));

    expect(await plan(creation.cloud, rows, apis)).toMatchObject([
      {
        keys: [{ subject: 'email:ann@acme.example gets jira-core' }, { subject: 'email:ann@acme.example' }],
        before: { exists: true, products: [] },
      },
      {
        keys: [{ subject: 'email:new@acme.example gets jira-core' }, { subject: 'email:new@acme.example' }],
        before: { exists: false },
      },
    ]);
  });

  describe('a domain', () => {
    const planOne = async (email: string, options: FakeCloudOptions) => {
      const [planned] = await plan(creation.cloud, [{ email, products: 'jira-core' }], fakeCloud(options).apis);
      return planned?.kind === 'refused' ? planned.refusal.code : planned?.kind;
    };

    it.each([
      ['a verified one', 'new@acme.example', {}, 'change'],
      ['a slip in it', 'new@acme.exmaple', {}, 'DOMAIN_NOT_ALLOWED'],
      [
        'one that the secret allows',
        'new@partner.example',
        { target: { allowedDomains: ['partner.example'] } },
        'change',
      ],
      [
        'another one',
        'new@gmail.example',
        { organisation: false, target: { allowedDomains: ['acme.example'] } },
        'DOMAIN_NOT_ALLOWED',
      ],
      ['any, where nobody says which', 'new@gmail.example', { organisation: false }, 'change'],
    ] as const)('%s', async (_, email, options, expected) => {
      expect(await planOne(email, { ...SITE, ...options })).toBe(expected);
    });

    it('does not matter where there is nothing to do', async () => {
      const users = [{ accountId: 'out', email: 'out@partner.example', products: ['jira-core'] }];

      expect(await planOne('out@partner.example', { users })).toBe('noop');
    });

    it('is named of those who are created', async () => {
      const { apis } = fakeCloud(SITE);
      const rows = ['New@ACME.example', 'ann@acme.example'].map((email) => ({ email, products: 'jira-core' }));

      const planned = await plan(creation.cloud, rows, apis);

      expect(
        planned.map((one) => (one.kind === 'change' ? (creation.cloud?.domain(asSent(one)) ?? 'none') : one.kind)),
      ).toEqual(['acme.example', 'none']);
    });
  });

  describe('without organisation keys', () => {
    const keyless = () => fakeCloud({ ...SITE, organisation: false });

    it.each([
      ['one who is new', 'new@acme.example', 'jira-software', 'changed'],
      ['one who has that access, as Jira knows', 'ann@acme.example', 'jira-software', 'unchanged'],
      ['one whose address is hidden: creating is idempotent', 'hid@acme.example', 'jira-software', 'changed'],
      ['Confluence, for which keys are needed', 'new@acme.example', 'confluence', 'FORBIDDEN'],
    ])('%s', async (_, email, products, expected) => {
      expect(await applyTasks(creation.cloud, [{ email, products }], keyless().apis)).toEqual([expected]);
    });

    it('names the fields of the secret that Confluence needs', async () => {
      const { apis, calls } = keyless();

      const [planned] = await plan(creation.cloud, [{ email: 'new@acme.example', products: 'confluence' }], apis);

      expect(planned).toMatchObject({
        refusal: {
          message: expect.stringMatching(/orgId and orgApiKey.*rollcall\/acme, then drop failed.csv in again/),
        },
      });
      expect(writes(calls)).toEqual([]);
    });
  });

  it('does not believe an answer about somebody who is there where nobody tells which products there are', async () => {
    const { apis, calls } = fakeCloud({
      ...SITE,
      organisation: false,
      intercept: async ({ name }, proceed) =>
        name === 'jira.findUser' ? { accountId: 'ann', active: true } : proceed(),
    });

    expect(await applyTasks(creation.cloud, [{ email: 'ann@acme.example', products: 'jira-software' }], apis)).toEqual([
      'ATLASSIAN_ERROR',
    ]);

    expect(lookUps(calls)).toEqual(['jira.findUsers']);
    expect(writes(calls)).toMatchObject([{ name: 'jira.createUser', effective: false }]);
  });
});

describe('creation on Data Center', () => {
  const site = () =>
    fakeDataCenter({
      users: [
        { username: 'ann', emailAddress: 'Ann@acme.example' },
        { username: 'out', emailAddress: 'out@acme.example', active: false },
      ],
    });

  it.each([
    ['one who is inactive', 'out', 'out@acme.example', 'USER_SUSPENDED'],
    ['one who is inactive and somebody else', 'out', 'new@acme.example', 'EMAIL_MISMATCH'],
    ['one who is new', 'new', 'new@acme.example', 'changed'],
    ['one who is there', 'Ann', 'ann@acme.example', 'unchanged'],
    ["one whose username is another's", 'ann', 'other@acme.example', 'EMAIL_MISMATCH'],
  ])('%s', async (_, username, email, expected) => {
    const rows = [{ username, email, displayName: 'A Name' }];

    expect(await applyTasks(creation.dataCenter, rows, site().apis)).toEqual([expected]);
  });
});
