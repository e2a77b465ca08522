import { expectAllChanged, startBenchStack, type BenchStack, type Finished } from '../bench-stack.ts';
import { sized, type Figure, type Part } from '../figures.ts';
import { membershipManifest } from '../manifests.ts';
import { PRICES, PRICES_OF } from '../prices.ts';
import { LIMITS } from '../simulator.ts';
import { billOf, total, usageOf, type Kind, type Usage } from '../usage.ts';

const ROWS = { quick: 5_000, full: 100_000 };
const GROUPS = 200;
/** What the issue reckons a call at Atlassian with. */
const CALL_MS = 150;
const COST_ROWS = 1_000_000;

/** One job from upload to report against a server without limits, and what it uses of AWS. */
export const endToEnd: Part = {
  name: 'end-to-end',
  about: `a membership job against a server without limits, ${CALL_MS} ms a call: time by stage, requests by kind, cost`,
  run: async ({ size, folder, say }) => {
    const rows = sized(size, ROWS);
    const bench = await startBenchStack(folder);
    try {
      await bench.simulator.seed({ users: rows, groups: GROUPS });
      await bench.simulator.behave({ latencyMs: CALL_MS, limits: LIMITS.none });
      const stages = await applyTasks(bench, rows);
      const usage = usageOf(bench.stack, folder);
      for (const { label, requests } of [...usage.sqs, ...usage.s3Writes, ...usage.s3Reads].slice(0, 30))
        say(`${(requests / rows).toFixed(4)} a row: ${label}`);
      return [...timeFigures(stages, rows), ...requestFigures(usage, rows), ...costFigures(usage, rows)];
    } finally {
      await bench.close();
    }
  },
};

interface Stages {
  readonly finished: Finished;
  readonly validatedMs: number;
  readonly firstCallMs: number;
  readonly lastCallMs: number;
  readonly endedMs: number;
  readonly reportedMs: number;
}

/** All stages are in milliseconds since the upload began. */
async function applyTasks(bench: BenchStack, rows: number): Promise<Stages> {
  const job = await bench.upload({ target: 'cloud', operation: 'membership', csv: membershipManifest(rows, GROUPS) });
  let validatedMs = Number.NaN;
  const finished = await job.finished({
    lookEveryMs: 100,
    onStatus: ({ state }) => {
      if (state !== 'validating' && Number.isNaN(validatedMs)) validatedMs = Date.now() - job.uploadedAtMs;
    },
  });
  expectAllChanged(finished.summary);
  const since = (iso: string | undefined): number => Date.parse(iso ?? '') - job.uploadedAtMs;
  const requests = await bench.simulator.requests();
  return {
    finished,
    validatedMs,
    firstCallMs: since(requests[0]?.time),
    lastCallMs: since(requests.at(-1)?.time),
    endedMs: since(finished.summary.finishedAt),
    reportedMs: finished.seconds * 1_000,
  };
}

function timeFigures({ finished, ...stage }: Stages, rows: number): readonly Figure[] {
  const seconds = (what: string, ms: number, note?: string): Figure => ({ what, value: ms / 1_000, unit: 's', note });
  return [
    {
      what: 'upload to report',
      value: rows / finished.seconds,
      unit: 'rows/s',
      note: `${rows.toLocaleString('en-US')} rows`,
    },
    seconds('upload to validation done', stage.validatedMs),
    seconds('upload to first call', stage.firstCallMs),
    seconds('first call to last call', stage.lastCallMs - stage.firstCallMs),
    seconds('last call to last outcome folded', stage.endedMs - stage.lastCallMs),
    seconds('last outcome folded to report', stage.reportedMs - stage.endedMs),
    { what: 'calls a row', value: finished.summary.calls.sent / rows, unit: '' },
  ];
}

function requestFigures(usage: Usage, rows: number): readonly Figure[] {
  const perRow = (what: string, kinds: readonly Kind[], atMost: number): Figure => ({
    what: `${what} a row`,
    value: total(kinds) / rows,
    unit: '',
    goal: { atMost },
    note: kinds
      .slice(0, 4)
      .map(({ label, requests }) => `${(requests / rows).toFixed(3)} ${label}`)
      .join('; '),
  });
  return [
    perRow('SQS requests', usage.sqs, 0.5),
    perRow('S3 writes', usage.s3Writes, 0.03),
    perRow('S3 reads', usage.s3Reads, 0.05),
    ...usage.functions.map(({ name, milliseconds, invocations }) => ({
      what: `${name}: Lambda time a row`,
      value: milliseconds / rows,
      unit: 'ms',
      note: `${invocations} invocations of ${(milliseconds / invocations).toFixed(0)} ms`,
    })),
  ];
}

function costFigures(usage: Usage, rows: number): readonly Figure[] {
  const lines = billOf(usage, COST_ROWS / rows);
  const sum = lines.reduce((dollars, line) => dollars + line.dollars, 0);
  return [
    ...lines.map(({ what, quantity, price, dollars }) => ({
      what: `a million rows: ${what}`,
      value: dollars,
      unit: '$',
      note: `${quantity.toLocaleString('en-US', { maximumSignificantDigits: 3 })} ${PRICES[price].unit}`,
    })),
    {
      what: 'a million rows, altogether',
      value: sum,
      unit: '$',
      goal: { atMost: 0.35 },
      note: `prices of ${PRICES_OF.region}, ${PRICES_OF.date}; without the free tier`,
    },
  ];
}
