import { startBenchStack, expectAllChanged } from '../bench-stack.ts';
import { sized, type Figure, type Part } from '../figures.ts';
import { membershipManifest } from '../manifests.ts';

const ROWS = { quick: 1_000, full: 10_000 };
const GROUPS = 200;
const WRITES_PER_SECOND = 100;
const LATENCY_MS = 100;

/** A job at a limit: how soon its first write is, how near it comes to the limit, and what each row costs of calls. */
export const paced: Part = {
  name: 'paced',
  about: `memberships at ${WRITES_PER_SECOND} writes a second, with organisation keys: first write, pace, calls a row`,
  run: async ({ size, folder, say }) => {
    const rows = sized(size, ROWS);
    const bench = await startBenchStack(folder);
    try {
      await bench.simulator.seed({ users: rows, groups: GROUPS });
      await bench.simulator.behave({ latencyMs: LATENCY_MS, limits: { jira: { POST: WRITES_PER_SECOND } } });
      const csv = membershipManifest(rows, GROUPS);
      const job = await bench.upload({ target: 'cloud', operation: 'membership', csv });
      const { summary, seconds } = await job.finished();
      expectAllChanged(summary);
      const requests = await bench.simulator.requests();
      const writes = requests.filter(({ access }) => access === 'write');
      const firstMs = Date.parse(writes[0]?.time ?? '') - job.uploadedAtMs;
      say(`${requests.length} requests, ${writes.length} of them writes`);
      return figuresOf({ rows, seconds, firstMs, writes: writes.length, reads: requests.length - writes.length });
    } finally {
      await bench.close();
    }
  },
};

interface Run {
  readonly rows: number;
  readonly seconds: number;
  readonly firstMs: number;
  readonly writes: number;
  readonly reads: number;
}

const figuresOf = ({ rows, seconds, firstMs, writes, reads }: Run): readonly Figure[] => [
  {
    what: 'upload to report ÷ rows at the limit',
    value: (seconds * WRITES_PER_SECOND) / rows,
    unit: '×',
    goal: { atMost: 1.25 },
    note: `${rows.toLocaleString('en-US')} rows in ${seconds.toFixed(1)} s`,
  },
  { what: 'upload to first write', value: firstMs / 1_000, unit: 's', goal: { atMost: 6 } },
  { what: 'writes a changed row', value: writes / rows, unit: '', goal: { atMost: 1.02 } },
  { what: 'reads a row, planning', value: reads / rows, unit: '', goal: { atMost: 1 / 40 + 0.01 } },
];
