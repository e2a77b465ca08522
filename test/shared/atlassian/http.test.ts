import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';

import { createAtlassian } from '../../../shared/atlassian/atlassian.ts';
import type { Cloud } from '../../../shared/atlassian/apis.ts';
import { NoAnswer, RateLimited, Refusal } from '../../../shared/atlassian/errors.ts';
import { loopbackServer, type LoopbackServer } from './loopback-server.ts';
import { signal } from './mock-atlassian.ts';
import { cloudTarget } from './targets.ts';

const LIMIT_BYTES = 1_000;
const MEMBER = { groupId: 'g', accountId: 'a' };
const open: { close: () => Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

/** The client against a server that answers with this. */
async function against(answer: (response: ServerResponse, url: string) => void): Promise<{
  readonly cloud: Cloud;
  readonly server: LoopbackServer;
  readonly calls: () => { readonly sent: number; readonly rateLimited: number };
}> {
  const server = await loopbackServer(({ url }, response) => answer(response, url));
  return { ...(await clientOf(server.url)), server: tracked(server) };
}

async function clientOf(url: string) {
  const atlassian = tracked(
    createAtlassian({
      clock: { now: () => new Date() },
      chance: { uuid: () => 'uuid', random: () => 0.5 },
      workers: 1,
      responseLimitBytes: LIMIT_BYTES,
    }),
  );
  const opened = atlassian.open(cloudTarget({ siteUrl: `${url}/`, apiUrl: url }), { deadlineMs: Date.now() + 5_000 });
  if (opened.type !== 'cloud') throw new Error('a Cloud target opens as Cloud');
  return { cloud: opened.apis, calls: opened.countCalls };
}

function tracked<Thing extends { close: () => Promise<void> }>(thing: Thing): Thing {
  open.push(thing);
  return thing;
}

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const answering =
  (status: number, headers: Record<string, string>, body = '') =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };

describe('the HTTP layer', () => {
  it('keeps connections open between calls', async () => {
    const { cloud, server } = await against(answering(201, {}, '{}'));

    for (let call = 0; call < 20; call += 1) await cloud.jira.addToGroup(MEMBER, signal());

    expect(server.received).toHaveLength(20);
    expect(server.connections()).toBeLessThan(4);
  });

  it('names the host of a redirect, and neither follows it nor repeats its query', async () => {
    const location = 'https://elsewhere.example/login?token=abc';
    const { cloud, server } = await against(answering(302, { location }));

    const error = await errorOf(cloud.jira.addToGroup(MEMBER, signal()));

    expect(error).toMatchObject({ code: 'SITE_NOT_FOUND', httpStatus: 302, temporary: false });
    expect(String(error)).toContain('elsewhere.example');
    expect(String(error)).not.toContain('abc');
    expect(server.received).toHaveLength(1);
  });

  it.each([
    ['a reset', (response: ServerResponse) => void response.socket?.resetAndDestroy()],
    ['a closed connection', (response: ServerResponse) => void response.socket?.end()],
    [
      'an answer that is cut short',
      (response: ServerResponse) => {
        response.writeHead(201, { 'content-length': '100' });
        response.write('{"na', () => response.socket?.destroy());
      },
    ],
  ])('leaves it open whether a write was done after %s, and lets a look-up be tried again', async (_, answer) => {
    const { cloud } = await against(answer);

    expect(await errorOf(cloud.jira.addToGroup(MEMBER, signal()))).toBeInstanceOf(NoAnswer);
    const lookUp = await errorOf(cloud.jira.findUser('a', signal()));
    expect(lookUp).toBeInstanceOf(Refusal);
    expect(lookUp).toMatchObject({ temporary: true });
  });

  it('ends a call that hangs when its signal does', async () => {
    const { cloud } = await against(() => undefined);

    expect(await errorOf(cloud.jira.addToGroup(MEMBER, AbortSignal.timeout(50)))).toBeInstanceOf(NoAnswer);
    expect(await errorOf(cloud.jira.findUser('a', AbortSignal.timeout(50)))).toMatchObject({ code: 'TIMED_OUT' });
  });

  it('knows that nothing was sent when nobody listens', async () => {
    const server = await loopbackServer(() => undefined);
    await server.close();
    const { cloud } = await clientOf(server.url);

    const error = await errorOf(cloud.jira.addToGroup(MEMBER, signal()));

    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ code: 'ATLASSIAN_ERROR', temporary: true });
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['identity', (bytes: Buffer) => bytes],
  ])('reads an answer that came as %s', async (encoding, encode) => {
    const body = Buffer.from(JSON.stringify([{ groupId: 'g', name: 'G' }]));
    const { cloud } = await against(
      (response) => void response.writeHead(200, { 'content-encoding': encoding }).end(encode(body)),
    );

    expect(await cloud.jira.findGroupsOfUser('a', signal())).toEqual([{ groupId: 'g', name: 'G' }]);
  });

  it('counts the bytes of an answer as they are decoded, and takes what cannot be for a broken one', async () => {
    const large = await against(
      (response) =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50 * LIMIT_BYTES, ' '))),
    );
    const broken = await against((response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('{}'));

    expect(await errorOf(large.cloud.jira.findGroupsOfUser('a', signal()))).toMatchObject({ code: 'REQUEST_REFUSED' });
    expect(await errorOf(broken.cloud.jira.findGroupsOfUser('a', signal()))).toMatchObject({ temporary: true });
  });

  it('reads no more of an answer than the limit', async () => {
    const { cloud } = await against(answering(200, {}, `[${' '.repeat(LIMIT_BYTES)}]`));

    const lookUp = await errorOf(cloud.jira.findGroupsOfUser('a', signal()));

    expect(lookUp).toMatchObject({ code: 'REQUEST_REFUSED', httpStatus: 200 });
    expect(String(lookUp)).toContain('response limit');
    expect(await cloud.jira.addToGroup(MEMBER, signal())).toMatchObject({ status: 'changed' });
  });

  it.each([
    ['JSON cut short', '{"values": [', 'ATLASSIAN_ERROR'],
    ['nothing', '', 'ATLASSIAN_ERROR'],
    ['another shape', '{"values": 7}', 'ATLASSIAN_ERROR'],
    ['null', 'null', 'ATLASSIAN_ERROR'],
  ])('fails a look-up that is answered with %s for now, and only for now', async (_, body, code) => {
    const { cloud } = await against(answering(200, {}, body));

    expect(await errorOf(cloud.jira.findGroupsByName(['g'], signal()))).toMatchObject({ code, temporary: true });
  });

  it.each([
    ['502 of a gateway', answering(502, {}, '<html>Bad gateway</html>')],
    ['504 of a gateway', answering(504, {})],
  ])('has a write read back after %s', async (_, answer) => {
    const { cloud } = await against(answer);

    expect(await errorOf(cloud.jira.addToGroup(MEMBER, signal()))).toBeInstanceOf(NoAnswer);
  });

  it('says of an error on the server that the write may have been applied, and of a refusal that it was not', async () => {
    const failing = await against(answering(500, {}, '{}'));
    const refusing = await against(answering(400, {}, '{}'));

    expect(await errorOf(failing.cloud.jira.addToGroup(MEMBER, signal()))).toMatchObject({ uncertain: true });
    expect(await errorOf(refusing.cloud.jira.addToGroup(MEMBER, signal()))).toMatchObject({ uncertain: false });
  });

  it('hands a write back when Atlassian answers 429, with the time to come back, and counts it', async () => {
    const { cloud, calls } = await against(answering(429, { 'retry-after': '7' }));

    const error = await errorOf(cloud.jira.addToGroup(MEMBER, signal()));

    expect(error).toBeInstanceOf(RateLimited);
    expect(error).toMatchObject({ sent: true });
    expect(Math.round(((error as RateLimited).notBeforeMs - Date.now()) / 1_000)).toBe(7); // its class is checked above
    expect(calls()).toEqual({ sent: 1, rateLimited: 1 });
  });

  it('treats 503 with a time as a wait, and without one as an error', async () => {
    const waiting = await against(answering(503, { 'retry-after': '2' }));
    const failing = await against(answering(503, {}));

    expect(await errorOf(waiting.cloud.jira.addToGroup(MEMBER, signal()))).toBeInstanceOf(RateLimited);
    expect(await errorOf(failing.cloud.jira.addToGroup(MEMBER, signal()))).toMatchObject({ code: 'ATLASSIAN_ERROR' });
    expect(waiting.calls()).toEqual({ sent: 1, rateLimited: 0 });
  });

  it('waits and asks again when a look-up is answered 429 and the deadline allows', async () => {
    let answered = 0;
    const { cloud, calls } = await against((response) => {
      answered += 1;
      if (answered === 1)
        response.writeHead(429, { 'x-ratelimit-reset': new Date(Date.now() + 100).toISOString() }).end();
      else response.writeHead(200).end('[]');
    });

    expect(await cloud.jira.findUsers('a@b.example', signal())).toEqual([]);
    expect(calls()).toEqual({ sent: 2, rateLimited: 1 });
  });

  it('hands a look-up back unsent when the time that Atlassian names is after the deadline', async () => {
    const { cloud, calls } = await against(answering(429, { 'retry-after': '60' }));

    expect(await errorOf(cloud.jira.findUsers('a@b.example', signal()))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(calls()).toEqual({ sent: 1, rateLimited: 1 });
  });

  it('repeats of an error only its words: short, on one line, without the token', async () => {
    const leak = `jira-secret and ${Buffer.from('admin@acme.example:jira-secret').toString('base64')}`;
    const { cloud } = await against(
      answering(400, {}, `No, <h1>\n${leak}</h1><script>x()</script> ${'long '.repeat(150)}`),
    );

    const error = await errorOf(cloud.jira.addToGroup(MEMBER, signal()));

    expect(error).toMatchObject({ code: 'REQUEST_REFUSED', httpStatus: 400 });
    const message = String(error);
    expect(message).toMatch(/"No, \*\*\* and \*\*\* long/);
    expect(message).not.toMatch(/jira-secret|<|x\(\)|\n/);
    expect(message.length).toBeLessThan(500);
  });
});
