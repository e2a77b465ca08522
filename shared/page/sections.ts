import type { Next } from '../job/commands.ts';
import { jobHash } from '../job/keys.ts';
import { CODES } from '../job/outcome.ts';
import type { Summary } from '../job/summary.ts';
import { markup, type Html } from './html.ts';

/** One line of what is known of a job, its state first. */
export const headline = (title: string, sentences: readonly string[]): Html =>
  markup`<header>
    <h1>${title}</h1>
    ${sentences.map((sentence) => markup`<p>${sentence}</p>`)}
  </header> `;

const SHARES = [
  ['changed', 'changed'],
  ['unchanged', 'as asked already'],
  ['failed', 'failed'],
  ['invalid', 'invalid'],
  ['unprocessed', 'not attempted'],
] as const;

/** What became of the rows, as one bar and in figures. */
export function countsBar({ counts }: Pick<Summary, 'counts'>): Html {
  const open = counts.rows - SHARES.reduce((sum, [status]) => sum + counts[status], 0);
  const parts = [
    ...SHARES.map(([name, label]) => ({ name, label, rows: counts[name] })),
    { name: 'open', label: 'to go', rows: open },
  ];
  const shown = parts.filter(({ rows }) => rows > 0);
  let from = 0;
  const segments = shown.map(({ name, rows }) => {
    const width = (100 * rows) / counts.rows;
    const segment = markup`<rect class="${name}" x="${from.toFixed(3)}" width="${width.toFixed(3)}" height="10" />`;
    from += width;
    return segment;
  });
  return markup`<section aria-labelledby="counts">
    <h2 id="counts">${rowsIn(counts.rows)}</h2>
    ${
      counts.rows > 0 &&
      markup`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">${segments}</svg>
        <ul class="legend">
          ${shown.map(({ name, label, rows }) => markup`<li><span class="swatch ${name}"></span><b>${figure(rows)}</b> ${label}</li>`)}
        </ul>`
    }
  </section> `;
}

/** Why the job waits, halted or was refused. */
export function reasons({ waiting, halt, problems = [] }: Summary): Html | undefined {
  const found = [
    ...(waiting?.reasons ?? []).map(({ code, message }) => ({ about: code as string, message })),
    ...(halt ? [{ about: halt.code as string, message: `${halt.message} ${CODES[halt.code].remedy}` }] : []),
    ...problems.map(({ line, message }) => ({ about: line === undefined ? '' : `Line ${line}`, message })),
  ];
  if (found.length === 0) return undefined;
  return markup`<section aria-labelledby="why">
    <h2 id="why">Why</h2>
    <dl>
      ${found.map(
        ({ about, message }) =>
          markup`<div>
            ${about !== '' && markup`<dt>${about}</dt>`}
            <dd>${message}</dd>
          </div>`,
      )}
    </dl>
  </section> `;
}

/** The rows that did not come out well, by code. */
export function failures({ failures: found = [] }: Summary): Html | undefined {
  if (found.length === 0) return undefined;
  return markup`<section aria-labelledby="failures">
    <h2 id="failures">What failed</h2>
    <dl>
      ${found.map(
        ({ code, rows, lines, remedy }) =>
          markup`<div>
            <dt>${code} <span class="many">${rowsIn(rows)}</span></dt>
            <dd>
              ${remedy}<br /><span class="lines"
                >${lines.length === 1 ? 'Line' : 'Lines'}
                ${lines.join(', ')}${rows > lines.length && ' and others'}</span
              >
            </dd>
          </div>`,
      )}
    </dl>
  </section> `;
}

/** What the plan would do, and whose approval it had. */
export function plan({ plan: planned, actors }: Summary): Html | undefined {
  if (!planned) return undefined;
  const { change, unchanged, failed, invalid, seats = {}, domains = {}, hash } = planned;
  const seated = Object.entries(seats).map(([product, count]) => `${count > 0 ? '+' : ''}${count} ${product}`);
  const entries: readonly (readonly [string, string])[] = [
    ['To change', figure(change)],
    ['As asked already', figure(unchanged)],
    ['Refused', figure(failed + invalid)],
    ...(seated.length > 0 ? [['Seats', seated.join(', ')] as const] : []),
    ...(Object.keys(domains).length > 0 ? [['Domains of new people', Object.keys(domains).join(', ')] as const] : []),
    ['Hash, which an approval names', hash],
    ...actors.map(({ action, principal, at }) => [`${action} at ${timeOf(at)}`, principal] as const),
  ];
  return markup`<section aria-labelledby="plan">
    <h2 id="plan">The plan</h2>
    <dl class="facts">
      ${entries.map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section> `;
}

/** What to type next. */
export const commands = (next: readonly Next[]): Html | undefined =>
  next.length === 0
    ? undefined
    : markup`<section aria-labelledby="next">
        <h2 id="next">What to type</h2>
        ${next.map(
          ({ purpose, command }) =>
            markup`<p>${purpose}:</p>
              <pre tabindex="0"><code>${command}</code></pre>`,
        )}
      </section> `;

/** Which file it was, and how it was read. */
export function facts({ job, target, operation, manifest, startedAt, finishedAt, calls, reason }: Summary): Html {
  const entries: readonly (readonly [string, string | undefined])[] = [
    ['Job', jobHash(job)],
    ['File', manifest.key],
    ['Target and operation', [target, operation].filter((name) => name !== '').join(', ')],
    ['Reason given', reason],
    ['Encoding', manifest.encoding],
    ['Began', timeOf(startedAt)],
    ['Ended', finishedAt === undefined ? undefined : timeOf(finishedAt)],
    ['Calls at Atlassian', `${figure(calls.sent)} (${calls.perRow} a row)`],
    ['of these refused for the rate', figure(calls.rateLimited)],
  ];
  const given = entries.filter(([, value]) => value !== undefined && value !== '');
  return markup`<section aria-labelledby="facts">
    <h2 id="facts">The job</h2>
    <dl class="facts">
      ${given.map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section> `;
}

/** A number as people read it. */
export const figure = (count: number): string => count.toLocaleString('en');

/** How many rows, in words. */
export const rowsIn = (count: number): string => (count === 1 ? '1 row' : `${figure(count)} rows`);

/** A time as people read it; UTC. */
export const timeOf = (at: string): string => `${at.slice(0, 19).replace('T', ' ')} UTC`;
