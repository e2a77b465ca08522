import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { sized, type Figure, type Part } from '../figures.ts';
import { writeManifest } from '../manifests.ts';
import { bundleRun, FUNCTION_OPTIONS, runMeasured } from '../measured-process.ts';
import { startSink } from '../sink.ts';

const SIZES = { quick: [10_000, 100_000], full: [10_000, 100_000, 1_000_000, 5_000_000] };
/** A ceiling is as many messages as there are rows, as V8 is long compiling in both; after so many it is at its fastest. */
const MOST_BARE_MESSAGES = 1_000_000;
/** What the issue allows, by rows, in MiB. */
const MEMORY_GOALS: Readonly<Record<number, number>> = { 1_000_000: 200, 5_000_000: 320 };

/** The splitter alone, against an endpoint that answers and forgets, beside the two loops that it cannot be faster than. */
export const splitter: Part = {
  name: 'splitter',
  about: 'survey and feed of manifests of several sizes, against an endpoint that answers and forgets',
  run: async ({ size, folder, say }) => {
    const runs = {
      splitter: bundleRun('splitter-run', folder),
      csvParse: bundleRun('csv-parse-run', folder),
      survey: bundleRun('survey-run', folder),
      sendLoop: bundleRun('send-loop-run', folder),
    };
    const sink = await startSink(folder);
    try {
      const figures: Figure[] = [];
      const perRow = new Map<number, number>();
      for (const rows of sized(size, SIZES)) {
        const csv = join(folder, `${rows}.csv`);
        await writeManifest(csv, rows);
        const sending = await sendingRate(runs.sendLoop, sink.url, Math.min(rows, MOST_BARE_MESSAGES));
        const parsing = rateOf((await runMeasured(runs.csvParse, [csv])).figures);
        const { figures: seconds, peakMiB } = await runMeasured(runs.splitter, [csv, rows, sink.url], FUNCTION_OPTIONS);
        rmSync(csv);
        const { surveySeconds = 0, feedSeconds = 0 } = seconds;
        const whole = rows / (surveySeconds + feedSeconds);
        perRow.set(rows, 1 / whole);
        say(`${rows} rows: ${whole.toFixed(0)} rows/s, ${peakMiB.toFixed(0)} MiB`);
        const what = (figure: string): string => `${rows.toLocaleString('en-US')} rows: ${figure}`;
        const memoryGoal = MEMORY_GOALS[rows];
        figures.push(
          {
            what: what('survey and feed'),
            value: whole,
            unit: 'rows/s',
            note: `survey ${(rows / surveySeconds).toFixed(0)}, feed ${(rows / feedSeconds).toFixed(0)} rows/s`,
          },
          { what: what('bare SendMessageBatch loop'), value: sending, unit: 'rows/s' },
          { what: what('bare csv-parse loop'), value: parsing, unit: 'rows/s' },
          {
            what: what('share of the slower ceiling'),
            value: (100 * whole) / Math.min(sending, parsing),
            unit: '%',
            goal: { atLeast: 80 },
          },
          {
            what: what('peak memory'),
            value: peakMiB,
            unit: 'MiB',
            ...(memoryGoal !== undefined && { goal: { atMost: memoryGoal } }),
          },
        );
      }
      figures.push(await widestSurvey(runs.survey, Math.max(...sized(size, SIZES))));
      const [base, largest] = [perRow.get(100_000), perRow.get(5_000_000)];
      if (base !== undefined && largest !== undefined)
        figures.push({
          what: 'time a row at 5,000,000 ÷ at 100,000',
          value: largest / base,
          unit: '×',
          goal: { atMost: 1.1 },
        });
      return figures;
    } finally {
      sink.stop();
    }
  },
};

/** The manifest that needs most: two claims a row, rows that wait for others, and columns that make it 1 GiB. */
async function widestSurvey(run: string, rows: number): Promise<Figure> {
  const { figures, peakMiB } = await runMeasured(run, [rows, 'email-change'], FUNCTION_OPTIONS);
  const { seconds = 0, manifestMiB = 0 } = figures;
  return {
    what: `${rows.toLocaleString('en-US')} rows of email-change, ${manifestMiB.toFixed(0)} MiB: peak memory of the survey`,
    value: peakMiB,
    unit: 'MiB',
    goal: { atMost: 320 },
    note: `${(rows / seconds).toFixed(0)} rows/s`,
  };
}

/** The best of three where one takes seconds: a ceiling that something else on the machine has lowered is none. */
async function sendingRate(run: string, sink: string, messages: number): Promise<number> {
  const turns: number[] = [];
  do turns.push(rateOf((await runMeasured(run, [sink, messages])).figures));
  while (turns.length < 3 && messages <= 100_000);
  return Math.max(...turns);
}

const rateOf = ({ rows = 0, seconds = 0 }: Readonly<Record<string, number>>): number => rows / seconds;
