import { execFileSync } from 'node:child_process';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import rollcall from '../../package.json' with { type: 'json' };

const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));

it('prints what a command prints and nothing else, through a link as npm makes one', () => {
  const bin = fileURLToPath(new URL(`../../${rollcall.bin.rollcall}`, import.meta.url));
  const link = join(mkdtempSync(join(tmpdir(), 'rollcall-bin-')), 'rollcall');
  symlinkSync(bin, link);

  const printed = execFileSync(link, ['--version'], { encoding: 'utf8' });

  expect(printed).toBe(`${rollcall.version}\n`);
});

it.each([
  [['--help'], ['0', '1', '2', '3', '130']],
  [
    ['run', '--help'],
    ['0', '1', '2', '3', '130'],
  ],
  [
    ['verify', '--help'],
    ['0', '1', '2'],
  ],
])(
  'lists below %j what the command exits with',
  (words, codes) => {
    const help = execFileSync(process.execPath, [COMMAND, ...words], { encoding: 'utf8' });

    const [, exits = ''] = help.split('Exit codes:\n');
    expect(Array.from(exits.matchAll(/^ {2}(\d+) +\S/gm), ([, code]) => code)).toEqual(codes);
  },
  30_000,
);
