import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';

import { completeSettings } from '../../shared/settings.ts';
import type { Task } from '../../shared/job/messages.ts';
import { OPERATIONS } from '../../shared/operations/index.ts';
import { LIMITS, limitsTable } from './limits.ts';

const PAGE = fileURLToPath(new URL('../../docs/limits.md', import.meta.url));
const told = LIMITS.filter(({ says }) => says !== undefined);

describe('what a stage limits', () => {
  it.each(told.map((limit) => ({ ...limit, name: limit.setting })))(
    '$name: its excess is told',
    async ({ exceed, says }) => {
      expect(await exceed()).toMatch(says ?? /^$/);
    },
  );

  it('worker.callsUnderWay: its excess waits, and is applied', async () => {
    const limit = LIMITS.find(({ setting }) => setting === 'worker.callsUnderWay');

    expect(await limit?.exceed()).toBe('12 of 12 calls were answered, 3 of at most 3 at once');
  });

  it('is declared in the stage, each with a default', () => {
    const stage: unknown = completeSettings();
    for (const { setting } of LIMITS) {
      const value = setting.split('.').reduce((part: unknown, name) => Object(part)[name], stage);
      expect([setting, typeof value]).toEqual([setting, 'number']);
    }
    expect(LIMITS.map(({ setting }) => setting)).toEqual(
      expect.arrayContaining(Object.keys(completeSettings().limits).map((name) => `limits.${name}`)),
    );
  });

  it('stands in docs/limits.md (npm test -- test/limits -u writes it)', async () => {
    const page = readFileSync(PAGE, 'utf8').replace(
      /(<!-- table: limits -->\n).*?(<!-- \/table -->)/s,
      (_, open: string, close: string) => `${open}\n${limitsTable()}\n\n${close}`,
    );

    const written = await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE });
    await expect(written).toMatchFileSnapshot(PAGE);
  });
});

it('sends no row that is larger than an SQS message may be, whatever the stage allows', () => {
  const most = 65_535;
  expect(() => completeSettings({ limits: { cellCharacters: most + 1 } })).toThrow(/cellCharacters/);
  expect(completeSettings({ limits: { cellCharacters: most } }).limits.cellCharacters).toBe(most);

  const recipes = OPERATIONS.flatMap(({ cloud, dataCenter }) => [cloud, dataCenter]).filter(
    (recipe) => recipe !== undefined,
  );
  // Three bytes a character is what UTF-8 takes at most for one unit of UTF-16, and more than JSON takes for what it escapes here.
  const largest = recipes.map(({ columns }) =>
    JSON.stringify(taskWith(columns.map(({ name }) => [name, '€'.repeat(most)]))),
  );
  for (const body of largest) expect(Buffer.byteLength(body)).toBeLessThan(SQS_MESSAGE_BYTES);
});

const SQS_MESSAGE_BYTES = 1_048_576;

const taskWith = (cells: readonly (readonly [string, string])[]): Task => ({
  version: 2,
  kind: 'row',
  jobId: 'x'.repeat(53),
  target: 'x'.repeat(100),
  operation: 'email-change',
  row: 5_000_000,
  line: 5_000_000,
  cells: Object.fromEntries(cells),
  generation: 9,
  attempts: 9,
});
