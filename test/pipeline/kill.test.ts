import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { followJob, countSettled } from '../../cli/jobs.ts';
import { uploadManifest } from '../../cli/files.ts';
import { startSimulator, type Simulator } from '../../local/atlassian/server/simulator.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import type { Connection } from '../../local/stack.ts';
import { s3Client } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';

const ROWS = 1_200;
const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-kill-'));
const started: ChildProcess[] = [];
let atlassian: Simulator;

beforeAll(async () => {
  // Not the stack's own, which would be killed with it.
  atlassian = await startSimulator({ seed: { users: ROWS, groups: 1, groupsPerUser: 0 } });
  await control('PATCH', '/_simulator/behaviour', { limits: { writesPerSecond: 300, jira: null } });
  writeFileSync(join(folder, 'acme.json'), JSON.stringify(atlassian.targets.cloud));
  const policy = { rules: [{ above: { takes: 0, gives: ROWS } }] };
  writeFileSync(join(folder, 'stage.json'), JSON.stringify({ policy }));
});

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await atlassian.close();
  rmSync(folder, { recursive: true, force: true });
});

it('finishes a job whose whole stack was killed, with every row written once and `changed`', async () => {
  const first = await startLocal();
  const path = join(folder, 'joiners.csv');
  writeFileSync(path, ['email,group', ...Array.from({ length: ROWS }, (_, index) => rowOf(index + 1))].join('\n'));
  const upload = { ...inboxAt(first.connection), target: 'acme', operation: 'membership', path };
  const { prefixes } = await uploadManifest(upload);
  await untilSettled(first.connection, prefixes, ROWS / 4);

  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const second = await startLocal();
  const { summary, prefix } = await followJob({ results: resultsAt(second.connection), prefixes });

  expect(summary.state).toBe('completed');
  // What was written before the kill is known as written: undo rests on it.
  expect(summary.counts).toMatchObject({ rows: ROWS, changed: ROWS, unchanged: 0 });
  const report = await resultsAt(second.connection).read(`${prefix}results.csv`);
  const reported: readonly Record<string, string>[] = parse((await report?.text()) ?? '', { bom: true, columns: true });
  expect(reported.map((row) => row['rollcall_line'])).toEqual(
    Array.from({ length: ROWS }, (_, index) => String(index + 2)),
  );
  const { effective } = (await control('GET', '/_simulator/requests?summary=1')) as { effective: object };
  expect(effective).toEqual({ writes: ROWS, things: ROWS, repeated: {} });

  second.child.kill('SIGTERM');
  // 1 when a function made a call that its role does not allow.
  expect(await once(second.child, 'exit')).toEqual([0, null]);
}, 120_000);

it.skipIf(!existsSync('/proc'))(
  "ends the functions' processes with the stack's, even when that is killed",
  async () => {
    const { child } = await startLocal();
    const pid = child.pid ?? 0;
    expect(childrenOf(pid).length).toBeGreaterThan(0);
    const children = childrenOf(pid);

    child.kill('SIGKILL');
    await once(child, 'exit');

    await expect.poll(() => children.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  },
  60_000,
);

async function startLocal(): Promise<{ readonly child: ChildProcess; readonly connection: Connection }> {
  const child = spawn(
    process.execPath,
    [
      COMMAND,
      'local',
      '--folder',
      join(folder, 'state'),
      '--target-file',
      join(folder, 'acme.json'),
      '--stage',
      join(folder, 'stage.json'),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  started.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, connection: JSON.parse(line) as Connection }; // what `local` promises of its first line
  }
  throw new Error('the stack ended before it was up');
}

async function untilSettled(connection: Connection, prefixes: readonly string[], rows: number): Promise<void> {
  const enough = new AbortController();
  await followJob({
    results: resultsAt(connection),
    prefixes,
    onStatus: (status) => {
      if (countSettled(status) >= rows) enough.abort();
    },
    signal: enough.signal,
  }).then(
    () => expect.fail('the job ended before it could be disturbed'),
    (error: unknown) => {
      if (!enough.signal.aborted) throw error;
    },
  );
}

const rowOf = (n: number): string => `user${String(n).padStart(5, '0')}@example.com,group-001`;

const clientAt = (connection: Connection) => s3Client(clientEnvironment(connection));
const inboxAt = (connection: Connection) => ({ client: clientAt(connection), bucket: connection.inboxBucket });
const resultsAt = (connection: Connection) =>
  s3ObjectStore({ client: clientAt(connection), bucket: connection.resultsBucket });

async function control(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${atlassian.url}${path}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** As Linux tells it. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined; // it ended while we looked
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
