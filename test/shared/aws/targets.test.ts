import { describe, expect, it, onTestFinished } from 'vitest';

import { TargetUnreadable } from '../../../shared/ports.ts';
import { secretsManagerTargets } from '../../../shared/aws/targets.ts';
import { secretsHere } from '../../local/aws/secrets-here.ts';

const DATA_CENTER = { type: 'data-center', baseUrl: 'https://jira.acme.test', token: 'first' };

describe('the targets out of Secrets Manager', () => {
  it('finds a target by the name of its secret', async () => {
    const { targets, put } = await start();
    put('rollcall/acme', DATA_CENTER);

    expect(await targets.find('acme')).toEqual({ name: 'acme', secretName: 'rollcall/acme', ...DATA_CENTER });
  });

  it.each(['unknown', 'Has Spaces', 'a/b', 'ü', ''])('finds no target named %j', async (name) => {
    const { targets } = await start();

    expect(await targets.find(name)).toBeUndefined();
  });

  it('reads a secret once a minute, however many ask', async () => {
    const { targets, put, calls, pass } = await start();
    put('rollcall/acme', DATA_CENTER);

    await Promise.all([targets.find('acme'), targets.find('acme')]);
    pass(59_999);
    await targets.find('acme');
    expect(calls).toHaveLength(1);

    pass(1);
    await targets.find('acme');
    expect(calls).toHaveLength(2);
  });

  it('reads a fresh one when asked to, at most once a second', async () => {
    const { targets, put, calls, pass } = await start();
    put('rollcall/acme', DATA_CENTER);
    await targets.find('acme');
    put('rollcall/acme', { ...DATA_CENTER, token: 'second' });
    pass(1_000);

    const fresh = await Promise.all([targets.find('acme', { fresh: true }), targets.find('acme', { fresh: true })]);

    expect(fresh).toMatchObject([{ token: 'second' }, { token: 'second' }]);
    expect(await targets.find('acme')).toMatchObject({ token: 'second' });
    expect(calls).toHaveLength(2);
  });

  it('sees a second later that a secret was created', async () => {
    const { targets, put, pass } = await start();
    await targets.find('acme');
    put('rollcall/acme', DATA_CENTER);

    pass(1_000);

    expect(await targets.find('acme')).toMatchObject({ token: 'first' });
  });

  it('reads the secrets of its own stage, and says how they are named', async () => {
    const { targets, put } = await start('rollcall/prod/');
    put('rollcall/acme', DATA_CENTER);
    put('rollcall/prod/acme', { ...DATA_CENTER, token: 'of-prod' });

    expect(await targets.find('acme')).toMatchObject({ token: 'of-prod', secretName: 'rollcall/prod/acme' });
    expect(targets.secretNameOf('other')).toBe('rollcall/prod/other');
  });

  it('throws when the secret cannot be used, and finds it a second after it was mended', async () => {
    const { targets, put, pass } = await start();
    put('rollcall/acme', { ...DATA_CENTER, token: '' });
    await expect(targets.find('acme')).rejects.toThrow(TargetUnreadable);
    put('rollcall/acme', DATA_CENTER);

    pass(1_000);

    expect(await targets.find('acme')).toMatchObject({ token: 'first' });
  });
});

async function start(prefix = 'rollcall/') {
  const secrets = await secretsHere();
  onTestFinished(() => secrets.close());
  let nowMs = 0;
  const targets = secretsManagerTargets({
    client: secrets.client,
    clock: { now: () => new Date(nowMs) },
    prefix,
  });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { ...secrets, targets, pass };
}
