import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Debian's chromium, which `.ci/run` installs; where there is none the tests that need it are skipped. */
const CHROMIUM = '/usr/bin/chromium';

/** Whether there is a browser to test with. */
export const hasBrowser = existsSync(CHROMIUM);

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const startBrowser = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: QUIET });

/** The sizes and schemes in which a page is looked at. */
export const VIEWS = [
  { name: 'desktop-light', width: 1_280, height: 900, colorScheme: 'light' },
  { name: 'desktop-dark', width: 1_280, height: 900, colorScheme: 'dark' },
  { name: 'phone-light', width: 320, height: 640, colorScheme: 'light' },
  { name: 'phone-dark', width: 320, height: 640, colorScheme: 'dark' },
] as const;

export type View = (typeof VIEWS)[number];

/** A page that was opened, and everything that it should not have done. */
export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests, dialogs, errors, and what its policy kept from happening. */
  readonly misdeeds: readonly string[];
}

/** Opens a file as somebody does who has downloaded it; with the policy off where a test has to bring a script of its own. */
export async function openFile(browser: Browser, path: string, view: View, bypassCSP = false): Promise<Opened> {
  const { width, height, colorScheme } = view;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP });
  const page = await context.newPage();
  const misdeeds: string[] = [];
  page.on('request', (request) => request.url() === `file://${path}` || misdeeds.push(`request ${request.url()}`));
  page.on('dialog', (dialog) => {
    misdeeds.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => misdeeds.push(`error ${error.message}`));
  page.on('console', (message) => message.type() === 'error' && misdeeds.push(`console ${message.text()}`));
  await page.goto(`file://${path}`);
  return { page, context, misdeeds };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds of levels A and AA: the rule, and the element. */
export async function findBarriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    // The script above has put it there.
    const { axe } = globalThis as unknown as { readonly axe: typeof import('axe-core') };
    const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  });
}
