import { describe, expect, it } from 'vitest';

import { TargetUnreadable } from '../../../shared/ports.ts';
import { parseTarget } from '../../../shared/aws/targets.ts';

const CLOUD = {
  type: 'cloud',
  siteUrl: 'https://acme.atlassian.net',
  email: 'admin@acme.test',
  apiToken: 'canary-token',
};
const DATA_CENTER = { type: 'data-center', baseUrl: 'https://jira.acme.test/jira', token: 'canary-token' };

describe("a target's secret", () => {
  it('describes a Cloud site with defaults for what it leaves out', () => {
    expect(parse(CLOUD)).toEqual({
      ...CLOUD,
      name: 'acme',
      secretName: 'rollcall/acme',
      apiUrl: 'https://api.atlassian.com',
    });
  });

  it('describes a Data Center', () => {
    expect(parse(DATA_CENTER)).toEqual({ ...DATA_CENTER, name: 'acme', secretName: 'rollcall/acme' });
  });

  it('loses trailing slashes of addresses and spaces around what was pasted', () => {
    expect(parse({ ...CLOUD, siteUrl: ' https://acme.atlassian.net// ', apiToken: 'canary-token\n' })).toMatchObject({
      siteUrl: 'https://acme.atlassian.net',
      apiToken: 'canary-token',
    });
  });

  it.each(['http://127.0.0.1:8080/jira', 'http://localhost:8080', 'http://[::1]:8080', 'https://jira.acme.test'])(
    'may point to %s',
    (baseUrl) => {
      expect(parse({ ...DATA_CENTER, baseUrl })).toMatchObject({ baseUrl });
    },
  );

  it.each([
    'http://jira.acme.test',
    'https://user:canary@jira.acme.test',
    'https://jira.acme.test/?a=canary',
    'jira',
    'ftp://localhost',
  ])('may not point to %s', (baseUrl) => {
    expect(() => parse({ ...DATA_CENTER, baseUrl })).toThrow(/baseUrl: must be an https address/);
  });

  it.each([CLOUD, DATA_CENTER])(
    'may say what is protected, which domains are allowed and when it expires: %o',
    (secret) => {
      const rules = { protected: ['boss@acme.test', 'Board'], allowAdminGroups: true, expires: '2027-01-31' };

      expect(parse({ ...secret, ...rules, allowedDomains: ['Acme.test'] })).toEqual({
        ...parse(secret),
        ...rules,
        allowedDomains: ['acme.test'],
      });
    },
  );

  it('says of each of these what it must be', () => {
    const rules = { protected: 'all', allowAdminGroups: 'yes', allowedDomains: ['@acme.test'], expires: 'soon' };

    const message = faultsOf(JSON.stringify({ ...DATA_CENTER, ...rules }));

    expect(message).toContain('protected: must be a list of account ids, e-mail addresses and group names');
    expect(message).toContain('allowAdminGroups: must be true or false');
    expect(message).toContain('allowedDomains.0: must be a domain such as example.com');
    expect(message).toContain('expires: must be a day such as 2027-01-31');
  });

  it('is refused with every field at fault at once, and no value', () => {
    const message = faultsOf(
      JSON.stringify({
        ...CLOUD,
        siteUrl: 'http://canary.test',
        email: '',
        apiToken: 'canary token',
        suspendApi: 'canary',
      }),
    );

    expect(message).toMatch(/siteUrl.*email.*apiToken.*suspendApi/);
    expect(message).not.toContain('canary');
  });

  it('says of each field that is missing, empty or of another kind what it must be', () => {
    const message = faultsOf(
      JSON.stringify({ type: 'cloud', email: '', apiToken: 7, defaultProducts: 'all', suspendApi: 'v1' }),
    );

    expect(message).toContain(
      'siteUrl: missing; email: must not be empty; apiToken: must be text; defaultProducts: must be a list of product names; suspendApi: no field of such a secret. Correct',
    );
    expect(faultsOf('{"type":"server"}')).toContain('type: must be "cloud" or "data-center"');
  });

  it.each(['canary', '{"type":"canary"}', '[]', 'null', '{"apiToken":"canary"', '7'])(
    'is refused when it is %s, without showing it',
    (json) => {
      const message = faultsOf(json);

      expect(message).toContain('acme');
      expect(message).not.toContain('canary');
    },
  );
});

const parse = (secret: object) => parseTarget('acme', JSON.stringify(secret));

function faultsOf(json: string): string {
  try {
    parseTarget('acme', json);
  } catch (error) {
    if (error instanceof TargetUnreadable) return `${error.message} ${String(error.cause ?? '')}`;
    throw error;
  }
  throw new Error('The secret was accepted');
}
