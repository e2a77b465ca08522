import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

import { checkFile } from '../../cli/validate.ts';

const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rollcall-map-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function save(text: string): string {
  const path = join(folder, `${(files += 1)}.csv`);
  writeFileSync(path, text);
  return path;
}

const map = (...words: readonly string[]) =>
  new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [COMMAND, 'map', ...words], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });

// As Atlassian's exports are headed: users of a site, and groups of the REST API as a list.
const USERS =
  'User id,User name,email,User status\n557058:aaa,Ann Archer,ann@example.com,Active\n557058:bbb,Bob Baker,Bob@Example.com,Active\n557058:ccc,Twin,twin@example.com,Active\n557058:ddd,Twin,twin@example.com,Active\n';
const GROUPS =
  'groupId,name\n11111111-1111-4111-8111-111111111111,Support Team\n22222222-2222-4222-8222-222222222222,engineering\n';
const SECONDS = 20_000;

describe('map', () => {
  it(
    'fills in the ids of people and groups, and the file is one that would be taken',
    { timeout: SECONDS },
    async () => {
      const file = save(
        'Email;Group;Action;Note\nann@example.com;Support Team;add;x\nBOB@example.com;engineering;add;"a;b"\n',
      );
      const out = join(folder, 'mapped.csv');

      const { code, stdout } = await map(file, '--users', save(USERS), '--groups', save(GROUPS), '--out', out);

      expect(stdout).toContain(`Wrote 2 rows to ${out}.`);
      expect(code).toBe(0);
      expect(
        readFileSync(out, 'utf8')
          .replace(/^\uFEFF/, '')
          .split(/\r?\n/)
          .slice(0, 3),
      ).toEqual([
        'Email;Group;Action;Note;accountId;groupId',
        'ann@example.com;Support Team;add;x;557058:aaa;11111111-1111-4111-8111-111111111111',
        'BOB@example.com;engineering;add;"a;b";557058:bbb;22222222-2222-4222-8222-222222222222',
      ]);
      expect(await checkFile(out, 'membership', 'cloud')).toMatchObject({ isRefused: false, rows: 2, invalid: 0 });
    },
  );

  it(
    'lists who is not in the export, and who is there twice, and leaves their ids empty',
    { timeout: SECONDS },
    async () => {
      const file = save('email\nnobody@example.com\ntwin@example.com\nann@example.com\n');
      const { code, stdout } = await map(file, '--users', save(USERS), '--out', join(folder, 'some.csv'), '--json');

      expect(code).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({
        rows: 3,
        missed: [
          { line: 2, cell: 'nobody@example.com', found: 0 },
          { line: 3, cell: 'twin@example.com', found: 2 },
        ],
      });
    },
  );

  it('keeps an id that the file has already', { timeout: SECONDS }, async () => {
    const out = join(folder, 'kept.csv');
    await map(save('email,accountId\nann@example.com,mine\nbob@example.com,\n'), '--users', save(USERS), '--out', out);

    expect(readFileSync(out, 'utf8')).toContain('ann@example.com,mine');
    expect(readFileSync(out, 'utf8')).toContain('bob@example.com,557058:bbb');
  });

  it.each([
    ['no export', (file: string) => [file, '--out', join(folder, 'none.csv')], '--users, --groups'],
    [
      'an export without ids',
      (file: string) => [file, '--users', save('email\nann@example.com\n'), '--out', join(folder, 'x.csv')],
      'has no column accountId',
    ],
    [
      'a file without addresses',
      () => [save('who\nann\n'), '--users', save(USERS), '--out', join(folder, 'y.csv')],
      'has no column to look ids up by',
    ],
    ['an output that is there', (file: string) => [file, '--users', save(USERS), '--out', file], 'is there already'],
  ])('refuses %s, and says what to do', { timeout: SECONDS }, async (_what, words, why) => {
    const { code, stderr } = await map(...words(save('email\nann@example.com\n')));

    expect(code).toBe(1);
    expect(stderr).toContain(why);
  });
});
