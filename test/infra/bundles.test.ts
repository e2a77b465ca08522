import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { bundleOf } from '../../infra/bundles.ts';
import {
  completeSettings,
  FUNCTIONS,
  VARIABLE,
  writeEnvironment,
  type FunctionName,
  type Resources,
} from '../../shared/settings.ts';

const names = Object.keys(FUNCTIONS) as FunctionName[]; // the keys of a record over them

it.each(names)('loads the bundle of the %s alone, as Lambda would, with nothing installed beside it', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bundle-'));
  cpSync(bundleOf(name), folder, { recursive: true });

  const script = `console.log(typeof (await import('./index.mjs')).handler)`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { AWS_REGION: 'eu-central-1', ...environmentOf(name) },
  });

  expect(printed.trim()).toBe('function');
  rmSync(folder, { recursive: true });
});

it.each(names)('gives the %s a client of Secrets Manager only if it reads targets', (name) => {
  const code = readFileSync(join(bundleOf(name), 'index.mjs'), 'utf8');

  expect(code.includes('GetSecretValue')).toBe(['intake', 'planner', 'worker', 'notifier'].includes(name));
});

const environmentOf = (name: FunctionName): Record<string, string> => ({
  [VARIABLE]: writeEnvironment(name, completeSettings(), resources),
});

const resources = new Proxy({} as Resources, { get: (_, name) => String(name) }); // every resource is named for itself
