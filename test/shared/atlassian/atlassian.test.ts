import { describe, expect, it } from 'vitest';

import { Withheld } from '../../../shared/atlassian/errors.ts';
import { mockAtlassian } from './mock-atlassian.ts';
import { cloudTarget, dataCenterTarget } from './targets.ts';

describe('opening a target', () => {
  it.each([
    ['http://acme.example', 'plain http'],
    ['http://127.0.0.1.example', 'a name that only looks like loopback'],
    ['ftp://acme.example', 'another protocol'],
    ['acme.example', 'no address at all'],
  ])('refuses %s: %s', (url) => {
    const { atlassian } = mockAtlassian();

    expect(() => atlassian.open(cloudTarget({ siteUrl: url }))).toThrow(/https/);
    expect(() => atlassian.open(cloudTarget({ apiUrl: url }))).toThrow(/https/);
    expect(() => atlassian.open(dataCenterTarget({ baseUrl: url }))).toThrow(/https/);
  });

  it.each(['http://127.0.0.1:8080', 'http://localhost:8080/jira', 'http://[::1]:8080', 'https://acme.example/'])(
    'takes %s',
    (url) => {
      expect(mockAtlassian().atlassian.open(dataCenterTarget({ baseUrl: url })).type).toBe('data-center');
    },
  );

  it('refuses a token that could end its header, without repeating it', () => {
    const { atlassian } = mockAtlassian();

    const attempt = (): unknown => atlassian.open(dataCenterTarget({ token: 'secret\r\nx-evil: 1' }));

    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'UNAUTHORIZED',
        message: expect.not.stringContaining('secret\r') as unknown,
      }) as Error,
    );
  });

  it('counts the calls of each opening by itself', async () => {
    const { atlassian } = mockAtlassian({ status: 200, body: { name: 'x' } });
    const first = atlassian.open(dataCenterTarget());
    const second = atlassian.open(dataCenterTarget());

    if (first.type === 'data-center') await first.apis.findUser('x', AbortSignal.timeout(5_000));

    expect(first.countCalls()).toEqual({ sent: 1, rateLimited: 0 });
    expect(second.countCalls()).toEqual({ sent: 0, rateLimited: 0 });
  });
});

describe('beforeCall', () => {
  it('is awaited before each call, and what it throws keeps the call from beginning', async () => {
    const { atlassian, sent } = mockAtlassian({ status: 200, body: { name: 'x' } });
    let asked = 0;
    const beforeCall = async (): Promise<void> => {
      asked += 1;
      if (asked > 1) throw new Withheld('stopped');
    };
    const opened = atlassian.open(dataCenterTarget(), { beforeCall });
    if (opened.type !== 'data-center') throw new Error('a Data Center target opens as Data Center');
    await opened.apis.findUser('x', AbortSignal.timeout(5_000));

    await expect(opened.apis.findUser('x', AbortSignal.timeout(5_000))).rejects.toBeInstanceOf(Withheld);

    expect(sent).toHaveLength(1);
    expect(opened.countCalls()).toEqual({ sent: 1, rateLimited: 0 });
  });

  it('may outlast the signal: then nothing is sent, and the call counts as not begun', async () => {
    const { atlassian, sent } = mockAtlassian({ status: 200, body: { name: 'x' } });
    const ending = new AbortController();
    const opened = atlassian.open(dataCenterTarget(), { beforeCall: async () => ending.abort() });
    if (opened.type !== 'data-center') throw new Error('a Data Center target opens as Data Center');

    const call = opened.apis.updateUser('x', { active: false }, ending.signal);

    await expect(call).rejects.toMatchObject({ code: 'RATE_LIMITED', sent: false });
    expect(sent).toEqual([]);
  });
});
