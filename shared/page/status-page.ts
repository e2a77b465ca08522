import { commandsFor, type Next, type Place } from '../job/commands.ts';
import { hasEnded, hasStopped } from '../job/job.ts';
import { jobHash } from '../job/keys.ts';
import type { Summary } from '../job/summary.ts';
import { wordsFor } from '../job/words.ts';
import { beginPage, endPage, type PageParts } from './document.ts';
import { markup, type Html } from './html.ts';
import { commands, countsBar, facts, figure, headline, plan, reasons, rowsIn } from './sections.ts';

interface Status extends PageParts {
  readonly summary: Summary;
  /** Rows a second, lately. */
  readonly perSecond: number;
}

/** `status.markup`: how far a job is, for whoever keeps it open; it loads itself again until the job has ended, and then names the report. */
export function renderStatus({ summary, perSecond, place, assets }: Status): string {
  const frame = {
    title: `Rollcall: ${summary.operation} on ${summary.target}`,
    style: assets.style,
    script: assets.scripts.status,
  };
  const { title, sentences, next } = wordsOf(summary, perSecond, place);
  const body: readonly (Html | undefined)[] = [
    headline(title, sentences),
    hasStopped(summary.state)
      ? markup`<p class="onward"><a href="report.html">Open the report</a>, which is written within seconds.</p>`
      : undefined,
    hasEnded(summary.state) ? undefined : markup`<p id="refresh">Load this page again to see how far it is.</p>`,
    countsBar(summary),
    reasons(summary),
    commands(next),
    plan(summary),
    facts(summary),
  ];
  return markup`${beginPage(frame)}${body}${endPage(frame)}`.text;
}

function wordsOf(
  summary: Summary,
  perSecond: number,
  place: Place,
): { readonly title: string; readonly sentences: readonly string[]; readonly next: readonly Next[] } {
  const own = commandsFor(jobHash(summary.job), place);
  if (hasStopped(summary.state)) return wordsFor({ summary, commands: own });
  const where = `${summary.operation} on ${summary.target}`;
  if (summary.state === 'paused')
    return {
      title: `Paused: ${where}`,
      sentences: ['No row starts until it is resumed.'],
      next: [own.resume, own.cancel],
    };
  const next = [own.pause, own.cancel];
  if (summary.state === 'running')
    return { title: `Running: ${where}`, sentences: [progressOf(summary, perSecond)], next };
  return {
    title: `Being ${summary.state === 'planning' ? 'planned' : 'read'}: ${where}`,
    sentences: ['Nothing is changed yet.'],
    next,
  };
}

function progressOf({ counts }: Summary, perSecond: number): string {
  const { rows, changed, unchanged, failed, invalid, unprocessed } = counts;
  const left = rows - changed - unchanged - failed - invalid - unprocessed;
  if (perSecond <= 0) return `${rowsIn(left)} to go.`;
  return `${rowsIn(left)} to go, at ${figure(Math.round(10 * perSecond) / 10)} a second: about ${durationOf(left / perSecond)}.`;
}

/** So many seconds, as people say it. */
function durationOf(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} seconds`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} minutes`;
  return `${Math.round(seconds / 3_600)} hours`;
}
