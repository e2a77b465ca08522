import { MultiBar, Presets, type SingleBar } from 'cli-progress';

import type { Summary } from '../shared/job/summary.ts';
import { settledRows } from './follow-job.ts';

/** A progress bar for each job that runs. */
export interface Progress {
  readonly add: (label: string) => (status: Summary) => void;
  readonly stop: () => void;
}

/** Bars on a terminal's stderr; where that is no terminal, nothing. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { add: () => () => undefined, stop: () => undefined };
  const bars = new MultiBar(
    { stream, hideCursor: true, format: '{label} {bar} {value}/{total} rows, {state}' },
    Presets.shades_classic,
  );
  return {
    add: (label) => {
      const bar: SingleBar = bars.create(1, 0, { label: label.padEnd(34), state: 'validating' });
      return (status) => {
        bar.setTotal(Math.max(status.counts.rows, 1));
        bar.update(settledRows(status), { state: status.state });
      };
    },
    stop: () => bars.stop(),
  };
}
