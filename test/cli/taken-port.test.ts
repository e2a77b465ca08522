import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));

it('says which port is in use, without a trace, when local cannot have it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-taken-port-'));
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP

  const words = [COMMAND, 'local', '--folder', folder, '--port', String(port - 1)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);

  expect(errors).toMatch(new RegExp(`^Ports in use: [0-9, ]*${port}[0-9, ]*; [^\n]+ Choose others with --port.\n$`));
  expect(code).toBe(1);
  server.close();
  rmSync(folder, { recursive: true });
}, 30_000);
