import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { gateKey, planChunkKey, REPORT_FILES, rowChunkKey, validationKey } from '../../../shared/job/keys.ts';
import { rowStatusOf, PENDING } from '../../../shared/job/row-status.ts';
import type { MemoryObjectStore } from '../../fakes/memory-object-store.ts';
import { request, start, summaryIn, table } from './start.ts';
import { change, FINISHED_AT, FOLDER, JOB, outcome } from './stopped-job.ts';

const REPORT_HEADER =
  'rollcall_line,rollcall_operation,rollcall_status,rollcall_code,rollcall_message,rollcall_http_status,rollcall_attempts,rollcall_trace_id,rollcall_finished_at';
const PLAN_HEADER =
  'rollcall_line,rollcall_operation,rollcall_plan,rollcall_code,rollcall_message,rollcall_before,rollcall_after';
const UNDO_HEADER = 'job,row,who,from,to,rollcall_line,rollcall_operation,rollcall_message';

describe('the report of a job', () => {
  it('accounts for every row, in the order and with the columns of the manifest', async () => {
    const { reporter, results, eventsQueue } = start({
      manifest:
        'Email,Department\r\na@x.test,Sales\r\nb@x.test,"R&D, Lab"\r\nc@x.test,\r\nd@x.test,HR\r\ne@x.test,HR\r\n',
      entries: [
        outcome({ row: 4, status: 'unprocessed', code: 'DUPLICATE', message: 'Asks the same as line 5.', attempts: 0 }),
        outcome({ row: 1, status: 'failed', code: 'USER_NOT_FOUND', httpStatus: 404, traceId: 'abc', attempts: 2 }),
        outcome({ row: 0, httpStatus: 200, traceId: 'def' }),
        outcome({ row: 2, status: 'invalid', code: 'INVALID_ROW', message: 'email is empty', attempts: 0 }),
        outcome({ row: 3, status: 'unchanged' }),
      ],
    });

    await reporter(request(1));

    const header = `\uFEFFEmail,Department,${REPORT_HEADER}\r\n`;
    const at = '2026-11-21T08:01:00.000Z';
    const failed = `b@x.test,"R&D, Lab",3,suspend,failed,USER_NOT_FOUND,Check the account id or e-mail address; invite the user first if they are new.,404,2,abc,${at}\r\n`;
    const invalid = `c@x.test,,4,suspend,invalid,INVALID_ROW,email is empty. Correct the cells that the message names.,,0,,${at}\r\n`;
    const duplicate = `e@x.test,HR,6,suspend,unprocessed,DUPLICATE,Asks the same as line 5. An earlier row asks for the same; nothing to do.,,0,,${at}\r\n`;
    const changed = `a@x.test,Sales,2,suspend,changed,,,200,1,def,${at}\r\n`;
    const unchanged = `d@x.test,HR,5,suspend,unchanged,,,,1,,${at}\r\n`;
    expect(results.textOf(`${FOLDER}results.csv`)).toBe(header + changed + failed + invalid + unchanged + duplicate);
    expect(results.textOf(`${FOLDER}failed.csv`)).toBe(header + failed + invalid);
    expect(results.textOf(`${FOLDER}unprocessed.csv`)).toBe(header + duplicate);
    expect(summaryIn(results)).toMatchObject({
      state: 'completed',
      revision: 1,
      counts: { rows: 5, changed: 1, unchanged: 1, failed: 1, invalid: 1, unprocessed: 1 },
      codes: { USER_NOT_FOUND: 1, INVALID_ROW: 1, DUPLICATE: 1 },
    });
    expect(summaryIn(results).problems).toBeUndefined();
    expect(eventsQueue.events).toMatchObject([{ type: 'reported', jobId: JOB.id, revision: 1 }]);
  });

  it('keeps promise 1, conservation, whatever became of the rows', async () => {
    const endings = fc.constantFrom(
      { status: 'changed' } as const,
      { status: 'unchanged' } as const,
      { status: 'failed', code: 'FORBIDDEN' } as const,
      { status: 'invalid', code: 'INVALID_ROW' } as const,
      { status: 'unprocessed', code: 'DUPLICATE' } as const,
      undefined,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(endings, { minLength: 1, maxLength: 30 }), async (rows) => {
        const { reporter, results } = start({
          manifest: `email\n${rows.map((_ending, row) => `p${row}@x.test\n`).join('')}`,
          entries: rows.flatMap((ending, row) => (ending ? [outcome({ row, ...ending })] : [])),
          rowStatuses: rows.map((ending) =>
            ending ? rowStatusOf(ending.status, 'code' in ending ? ending.code : undefined) : PENDING,
          ),
          state: { state: 'cancelled' },
        });

        await reporter(request(1));

        const { state, counts } = summaryIn(results);
        const lines = (file: string) => table(results, file).length - 1;
        expect(state).toBe('cancelled');
        expect(counts.changed + counts.unchanged + counts.failed + counts.invalid + counts.unprocessed).toBe(
          rows.length,
        );
        expect(
          table(results, 'results.csv')
            .slice(1)
            .map(([email]) => email),
        ).toEqual(rows.map((_, row) => `p${row}@x.test`));
        expect(lines('failed.csv')).toBe(counts.failed + counts.invalid);
        expect(lines('unprocessed.csv')).toBe(counts.unprocessed);
      }),
      { numRuns: 40 },
    );
  });

  it('has all of its files, with the header alone where no row belongs in them', async () => {
    const { reporter, results } = start({ manifest: 'email\na@x.test\n', entries: [outcome({ row: 0 })] });

    await reporter(request(1));

    expect(results.textOf(`${FOLDER}failed.csv`)).toBe(`\uFEFFemail,${REPORT_HEADER}\r\n`);
    expect(results.textOf(`${FOLDER}unprocessed.csv`)).toBe(`\uFEFFemail,${REPORT_HEADER}\r\n`);
    for (const file of REPORT_FILES) expect([...results.objects.keys()]).toContain(`${FOLDER}${file}`);
  });

  it('writes its summary after everything else', async () => {
    const { reporter, results } = start({ manifest: 'email\na@x.test\n', entries: [outcome({ row: 0 })] });

    await reporter(request(1));

    expect([...results.objects.keys()].at(-1)).toBe(`${FOLDER}summary.json`);
  });

  it('keeps the delimiter of the manifest, and takes the columns of an earlier report out', async () => {
    const { reporter, results } = start({
      manifest: 'email;ROLLCALL_STATUS;note;rollcall_message\na@x.test;failed;"a;b";old\n',
      validation: { delimiter: ';' },
      entries: [outcome({ row: 0 })],
    });

    await reporter(request(1));

    expect(table(results, 'results.csv', ';')).toEqual([
      ['email', 'note', ...REPORT_HEADER.split(',')],
      ['a@x.test', 'a;b', '2', 'suspend', 'changed', '', '', '', '1', '', '2026-11-21T08:01:00.000Z'],
    ]);
  });

  it('names a delimiter that nobody could tell by looking', async () => {
    const manifest = 'sep=^\nemail^note\na@x.test^"a^b"\n';
    const { reporter, results } = start({ manifest, validation: { delimiter: '^' }, entries: [outcome({ row: 0 })] });

    await reporter(request(1));

    const [separator, header, row] = results.textOf(`${FOLDER}results.csv`).split('\r\n');
    expect(separator).toBe('\uFEFFsep=^');
    expect(header).toBe(`email^note^${REPORT_HEADER.replaceAll(',', '^')}`);
    expect(row).toMatch(/^a@x\.test\^"a\^b"\^/);
  });

  it('gives a row as many cells as the header has, and hides none', async () => {
    const { reporter, results } = start({
      manifest: 'email,note\na@x.test\nb@x.test,one,two,three\nc@x.test,one,,\n',
      entries: [0, 1, 2].map((row) => outcome({ row })),
    });

    await reporter(request(1));

    expect(table(results, 'results.csv').map((cells) => cells.slice(0, 3))).toEqual([
      ['email', 'note', 'rollcall_line'],
      ['a@x.test', '', '2'],
      ['b@x.test', 'one,two,three', '3'],
      ['c@x.test', 'one', '4'],
    ]);
  });

  it('holds no cell that a spreadsheet would run, and one that is dropped in again keeps its cells', async () => {
    const cells = ['=1+1', "'=1", '@x', "'quoted", '-5'];
    const entries = cells.map((_cell, row) => outcome({ row, status: 'failed', code: 'FORBIDDEN', message: '=cmd' }));
    const first = start({ manifest: `email,=note\n${cells.map((cell) => `a@x.test,${cell}\n`).join('')}`, entries });

    await first.reporter(request(1));
    const failed = first.results.textOf(`${FOLDER}failed.csv`);
    const second = start({ manifest: failed, validation: { escaped: true }, entries });
    await second.reporter(request(1));

    expect(table(first.results, 'failed.csv').map(([, note]) => note)).toEqual([
      "'=note",
      "'=1+1",
      "''=1",
      "'@x",
      "'quoted",
      "'-5",
    ]);
    expect(table(first.results, 'failed.csv')[1]?.[6]).toMatch(/^'=cmd/);
    expect(second.results.textOf(`${FOLDER}failed.csv`)).toBe(failed);
  });

  it.each([
    { state: 'halted', halt: { code: 'UNAUTHORIZED', message: 'Atlassian refuses the token.' }, code: 'HALTED' },
    { state: 'cancelled', halt: undefined, code: 'CANCELLED' },
    { state: 'cancelled', halt: { code: 'EXPIRED', message: 'Nobody resumed the job.' }, code: 'EXPIRED' },
  ] as const)('of a job that was $state calls the rows that it did not reach $code', async ({ state, halt, code }) => {
    const { reporter, results } = start({
      manifest: 'email\na@x.test\nb@x.test\n',
      entries: [outcome({ row: 0 })],
      rowStatuses: [rowStatusOf('changed'), PENDING],
      state: { state, halt },
    });

    await reporter(request(1));

    expect(table(results, 'unprocessed.csv')[1]?.slice(0, 5)).toEqual([
      'b@x.test',
      '3',
      'suspend',
      'unprocessed',
      code,
    ]);
    expect(table(results, 'unprocessed.csv')[1]?.at(-1)).toBe(FINISHED_AT);
    expect(summaryIn(results)).toMatchObject({
      state,
      counts: { rows: 2, changed: 1, unprocessed: 1 },
      codes: { [code]: 1 },
    });
    expect(summaryIn(results).halt).toEqual(halt);
  });

  it('of a refused manifest names its problems', async () => {
    const problems = [{ line: 4, message: 'A quote is opened and never closed.' }];
    const { reporter, results, eventsQueue } = start({
      entries: [],
      state: { state: 'rejected', problems, manifest: undefined },
    });

    await reporter(request(1));

    expect(summaryIn(results)).toMatchObject({ state: 'rejected', problems });
    for (const file of ['results.csv', 'failed.csv', 'unprocessed.csv'])
      expect(results.textOf(`${FOLDER}${file}`)).toBe(`\uFEFF${REPORT_HEADER}\r\n`);
    expect(results.textOf(`${FOLDER}plan.csv`)).toBe(`\uFEFF${PLAN_HEADER}\r\n`);
    expect(results.textOf(`${FOLDER}undo.csv`)).toBe(`\uFEFF${UNDO_HEADER}\r\n`);
    expect(eventsQueue.events).toHaveLength(1);
  });

  it('of a key that named no target lies under rejected/', async () => {
    const { reporter, results } = start({
      entries: [],
      state: {
        job: { ...JOB, target: '' },
        state: 'rejected',
        problems: [{ message: 'No target.' }],
        manifest: undefined,
      },
    });

    await reporter(request(1));

    expect([...results.objects.keys()]).toContain(`rejected/${JOB.id}/summary.json`);
  });

  it.each([
    ['is gone', (results: MemoryObjectStore) => results.delete(rowChunkKey(JOB.id, 1))],
    ['was altered', (results: MemoryObjectStore) => results.write(rowChunkKey(JOB.id, 1), gzipSync('{}\n'))],
    ['is gone with the validation', (results: MemoryObjectStore) => results.delete(validationKey(JOB.id))],
    ['has no plan any more', (results: MemoryObjectStore) => results.delete(planChunkKey(JOB.id, 1, 1))],
    ['has an altered plan', (results: MemoryObjectStore) => results.write(planChunkKey(JOB.id, 1, 1), gzipSync(''))],
    ['has an altered gate', (results: MemoryObjectStore) => results.write(gateKey(JOB.id, 1), '{}')],
  ])('is not written, and the request comes back, when a row chunk %s', async (_what, spoil) => {
    const entries = [0, 1, 2].map((row) => outcome({ row }));
    const manifest = 'email\na@x.test\nb@x.test\nc@x.test\n';
    const { reporter, results, eventsQueue } = start({ manifest, entries, plans: [0, 1, 2].map((row) => change(row)) });
    await spoil(results);

    const answer = await reporter(request(1));

    expect(answer.batchItemFailures).toHaveLength(1);
    expect(results.objects.has(`${FOLDER}results.csv`)).toBe(false);
    expect(eventsQueue.events).toEqual([]);
  });

  it.each([
    ['fewer', 'email\na@x.test\n', 'changed 1'],
    ['more', 'email\na@x.test\nb@x.test\nc@x.test\n', 'unprocessed 1'],
  ])(
    'is broken when the manifest has %s rows than were validated, and says which figures',
    async (_how, manifest, figure) => {
      const { reporter, results } = start({ manifest, entries: [outcome({ row: 0 }), outcome({ row: 1 })] });

      await reporter(request(1));

      const { state, problems } = summaryIn(results);
      expect(state).toBe('broken');
      expect(problems?.at(-1)?.message).toContain('2 rows, but');
      expect(problems?.at(-1)?.message).toContain(figure);
    },
  );

  it('is broken when events queue and state do not say the same of a row', async () => {
    const { reporter, results } = start({
      manifest: 'email\na@x.test\n',
      entries: [outcome({ row: 0 })],
      rowStatuses: [rowStatusOf('unchanged')],
    });

    await reporter(request(1));

    expect(summaryIn(results)).toMatchObject({
      state: 'broken',
      problems: [{ message: expect.stringContaining('1 rows, the first of them row 1') }],
    });
  });

  it('can be written again and is the same', async () => {
    const { reporter, results } = start({ manifest: 'email\na@x.test\n', entries: [outcome({ row: 0 })] });
    await reporter(request(1));
    const before = new Map(results.objects);

    await reporter(request(1));

    expect(results.objects).toEqual(before);
  });
});
