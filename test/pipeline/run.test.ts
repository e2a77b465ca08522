import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { REPORT_FILES } from '../../shared/job/keys.ts';
import { claimFolder } from '../../cli/local-stack.ts';
import { followJob } from '../../cli/jobs.ts';
import { assemble } from '../../local/assembly.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { completeSettings } from '../../shared/settings.ts';
import { s3Client } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LEAVERS = join(ROOT, 'examples/cloud/suspend/leavers.csv');
const folder = mkdtempSync(join(tmpdir(), 'rollcall-run-test-'));
let stack: LocalStack;

beforeAll(async () => {
  stack = await startStack({ folder, synthesized: await assemble(completeSettings()) });
  claimFolder(folder).announce(stack);
}, 60_000);

afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

it('run leaves a report and exits with 2 when some row is not as it should be', async () => {
  const out = join(folder, 'out');

  const { code, stdout } = await rollcall('run', LEAVERS, '--operation', 'suspend', '--out', out);

  expect(stdout).toContain('completed');
  expect(code).toBe(2);
  expect(readdirSync(out).toSorted()).toEqual(REPORT_FILES.toSorted());
  expect(readFileSync(join(out, 'failed.csv'), 'utf8')).toContain('USER_NOT_FOUND');
}, 60_000);

it('run exits with 1 when the manifest is refused, and leaves the report that says why', async () => {
  const out = join(folder, 'refused');
  const manifest = join(folder, 'refused.csv');
  writeFileSync(manifest, 'who\nadele@example.com\n');

  const { code, stdout } = await rollcall('run', manifest, '--operation', 'suspend', '--out', out);

  expect(code).toBe(1);
  expect(stdout).toContain('rejected');
  expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toMatchObject({ state: 'rejected' });
}, 60_000);

it.each([
  ['a form', []],
  ['an address', ['--put']],
])(
  'presign makes %s with which curl uploads, the job runs, and verify finds that its changes hold',
  async (_what, options) => {
    const key = `cloud/suspend/hr-${options.length}.csv`;
    const results = resultsOf(stack);

    const { stdout } = await rollcall('presign', key, ...options, '--folder', folder);
    const uploaded = await execute('curl', [...curlArguments(stdout), '--silent', '--show-error', '--fail']);
    expect(uploaded).toMatchObject({ code: 0, stderr: '' });

    const jobId = await expectJob(`hr-${options.length}-`);
    await followJob({ results, prefixes: [`cloud/suspend/${jobId}/`] });
    const { code, stdout: verified } = await rollcall('verify', jobId, '--folder', folder);
    expect(verified).toMatch(/^(\d+) of \1 changed rows are still as the file asked\.$/m);
    expect(code).toBe(0);
    expect((await rollcall('status', jobId, '--folder', folder)).stdout).toContain('completed');
  },
  60_000,
);

it('makes no call that the role of a function does not allow', () => {
  expect(stack.violations()).toEqual([]);
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const rollcall = (...words: readonly string[]): Promise<Ended> =>
  execute(process.execPath, [join(ROOT, 'cli/rollcall.ts'), ...words]);

function execute(program: string, words: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, words, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** What curl is to be told: presign prints a form as JSON, or an address as it is. */
function curlArguments(printed: string): readonly string[] {
  if (!printed.startsWith('{')) return ['-T', LEAVERS, printed.trim()];
  const { url, fields } = JSON.parse(printed) as { url: string; fields: Record<string, string> }; // PresignedPost as JSON
  const form = Object.entries(fields).flatMap(([name, value]) => ['-F', `${name}=${value}`]);
  return [...form, '-F', `file=@${LEAVERS};type=text/csv`, url];
}

async function expectJob(prefix: string): Promise<string> {
  let found: string | undefined;
  const find = async (): Promise<string | undefined> => {
    for await (const key of resultsOf(stack).list(`cloud/suspend/${prefix}`)) found = key.split('/')[2];
    return found;
  };
  await expect.poll(find, { timeout: 10_000 }).toBeDefined();
  return found ?? '';
}

const resultsOf = (at: LocalStack) =>
  s3ObjectStore({ client: s3Client(clientEnvironment(at)), bucket: at.resultsBucket });
