import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { gatherPageRows } from '../../functions/reporter/page-rows.ts';
import type { ReportedRow } from '../../functions/reporter/reported-rows.ts';
import { bundlePageAssets } from '../../infra/bundles.ts';
import type { Code, Status } from '../../shared/job/outcome.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { MOST_ROWS, renderReport } from '../../shared/page/report-page.ts';
import { renderStatus } from '../../shared/page/status-page.ts';
import { HOSTILE_TEXTS } from '../corpus/hostile-cells.ts';
import { PAGE } from '../fakes/page-parts.ts';
import { findBarriers, hasBrowser, openFile, startBrowser, VIEWS } from './browser.ts';
import { COMPLETED, RUNNING, WAITING } from './summaries.ts';

const PARTS = { ...PAGE, assets: bundlePageAssets() };
const folder = mkdtempSync(join(tmpdir(), 'rollcall-page-'));
/** Screenshots lie where nothing is committed, unless those of the README are asked for. */
const SHOTS = fileURLToPath(new URL('../../coverage/pages/', import.meta.url));
const [DESKTOP, , , PHONE] = VIEWS;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STATUSES: readonly Status[] = ['changed', 'unchanged', 'failed', 'invalid', 'unprocessed'];

/** What would be more than text in a careless page. */
const MARKUP = [
  '<script>alert(1)</script>',
  '</script><script>alert(1)</script>',
  '<!--<script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '<svg/onload=alert(1)>',
  '<iframe src="https://example.com"></iframe>',
  '<base href="https://example.com/">',
  '<meta http-equiv="refresh" content="0;url=https://example.com">',
  '<link rel="stylesheet" href="https://example.com/a.css">',
  '<style>@import "https://example.com/a.css"</style>',
  ']]>',
  '&lt;b&gt;',
  '{{constructor.constructor("alert(1)")()}}',
  '\u2028\u2029',
  '\u202egnp.exe',
];

/** A row as the reporter gives it to a page; its line is its number and one for the header. */
function rowOf(index: number, status: Status, message?: string): ReportedRow {
  const at = new Date(Date.parse(COMPLETED.startedAt) + (index % 90) * 1_000).toISOString();
  const code: Code | undefined =
    status === 'failed' ? 'USER_NOT_FOUND' : status === 'invalid' ? 'INVALID_ROW' : undefined;
  const outcome = { row: index, line: index + 2, generation: 0, status, code, message, attempts: 1, finishedAt: at };
  return {
    row: index,
    line: index + 2,
    cells: [],
    outcome,
    plan: undefined,
    given: undefined,
    mayHaveChanged: false,
    after: undefined,
  };
}

interface Made {
  readonly summary?: Summary;
  readonly rows: number;
  readonly cellsOf?: (index: number) => readonly string[];
  readonly statusOf?: (index: number) => Status;
  readonly names?: readonly string[];
}

async function makeReport({
  summary = COMPLETED,
  rows,
  cellsOf = (index) => [`user${index}@example.com`, 'engineering'],
  statusOf = (index) => STATUSES[index % STATUSES.length] ?? 'changed',
  names = ['email', 'group'],
}: Made): Promise<string> {
  const page = gatherPageRows({ operation: 'membership', rows, names, waits: [[1_795_770_030, 1_795_770_050]] });
  for (let index = 0; index < rows; index += 1) page.add(rowOf(index, statusOf(index)), cellsOf(index));
  const counts = { ...summary.counts, rows };
  return renderReport({ summary: { ...summary, counts }, columns: page.columns, ...page.total(), ...PARTS });
}

let files = 0;
function save(text: string): string {
  const path = join(folder, `${(files += 1)}.html`);
  writeFileSync(path, text);
  return path;
}

describe('report.html', () => {
  it('is under 300 KB without rows', async () => {
    expect(Buffer.byteLength(await makeReport({ rows: 0 }))).toBeLessThan(300_000);
  });

  it('holds the rows that failed where there are too many for a page, and says so', async () => {
    const rows = MOST_ROWS + 10;
    const text = await makeReport({ rows, statusOf: (index) => (index === 5 ? 'failed' : 'changed') });

    expect(text).toContain('The file has 100,010 rows, too many for a page: here are 1 that failed');
  });

  it('grows no further, however long the job and its cells are', async () => {
    const wide = 'x'.repeat(30_000);
    const page = gatherPageRows({
      operation: 'membership',
      rows: 20,
      names: Array.from({ length: 900 }, String),
      waits: [],
    });
    for (let index = 0; index < 20; index += 1) page.add(rowOf(index * 90_000, 'changed'), Array(900).fill(wide));
    const { rows, timeline } = page.total();

    expect(page.columns).toHaveLength(16);
    expect(rows.length).toBeLessThan(20_000);
    expect(timeline.rows.length).toBeLessThanOrEqual(600);
  });
});

describe.skipIf(!hasBrowser)('a page in Chromium (skipped where there is no /usr/bin/chromium)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
    mkdirSync(SHOTS, { recursive: true });
  });
  afterAll(() => browser.close());

  const PAGES: Readonly<Record<string, () => Promise<string>>> = {
    completed: () => makeReport({ rows: 240 }),
    waiting: () => makeReport({ summary: WAITING, rows: 60 }),
    refused: async () =>
      makeReport({
        summary: {
          ...COMPLETED,
          state: 'rejected',
          plan: undefined,
          failures: [],
          problems: [{ line: 1, message: 'the column "emial" looks like "email" misspelt; rename it to that' }],
        },
        rows: 0,
      }),
    status: async () => renderStatus({ summary: RUNNING, perSecond: 8.25, ...PARTS }),
  };

  describe.each(Object.keys(PAGES))('%s', (name) => {
    it.each(VIEWS)('has no barrier, loads nothing and fits the width on $name', async (view) => {
      const path = save((await PAGES[name]?.()) ?? '');
      const { page, context, misdeeds } = await openFile(browser, path, view);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(SHOTS, `${name}-${view.name}.png`), fullPage: true });
      const [scrolls, fits] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      expect(scrolls).toBeLessThanOrEqual(fits ?? 0);
      expect(misdeeds).toEqual([]);
      await context.close();

      const looked = await openFile(browser, path, view, true);
      await looked.page.waitForTimeout(300);
      expect(await findBarriers(looked.page)).toEqual([]);
      await looked.context.close();
    });
  });

  it('says everything but the rows and the plot without its script', async () => {
    const { page, context } = await openFile(browser, save(await makeReport({ rows: 40 })), DESKTOP);
    const words = await page.evaluate(() => document.body.innerText);
    await context.close();

    for (const said of [
      'Finished, 5 of 40 rows failed',
      'USER_NOT_FOUND',
      'Lines 3, 7, 9, 14',
      'npx rollcall undo 1b5fa10c2d3e',
    ])
      expect(words).toContain(said);
  });

  it('finds rows by status, code and text, and turns pages by keyboard', async () => {
    const { page, context } = await openFile(browser, save(await makeReport({ rows: 1_000 })), DESKTOP);
    const said = page.getByRole('status');
    const shown = page.locator('tbody tr');
    await said.waitFor();
    expect(await said.innerText()).toBe('Rows 1 to 100 of 1,000.');

    await page.getByRole('button', { name: 'Later rows' }).focus();
    await page.keyboard.press('Enter');
    expect(await said.innerText()).toBe('Rows 101 to 200 of 1,000.');
    expect(await shown.first().locator('td').first().innerText()).toBe('102');

    await page.getByLabel('Status').selectOption('failed');
    expect(await said.innerText()).toBe('Rows 1 to 100 of 200 found among 1,000.');
    await page.getByLabel('Search').fill('USER12@');
    expect(await shown.allInnerTexts()).toEqual([expect.stringContaining('user12@example.com')]);
    await page.getByLabel('Code').selectOption('INVALID_ROW');
    expect(await said.innerText()).toBe('No row is like that.');
    await context.close();
  });

  it('reaches every control by the keyboard, in order', async () => {
    const { page, context } = await openFile(browser, save(await makeReport({ rows: 300 })), DESKTOP);
    await page.getByRole('status').waitFor();
    const reached: string[] = [];
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement?.tagName ?? ''));
    }
    await context.close();

    expect(reached.slice(0, 7)).toEqual(['PRE', 'PRE', 'SELECT', 'SELECT', 'INPUT', 'DIV', 'BUTTON']);
  });

  it('shows a hundred thousand rows, a hundred at a time', async () => {
    const path = save(await makeReport({ rows: MOST_ROWS }));
    const { page, context } = await openFile(browser, path, DESKTOP);
    const painted = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => resolve(list.getEntries()[0]?.startTime ?? NaN)).observe({
            type: 'paint',
            buffered: true,
          });
        }),
    );
    await page.getByRole('status').waitFor({ timeout: 30_000 });
    console.log(`100,000 rows: first painted after ${Math.round(painted)} ms`);

    expect(await page.getByRole('status').innerText()).toBe('Rows 1 to 100 of 100,000.');
    expect(await page.locator('tbody tr').count()).toBe(100);
    await context.close();
  }, 60_000);

  it('keeps every hostile cell of the corpus inert, wherever a page shows text', async () => {
    const cells = [...HOSTILE_TEXTS, ...MARKUP];
    const hostile: Summary = {
      ...COMPLETED,
      reason: cells.join(' '),
      manifest: { ...COMPLETED.manifest, key: cells.join('/'), encoding: '"><script>alert(1)</script>' },
      actors: cells.map((principal) => ({ action: 'approve', principal, at: COMPLETED.startedAt })),
      problems: cells.map((message) => ({ line: 1, message })),
    };
    const text = await makeReport({
      summary: hostile,
      rows: cells.length,
      names: ['</script><script>alert(2)</script>', '<img src=x onerror=alert(3)>'],
      cellsOf: (index) => [cells[index] ?? '', cells[index] ?? ''],
    });
    const { page, context, misdeeds } = await openFile(browser, save(text), DESKTOP);
    await page.getByRole('status').waitFor();
    const shown = await page
      .locator('tbody tr td:nth-child(5)')
      .evaluateAll((all) => all.map((cell) => cell.textContent));
    const elements = await page.evaluate(
      () => document.querySelectorAll('img, iframe, object, form, script[src], [onerror]').length,
    );
    const pages = await page.evaluate(() => document.title);
    await context.close();

    expect(misdeeds).toEqual([]);
    expect(elements).toBe(0);
    expect(pages).toMatch(/^Rollcall: Finished/);
    const whole = cells
      .slice(0, 100)
      .map((cell) => (cell.length > 200 ? `${cell.slice(0, 200).toWellFormed()}…` : cell));
    expect(shown).toEqual(whole.map((cell) => cell.toWellFormed()));
  });

  it('makes the two pictures of the README where ROLLCALL_PICTURES asks for them', async () => {
    const pictures = process.env['ROLLCALL_PICTURES'];
    const where = pictures === undefined ? SHOTS : fileURLToPath(new URL('../../docs/images/', import.meta.url));
    mkdirSync(where, { recursive: true });
    const path = save(await makeReport({ rows: 19 }));
    for (const [view, name] of [
      [DESKTOP, 'report.png'],
      [PHONE, 'report-phone.png'],
    ] as const) {
      const { page, context } = await openFile(browser, path, view);
      await page.waitForTimeout(500);
      const picture = await page.screenshot({ path: join(where, name) });
      expect(picture.length).toBeLessThan(100_000);
      await context.close();
    }
  });
});
