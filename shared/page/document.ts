import { createHash } from 'node:crypto';

import type { Place } from '../job/commands.ts';
import { markup, Html } from './html.ts';

/** What a page is made of besides its words: made at the bundling, for a page loads nothing. */
export interface PageAssets {
  readonly style: string;
  /** By page. */
  readonly scripts: Readonly<Record<'report' | 'status', string>>;
}

/** What every page of a pipeline has in common. */
export interface PageParts {
  readonly assets: PageAssets;
  readonly place: Place;
}

interface Frame {
  readonly title: string;
  readonly style: string;
  readonly script: string;
}

/** The begin of a page, up to the content of its `main`. Its policy lets run what we wrote and nothing that a cell smuggles in, and lets it load nothing. */
export const beginPage = ({ title, style, script }: Frame): Html =>
  markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policyOf(style, script)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        <style>${new Html(style)}</style>
      </head>
      <body>
        <main>`;

/** The end of a page. */
export const endPage = ({ script }: Pick<Frame, 'script'>): Html =>
  markup`</main>
        <script>${new Html(script)}</script>
      </body>
    </html>
    `;

const policyOf = (style: string, script: string): string =>
  [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
