import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { sized, type Figure, type Part } from '../figures.ts';
import { writeManifest } from '../manifests.ts';
import { bundleRun, FUNCTION_OPTIONS, runMeasured } from '../measured-process.ts';
import { startSink } from '../sink.ts';

const SIZES = { quick: [10_000, 100_000], full: [10_000, 100_000, 1_000_000] };
/** After so many messages V8 has long compiled everything, and a loop becomes no faster. */
const MOST_BARE_MESSAGES = 1_000_000;
/** Splitter and loops take turns, and the best of each counts: what something else on the machine has slowed measures neither. */
const turnsOf = (rows: number): number => (rows <= 100_000 ? 3 : rows <= 1_000_000 ? 2 : 1);
/** At the most rows that a manifest may have, in MiB. */
const MEMORY_GOAL = 400;
const GATE_MEMORY_GOAL = 512;

/** The splitter alone, against an endpoint that answers and forgets, beside the two loops that it cannot be faster than. */
export const splitter: Part = {
  name: 'splitter',
  about: 'validation and enqueue of manifests of several sizes, against an endpoint that answers and forgets',
  run: async ({ size, folder, say }) => {
    const runs: Runs = {
      splitter: bundleRun('splitter-run'),
      parseLoop: bundleRun('csv-parse-run'),
      sendLoop: bundleRun('send-loop-run'),
    };
    const validation = bundleRun('validation-run');
    const gate = bundleRun('gate-run');
    const sink = await startSink();
    try {
      const figures: Figure[] = [];
      const perRow = new Map<number, number>();
      for (const rows of sized(size, SIZES)) {
        const csv = join(folder, `${rows}.csv`);
        await writeManifest(csv, rows);
        const best = await bestOf(turnsOf(rows), () => turn(runs, { csv, rows, sink: sink.url }));
        rmSync(csv);
        perRow.set(rows, 1 / best.whole);
        say(`${rows} rows: ${best.whole.toFixed(0)} rows/s, ${best.peakMiB.toFixed(0)} MiB`);
        figures.push(...figuresOf(rows, best));
      }
      const most = Math.max(...sized(size, SIZES));
      for (const repeats of [false, true]) figures.push(await widestValidation(validation, most, repeats));
      for (const operation of ['suspend', 'email-change']) figures.push(await gateMemory(gate, most, operation));
      const [base, largest] = [perRow.get(100_000), perRow.get(1_000_000)];
      if (base !== undefined && largest !== undefined)
        figures.push({
          what: 'time a row at 1,000,000 ÷ at 100,000',
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

/** The bundled programs. */
interface Runs {
  readonly splitter: string;
  readonly parseLoop: string;
  readonly sendLoop: string;
}

/** One turn of all three; rates in rows per second. */
interface Turn {
  readonly validation: number;
  readonly enqueue: number;
  readonly whole: number;
  readonly peakMiB: number;
  readonly parsing: number;
  readonly sending: number;
}

async function turn(
  runs: Runs,
  { csv, rows, sink }: { readonly csv: string; readonly rows: number; readonly sink: string },
): Promise<Turn> {
  const bare = Math.min(rows, MOST_BARE_MESSAGES);
  const sending = await runMeasured(runs.sendLoop, [sink, bare], FUNCTION_OPTIONS);
  const parsing = await runMeasured(runs.parseLoop, [csv], FUNCTION_OPTIONS);
  const { figures, peakMiB } = await runMeasured(runs.splitter, [csv, rows, sink], FUNCTION_OPTIONS);
  const { validationSeconds = 0, enqueueSeconds = 0 } = figures;
  return {
    validation: rows / validationSeconds,
    enqueue: rows / enqueueSeconds,
    whole: rows / (validationSeconds + enqueueSeconds),
    peakMiB,
    parsing: rateOf(parsing.figures),
    sending: rateOf(sending.figures),
  };
}

/** The fastest of each, and the most memory. */
async function bestOf(turns: number, next: () => Promise<Turn>): Promise<Turn> {
  let best = await next();
  for (let taken = 1; taken < turns; taken += 1) {
    const other = await next();
    const faster = best.whole >= other.whole ? best : other;
    best = {
      ...faster,
      peakMiB: Math.max(best.peakMiB, other.peakMiB),
      parsing: Math.max(best.parsing, other.parsing),
      sending: Math.max(best.sending, other.sending),
    };
  }
  return best;
}

function figuresOf(rows: number, { validation, enqueue, whole, peakMiB, parsing, sending }: Turn): Figure[] {
  const what = (figure: string): string => `${rows.toLocaleString('en-US')} rows: ${figure}`;
  return [
    {
      what: what('validation and enqueue'),
      value: whole,
      unit: 'rows/s',
      note: `validation ${validation.toFixed(0)}, enqueue ${enqueue.toFixed(0)} rows/s`,
    },
    { what: what('bare SendMessageBatch loop'), value: sending, unit: 'rows/s' },
    { what: what('bare csv-parse loop'), value: parsing, unit: 'rows/s' },
    {
      what: what('validation ÷ bare csv-parse loop'),
      value: (100 * validation) / parsing,
      unit: '%',
      // In a small file, what is compiled and looked at once weighs more than the rows.
      ...(rows >= 1_000_000 && { goal: { atLeast: 100 / 3 } }),
    },
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
      goal: { atMost: MEMORY_GOAL },
    },
  ];
}

/** The manifests that need most: two claims a row, rows that free and take addresses, and wide columns; and each row twice. */
async function widestValidation(run: string, rows: number, repeats: boolean): Promise<Figure> {
  const args = [rows, 'email-change', ...(repeats ? ['repeats'] : [])];
  const { figures, peakMiB } = await runMeasured(run, args, FUNCTION_OPTIONS);
  const { seconds = 0, manifestMiB = 0 } = figures;
  return {
    what: `${rows.toLocaleString('en-US')} rows of email-change${repeats ? ', each twice' : ''}, ${manifestMiB.toFixed(0)} MiB: peak memory of the validation`,
    value: peakMiB,
    unit: 'MiB',
    goal: { atMost: MEMORY_GOAL },
    note: `${(rows / seconds).toFixed(0)} rows/s`,
  };
}

/** The gate of a whole plan; of addresses, where each hundred rows free one another's. */
async function gateMemory(run: string, rows: number, operation: string): Promise<Figure> {
  const { figures, peakMiB } = await runMeasured(run, [rows, operation], FUNCTION_OPTIONS);
  return {
    what: `${rows.toLocaleString('en-US')} rows of ${operation}: peak memory of the gate`,
    value: peakMiB,
    unit: 'MiB',
    goal: { atMost: GATE_MEMORY_GOAL },
    note: `${(figures['seconds'] ?? 0).toFixed(1)} s`,
  };
}

const rateOf = ({ rows = 0, seconds = 0 }: Readonly<Record<string, number>>): number => rows / seconds;
