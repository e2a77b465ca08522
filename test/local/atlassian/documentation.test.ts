import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { TABLES, withTables } from './simulator-tables.ts';

const PAGE = fileURLToPath(new URL('../../../docs/simulator.md', import.meta.url));

it('documents every route, switch, setting and default person of the simulator', async () => {
  const page = await readFile(PAGE, 'utf8');

  for (const name of Object.keys(TABLES)) expect(page).toContain(`<!-- table: ${name} -->`);
  await expect(withTables(page)).toMatchFileSnapshot(PAGE);
});
