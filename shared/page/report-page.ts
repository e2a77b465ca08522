import { commandsFor } from '../job/commands.ts';
import { isWaiting } from '../job/job.ts';
import { jobHash } from '../job/keys.ts';
import type { Summary } from '../job/summary.ts';
import { wordsFor } from '../job/words.ts';
import { beginPage, endPage, type PageParts } from './document.ts';
import { markup, Html, jsonOf } from './html.ts';
import { commands, countsBar, facts, failures, figure, headline, plan, reasons, rowsIn } from './sections.ts';
import type { Timeline } from './timeline.ts';

/** More rows than this are no page that anybody reads: they stay in results.csv. */
export const MOST_ROWS = 100_000;

interface Report extends PageParts {
  readonly summary: Summary;
  readonly timeline: Timeline;
  /** Names of the cells of the rows that are in the page. */
  readonly columns: readonly string[];
  /** How many rows the page holds: all of them, or of too many those that failed. */
  readonly rowsShown: number;
  /** The rows, as the page's script reads them: each line is lines of JSON arrays, gzipped, in base64. */
  readonly rows: string;
}

/** `report.markup`: what happened, in one file that loads nothing. */
export function renderReport({ summary, timeline, columns, rowsShown, rows, place, assets }: Report): string {
  const { title, sentences, next } = wordsFor({ summary, commands: commandsFor(jobHash(summary.job), place) });
  const where = [summary.operation, summary.target].filter((name) => name !== '').join(' on ');
  const full = where === '' ? title : `${title}: ${where}`;
  const frame = { title: `Rollcall: ${full}`, style: assets.style, script: assets.scripts.report };
  const undo =
    !isWaiting(summary.state) && summary.counts.changed > 0 ? [commandsFor(jobHash(summary.job), place).undo] : [];
  const body: readonly (Html | undefined)[] = [
    headline(full, sentences),
    countsBar(summary),
    reasons(summary),
    failures(summary),
    commands([...next, ...undo]),
    overTime(timeline),
    plan(summary),
    facts(summary),
    rowsSection({ columns, rowsShown, rows, all: summary.counts.rows }),
  ];
  return markup`${beginPage(frame)}${body}${endPage(frame)}`.text;
}

/** A plot for the eyes, and the same in a sentence. */
function overTime(timeline: Timeline): Html | undefined {
  const { rows, bucketSeconds, waits } = timeline;
  if (rows.length < 2) return undefined;
  const total = rows.reduce((sum, count) => sum + count, 0);
  const waited = waits.reduce((sum, [from, until]) => sum + until - from, 0);
  const seconds = rows.length * bucketSeconds;
  const most = Math.max(...rows) / bucketSeconds;
  const sentence = `${rowsIn(total)} in ${figure(seconds)} seconds, at most ${figure(Math.round(10 * most) / 10)} a second${
    waited > 0 ? `; ${figure(Math.round(waited))} seconds of waiting for Atlassian's rate are shaded` : ''
  }.`;
  return markup`<section aria-labelledby="time">
    <h2 id="time">Rows over time</h2>
    <figure>
      <div id="plot" aria-hidden="true"></div>
      <figcaption>${sentence}</figcaption>
    </figure>
    <script type="application/json" id="timeline">
      ${jsonOf(timeline)}
    </script>
  </section> `;
}

function rowsSection({
  columns,
  rowsShown,
  rows,
  all,
}: Pick<Report, 'columns' | 'rowsShown' | 'rows'> & { readonly all: number }): Html | undefined {
  if (all === 0) return undefined;
  const said =
    rowsShown === all
      ? ''
      : `The file has ${rowsIn(all)}, too many for a page: ${rowsShown === 0 ? 'they are' : `here are ${figure(rowsShown)} that failed, and all are`} in results.csv.`;
  return markup`<section aria-labelledby="rows">
    <h2 id="rows">Rows</h2>
    ${said !== '' && markup`<p>${said}</p>`}
    <noscript><p>Without its script this page shows no rows; they are in results.csv.</p></noscript>
    <div id="table"></div>
    <script type="application/json" id="columns">
      ${jsonOf(columns)}
    </script>
    <script type="application/octet-stream" id="data">
      ${new Html(rows)}
    </script>
  </section> `;
}
