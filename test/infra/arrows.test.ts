import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const REFUSED = [
  ['shared/job/adapter.ts', `import { read } from '../aws/s3-object-store.ts';`],
  ['shared/job/function.ts', `import type { Run } from '../../functions/worker/worker.ts';`],
  ['shared/manifest/client.ts', `import { S3Client } from '@aws-sdk/client-s3';`],
  ['shared/operations/network.ts', `import { request } from 'undici';`],
  ['shared/operations/stage.ts', `import { readSettings } from '../../infra/stage.ts';`],
  ['shared/aws/function.ts', `import { run } from '../../functions/worker/worker.ts';`],
  ['shared/atlassian/commands.ts', `import { run } from '../../cli/rollcall.ts';`],
  ['functions/worker/adapter.ts', `import { read } from '../../shared/aws/s3-object-store.ts';`],
  ['functions/worker/client.ts', `import { SQSClient } from '@aws-sdk/client-sqs';`],
  ['functions/worker/other.ts', `import { validation } from '../splitter/validation.ts';`],
  ['functions/worker/environment.ts', `export const region = process.env['AWS_REGION'];`],
  ['functions/intake/other.ts', `import { plan } from '../planner/planner.ts';`],
  ['functions/reporter/handler.ts', `import { worker } from '../worker/worker.ts';`],
  ['functions/splitter/handler.ts', `import { readSettings } from '../../infra/stage.ts';`],
  ['shared/settings.ts', `export const region = process.env['AWS_REGION'];`],
  ['infra/value.ts', `import { createWorker } from '../functions/worker/worker.ts';`],
  ['infra/intake.ts', `import { createIntake } from '../functions/intake/intake.ts';`],
  ['local/aws/value.ts', `import { createWorker } from '../../functions/worker/worker.ts';`],
  ['infra/emulator.ts', `import { startStack } from '../local/stack.ts';`],
  ['infra/commands.ts', `import { run } from '../cli/rollcall.ts';`],
] as const;

const ALLOWED = [
  ['shared/job/neighbour.ts', `import type { Clock } from '../ports.ts';`],
  ['functions/worker/error.ts', `import { ConditionNotMet } from '../../shared/ports.ts';`],
  ['functions/worker/core.ts', `import type { Task } from '../../shared/job/task.ts';`],
  [
    'functions/coordinator/handler.ts',
    `import { s3Client } from '../../shared/aws/clients.ts';\nexport const region = [process.env['AWS_REGION'], s3Client];`,
  ],
  ['infra/type.ts', `import type { Worker } from '../functions/worker/worker.ts';`],
  ['local/aws/pool.ts', `import { pool } from './lambda/function-pool.ts';`],
  ['cli/environment.ts', `export const region = process.env['AWS_REGION'];`],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'rollcall-arrows-'));
let faultsByFile: Map<string, readonly string[]>;

beforeAll(() => {
  copyFileSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  for (const [path, text] of [...REFUSED, ...ALLOWED]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }
  faultsByFile = lint();
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('the lint rules', () => {
  it.each(REFUSED)('refuse in %s: %s', (path) => {
    expect(faultsByFile.get(path)).toContainEqual(expect.stringMatching(/no-restricted-imports|no-process-env/));
  });

  it.each(ALLOWED)('let stand in %s: %s', (path) => {
    const faults = faultsByFile.get(path) ?? [];

    expect(faults.filter((fault) => /no-restricted-imports|no-process-env/.test(fault))).toEqual([]);
  });
});

function lint(): Map<string, readonly string[]> {
  const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const { diagnostics } = JSON.parse(
    outputOf(() => execFileSync(process.execPath, [oxlint, '-f', 'json'], options)),
  ) as {
    readonly diagnostics: readonly { readonly filename: string; readonly code: string }[];
  };
  return new Map(
    Object.entries(Object.groupBy(diagnostics, ({ filename }) => filename)).map(([path, faults = []]) => [
      path,
      faults.map(({ code }) => code),
    ]),
  );
}

const options = { cwd: folder, encoding: 'utf8' } as const;

/** What a command printed that found something, and so ended with 1. */
function outputOf(run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string') return error.stdout;
    throw error;
  }
}
