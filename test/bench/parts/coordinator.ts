import { sized, type Figure, type Part } from '../figures.ts';
import { bundleRun, runMeasured } from '../measured-process.ts';

const SIZES = { quick: [10_000, 100_000], full: [10_000, 100_000, 1_000_000] };
/** As many events as a FIFO queue gives a function at once on AWS, and as the embedded queue does. */
const EVENTS = [10, 1];

/** The coordinator alone: the whole events queue of a job, and its report. */
export const coordinator: Part = {
  name: 'coordinator',
  about: 'the eventsQueue of jobs of several sizes folded, and their reports written',
  run: async ({ size, say }) => {
    const fold = bundleRun('coordinator-run');
    const report = bundleRun('report-run');
    const figures: Figure[] = [];
    for (const rows of sized(size, SIZES)) {
      const what = (figure: string): string => `${rows.toLocaleString('en-US')} rows: ${figure}`;
      for (const events of rows === 1_000_000 ? EVENTS.slice(0, 1) : EVENTS) {
        const { figures: folded, peakMiB } = await runMeasured(fold, [rows, events]);
        const { seconds = 0, invocations = 0, writes = 0 } = folded;
        const goal = { atLeast: 20_000 };
        const note = `${(writes / rows).toFixed(4)} S3 writes a row; peak ${peakMiB.toFixed(0)} MiB; ${((1_000 * seconds) / invocations).toFixed(1)} ms a run`;
        figures.push({
          what: what(`folded, events a run: ${events}`),
          value: rows / seconds,
          unit: 'outcomes/s',
          note,
          ...(events === 10 && { goal }),
        });
      }
      const { figures: reported, peakMiB } = await runMeasured(report, [rows]);
      const { seconds = 0 } = reported;
      const isLargest = rows === 1_000_000;
      figures.push(
        { what: what('report'), value: seconds, unit: 's', ...(isLargest && { goal: { atMost: 60 } }) },
        { what: what('report, peak memory'), value: peakMiB, unit: 'MiB', ...(isLargest && { goal: { atMost: 512 } }) },
      );
      say(`${rows} rows done`);
    }
    return figures;
  },
};
