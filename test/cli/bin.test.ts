import { execFileSync } from 'node:child_process';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import rollcall from '../../package.json' with { type: 'json' };

it('prints what a command prints and nothing else, through a link as npm makes one', () => {
  const bin = fileURLToPath(new URL(`../../${rollcall.bin.rollcall}`, import.meta.url));
  const link = join(mkdtempSync(join(tmpdir(), 'rollcall-bin-')), 'rollcall');
  symlinkSync(bin, link);

  const printed = execFileSync(link, ['--version'], { encoding: 'utf8' });

  expect(printed).toBe(`${rollcall.version}\n`);
});
