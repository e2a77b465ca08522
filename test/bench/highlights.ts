import { shown, type Measured } from './table.ts';

/** The figures that the README shows, in its words. */
const HIGHLIGHTS = [
  {
    words: "as fast as Postman's runner (newman), at 100 ms a call and without limits",
    part: 'membership',
    what: 'Rollcall ÷ newman: steady state',
  },
  { words: 'the same, from upload to report', part: 'membership', what: 'Rollcall ÷ newman: end to end' },
  {
    words: "as fast as the articles' script, twenty of it at once",
    part: 'membership',
    what: 'Rollcall ÷ curl under xargs -P 20: steady state',
  },
  {
    words: "of the rate that Jira's limits permit, in steady state",
    part: 'membership',
    what: "Rollcall, Jira's limits: share of the permitted rate, steady state",
  },
  { words: 'of its calls answered 429', part: 'membership', what: "Rollcall, Jira's limits: answered 429" },
  { words: 'one row, from upload to report', part: 'latency', what: 'one row: median' },
  {
    words: 'ten rows, while 200,000 of the same target are under way',
    part: 'small-behind-large',
    what: "Jira's limits: ten rows of the same target",
  },
  { words: 'for a million rows at AWS', part: 'end-to-end', what: 'a million rows, altogether' },
] as const;

/** The README's table. Throws when one of its figures was not measured. */
export function highlightsTable(measured: readonly Measured[]): string {
  const rows = HIGHLIGHTS.map(({ words, part, what }) => {
    const figure = measured.find((one) => one.part === part)?.figures.find((one) => one.what === what);
    if (!figure)
      throw new Error(`The README shows "${what}" of ${part}, which no full run has measured; run that part.`);
    const unit = figure.unit.split(' ')[0] ?? '';
    return `| ${unit === '$' ? `$${shown(figure.value)}` : `${shown(figure.value)} ${unit}`} | ${words} |`;
  });
  return ['| measured | |', '| --: | --- |', ...rows].join('\n');
}
