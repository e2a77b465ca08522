import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { requestOf, start } from './start.ts';

const KEY = 'acme/membership/joiners.csv';
const ROW = 'ann@acme.example,staff\n';

describe('a manifest that cannot be applied is refused with the line and the remedy', () => {
  it.each<{ what: string; manifest: string | Buffer; line?: number; says: RegExp }>([
    { what: 'an empty file', manifest: '', says: /empty; put a header/ },
    { what: 'a file of blank lines', manifest: '\uFEFF\r\n\r\n , \r\n', says: /empty; put a header/ },
    { what: 'no header', manifest: ROW, line: 1, says: /no header.*put one above the rows.*email/ },
    {
      what: 'a missing column',
      manifest: 'email,office\n',
      line: 1,
      says: /column is missing: add groupId .* or groupName/,
    },
    {
      what: 'a doubled column',
      manifest: 'email,E-Mail Address,group\n',
      line: 1,
      says: /"email" and "E-Mail Address" both mean email; keep one/,
    },
    {
      what: 'a misspelt column',
      manifest: '\n\nemial,group\n',
      line: 3,
      says: /"emial" looks like "email" misspelt; rename it/,
    },
    {
      what: 'a misspelt optional column',
      manifest: 'email,group,actoin\n',
      line: 1,
      says: /"actoin" looks like "action" misspelt/,
    },
    {
      what: 'an unclosed quote',
      manifest: `email,group\n${ROW}"ann@acme.example,staff\n${ROW}`,
      line: 3,
      says: /quote opens here and is never closed; close it/,
    },
    {
      what: 'an unclosed quote in a later cell',
      manifest: `email,group\n"a\nb","staff\n${ROW}`,
      line: 3,
      says: /quote opens here/,
    },
    {
      what: 'a quote that another row seems to close',
      manifest: `email,group\n"ann@acme.example,staff\n"bob@acme.example",staff\n`,
      line: 2,
      says: /quote opens here/,
    },
    { what: 'a workbook', manifest: Buffer.from('PK\u0003\u0004rest'), says: /Excel workbook.*save it as "CSV UTF-8"/ },
    { what: 'an old workbook', manifest: Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1]), says: /old Excel workbook/ },
    {
      what: 'binary',
      manifest: Buffer.from('email\0group'),
      says: /no text: there is a zero byte at offset 5; .*save it/,
    },
    { what: 'UTF-32', manifest: Buffer.from([0xff, 0xfe, 0, 0, 0x65, 0, 0, 0]), says: /text in UTF-32.*save it/ },
    {
      what: 'text behind a quote of the header',
      manifest: `"email" old,group\n${ROW}`,
      line: 1,
      says: /Cell 1 goes on after its closing quote; double/,
    },
    {
      what: 'UTF-16 without a byte order mark',
      manifest: Buffer.from('email,group', 'utf16le'),
      says: /zero byte at offset 1/,
    },
    {
      what: 'a row over the limit',
      manifest: `email,group\n${ROW}${'x'.repeat(3_000)},staff\n`,
      line: 3,
      says: /more than the 2000 bytes that are allowed; shorten/,
    },
    {
      what: 'a row over the limit that never ends',
      manifest: `email,group\n${ROW}${'x'.repeat(300_000)}`,
      line: 3,
      says: /more than the 2000 bytes/,
    },
    {
      what: 'an unclosed quote in the header',
      manifest: `"email,group\n${ROW}${ROW}`,
      line: 1,
      says: /quote opens here and is never closed; close it/,
    },
    {
      what: 'an unclosed quote in the header that a later row seems to close',
      manifest: `"email,group\n${ROW}ann@acme.example,"C++ Guild"\n`,
      line: 1,
      says: /quote opens here and is never closed; close it/,
    },
    {
      what: 'an unclosed quote over the limit',
      manifest: `email,group\n${ROW}"${ROW.repeat(9_000)}`,
      line: 3,
      says: /quote opens here/,
    },
    {
      what: 'too many rows',
      manifest: `email,group\n${ROW.repeat(250)}`,
      line: 102,
      says: /about 2\d\d rows, more than the 100 that are allowed; split it into 3 files of at most 100 rows, each with/,
    },
    {
      what: 'too many columns',
      manifest: `email,group${',x'.repeat(20)}\n`,
      line: 1,
      says: /22 columns, more than the 20/,
    },
    {
      what: 'a file over the limit',
      manifest: `email,group\n${'\n'.repeat(500_000)}`,
      says: /500012 bytes, more than the 400000.*split/,
    },
    {
      what: 'bytes that are not the UTF-8 that they say they are',
      manifest: Buffer.concat([Buffer.from(`\uFEFFemail,group\n${ROW}`), Buffer.from('caf\u00E9,staff', 'latin1')]),
      line: 3,
      says: /not UTF-8.*save/,
    },
  ])('$what', async ({ manifest, line, says }) => {
    const { upload, problems, happened } = start({
      limits: { rowBytes: 2_000, rows: 100, columns: 20, manifestBytes: 400_000 },
    });

    await upload(KEY, manifest);

    expect(happened().at(-1)).toBe('rejected');
    expect(problems()).toHaveLength(1);
    expect(problems()[0]?.line).toBe(line);
    expect(problems()[0]?.message).toMatch(says);
  });

  it('names everything that is wrong with a header at once', async () => {
    const { upload, problems } = start();

    await upload(KEY, 'emial,email address,Email,acton\n');

    expect(problems().map(({ message }) => message)).toEqual([
      expect.stringMatching(/both mean email/),
      expect.stringMatching(/"acton" looks like "action"/),
      expect.stringMatching(/a column is missing: add group/),
    ]);
  });

  it('refuses a file that is gone', async () => {
    const { deliver, problems } = start();

    await deliver([requestOf(KEY, 10)]);

    expect(problems()).toEqual([{ message: expect.stringMatching(/taken away before it was read; upload it again/) }]);
  });
});

it('fails, so that it comes again, when the file breaks off while it is read', async () => {
  const { inbox, deliver, happened } = start();
  const manifest = `email,group\n${ROW.repeat(10_000)}`;
  async function* broken() {
    yield Buffer.from(manifest);
    throw new Error('socket hang up');
  }
  Object.assign(inbox, {
    read: async () => ({ body: Readable.from(broken()), etag: '"1"', bytes: 2 * manifest.length, metadata: {} }),
  });

  const failed = await deliver([requestOf(KEY, 10)]);

  expect(failed).toEqual(['message-0']);
  expect(happened()).toEqual(['validating']);
});

it.each([
  ['a byte order mark of UTF-8', Buffer.from(`\uFEFFemail,group\n${ROW}bob@acme.example,st\0aff\n`)],
  ['UTF-16', Buffer.from(`\uFEFFemail,group\n${ROW}bob@acme.example,st\0aff\n`, 'utf16le')],
])('a zero in a file that says by %s that it is text is the fault of its row alone', async (_, manifest) => {
  const { upload, outcomesOf } = start();

  const jobId = await upload(KEY, manifest);

  expect(outcomesOf(jobId).map(({ line, code }) => [line, code])).toEqual([[3, 'INVALID_ROW']]);
});

it('takes a file of our own that became larger than its manifest could be', async () => {
  const { upload, happened, validationOf } = start({
    limits: { rowBytes: 100, columns: 3, cellCharacters: 20, manifestBytes: 200 },
  });
  const ours = 'rollcall_line,rollcall_status,rollcall_code,rollcall_message';
  const message = 'The row waits. '.repeat(10);

  const jobId = await upload(
    KEY,
    `email,group,note,${ours}\r\nann@acme.example,staff,'${'='.repeat(20)},2,unprocessed,,${message}\r\n`,
  );

  expect(happened().at(-1)).toBe('validated');
  expect(validationOf(jobId)).toMatchObject({ rows: 1, outcomeChunks: [] });
});

it('refuses a file without a sound row among the first twenty thousand before it tells of each', async () => {
  const { upload, problems, happened, results } = start();

  await upload(KEY, `email,group\n${'x,\n'.repeat(900_000)}`);

  expect(happened().at(-1)).toBe('rejected');
  expect(problems()).toEqual([
    {
      line: 20_001,
      message: expect.stringMatching(/none of the first 20,000 rows can be read.*email: "x" is not an e-mail/),
    },
  ]);
  const written = [...results.objects.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  expect(written).toBeLessThan(10 * 2 ** 20);
});
