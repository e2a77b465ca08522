import { createServer, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';

import { createHttp } from '../../../shared/atlassian/http.ts';
import { loopbackServer } from './loopback-server.ts';

const open: { close: () => Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

/** A proxy on loopback that opens tunnels, or refuses to, and keeps what it was asked. */
async function startProxy({ refuses = false } = {}) {
  const asked: { readonly to: string | undefined; readonly headers: IncomingHttpHeaders }[] = [];
  const server = createServer((_, response) => response.writeHead(501).end());
  server.on('connect', ({ url, headers }, client) => {
    asked.push({ to: url, headers });
    if (refuses) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const { hostname, port } = new URL(`http://${url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  open.push({ close });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }; // it listens on a port
}

async function send(baseUrl: string, proxy: string) {
  const http = createHttp({ responseLimitBytes: 1_000, connections: 2, proxy });
  open.unshift(http);
  const request = { baseUrl, method: 'GET', path: '/myself', authorization: 'Bearer canary' } as const;
  return http.send(request, AbortSignal.timeout(5_000));
}

it('calls through a tunnel of the proxy, which sees where to and no credentials', async () => {
  const atlassian = await loopbackServer((_, response) => response.end('{"ok": true}'));
  open.push(atlassian);
  const proxy = await startProxy();

  const answer = await send(atlassian.url, proxy.url);

  expect(answer).toMatchObject({ type: 'answer', status: 200, body: { type: 'json', value: { ok: true } } });
  expect(proxy.asked.map(({ to }) => to)).toEqual([new URL(atlassian.url).host]);
  expect(JSON.stringify(proxy.asked)).not.toContain('canary');
});

it('has sent nothing when the proxy opens no tunnel', async () => {
  const proxy = await startProxy({ refuses: true });

  expect(await send('http://127.0.0.1:9', proxy.url)).toMatchObject({ type: 'not-sent' });
});

it('has sent nothing when there is no proxy', async () => {
  expect(await send('http://127.0.0.1:9', 'http://127.0.0.1:9')).toMatchObject({ type: 'not-sent' });
});
