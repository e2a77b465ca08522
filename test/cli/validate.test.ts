import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

import { renderTemplate } from '../../cli/template.ts';
import { checkFile } from '../../cli/validate.ts';
import { OPERATIONS } from '../../shared/operations/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-validate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function save(text: string | Uint8Array): string {
  const path = join(folder, `${(files += 1)}.csv`);
  writeFileSync(path, text);
  return path;
}

describe('validate', () => {
  it('finds every invalid row of a file, with its line, and changes nothing of the file', async () => {
    const text = 'email;Department\nann@example.com;A\nnobody;B\n\nbob@example.com;C\n#N/A;D\n';
    const path = save(text);

    const checked = await checkFile(path, 'suspend', 'cloud');

    expect(checked).toMatchObject({
      isRefused: false,
      rows: 4,
      invalid: 2,
      delimiter: ';',
      carriedColumns: ['Department'],
    });
    expect(checked.problems.map(({ line }) => line)).toEqual([3, 6]);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('says why a file as a whole is refused', async () => {
    const checked = await checkFile(save('emial\nann@example.com\n'), 'suspend', 'cloud');

    expect(checked).toMatchObject({
      isRefused: true,
      problems: [{ line: 1, message: expect.stringMatching(/"emial"/) }],
    });
  });

  it('reads a file that is no UTF-8 as the pipeline does', async () => {
    const latin = Buffer.concat([
      Buffer.from('email,Name\nann@example.com,J'),
      Buffer.from([0xfc]),
      Buffer.from('rgen\n'),
    ]);

    expect(await checkFile(save(latin), 'suspend', 'cloud')).toMatchObject({
      encoding: 'windows-1252',
      rows: 1,
      invalid: 0,
    });
  });

  it('knows no target: what only one can tell is not checked', async () => {
    const checked = await checkFile(save('email,products\nann@example.com,\n'), 'creation', 'cloud');

    expect(checked.isRefused).toBe(false);
  });

  it.each(['cloud/membership/team-changes.csv', 'cloud/suspend/leavers.csv'])(
    'finds in %s what the report says',
    async (file) => {
      const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
      const checked = await checkFile(path, file.split('/')[1] ?? '', 'cloud');

      expect(checked.invalid).toBe(1);
    },
  );
});

const KINDS = OPERATIONS.flatMap((operation) => [
  ...(operation.cloud ? [[operation.name, 'cloud'] as const] : []),
  ...(operation.dataCenter ? [[operation.name, 'data-center'] as const] : []),
]);

it.each(KINDS)('the template of %s on %s is a file that would be taken whole', async (operation, type) => {
  const checked = await checkFile(save(renderTemplate(operation, type)), operation, type);

  expect(checked).toMatchObject({ isRefused: false, rows: 1, invalid: 0, carriedColumns: [], problems: [] });
});
