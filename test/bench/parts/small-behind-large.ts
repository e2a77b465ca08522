import { setTimeout as sleep } from 'node:timers/promises';

import type { LoggedRequest } from '../../../local/atlassian/server/request-log.ts';
import { expectAllChanged, startBenchStack, type BenchStack } from '../bench-stack.ts';
import { sized, type Figure, type Part, type PartContext } from '../figures.ts';
import { dataCenterManifest, membershipManifest } from '../manifests.ts';
import { LIMITS } from '../simulator.ts';

const LARGE_ROWS = { quick: 20_000, full: 100_000 };
const SMALL_ROWS = 10;
const GROUPS = 200;
const LATENCY_MS = 100;
/** How long the large job is left alone before it is measured, and how long each measurement of it lasts. */
const RUN_UP_MS = { quick: 10_000, full: 25_000 };
const MEASURED_MS = { quick: 5_000, full: 20_000 };

/** How long small jobs take while a large one is under way, and what they cost it: without limits, and with Jira's, which the large one uses up. */
export const smallBehindLarge: Part = {
  name: 'small-behind-large',
  about: 'jobs of ten rows, of the same target and of another, behind one of 100,000 rows',
  run: async (context) => [...(await measure('none', context)), ...(await measure('published', context))],
};

async function measure(limits: keyof typeof LIMITS, { size, folder, say }: PartContext): Promise<readonly Figure[]> {
  const under = limits === 'none' ? 'no limits' : "Jira's limits";
  const rows = sized(size, LARGE_ROWS);
  const measuredMs = sized(size, MEASURED_MS);
  const bench = await startBenchStack(`${folder}/${limits}`);
  try {
    // Half as many people, each in two rows.
    const users = rows / 2;
    await bench.simulator.seed({ users, groups: GROUPS, dataCenterUsers: SMALL_ROWS, dataCenterGroups: 1 });
    await bench.simulator.behave({ latencyMs: LATENCY_MS, limits: LIMITS[limits] });
    const large = await bench.upload({ target: 'cloud', operation: 'membership', csv: largeManifest(users) });
    await sleep(sized(size, RUN_UP_MS));

    const startMs = Date.now();
    await sleep(measuredMs);
    const smallMs = Date.now();
    const same = await small(bench, 'cloud', membershipOfOwn());
    const other = await small(bench, 'data-center', dataCenterManifest(SMALL_ROWS));
    await sleep(Math.max(0, measuredMs - (Date.now() - smallMs)));
    const endMs = Date.now();
    const { state } = (await large.status()) ?? { state: 'not there' };
    if (state !== 'running') throw new Error(`The large job is ${state}; it has to be under way`);
    await bench.command(large, 'cancel');
    const perSecond = changesBy(await bench.simulator.requests());
    const before = perSecond(startMs, smallMs);
    const during = perSecond(smallMs, endMs);

    say(
      `${under}: same ${same.toFixed(1)} s, other ${other.toFixed(1)} s, large ${before.toFixed(0)} → ${during.toFixed(0)} rows/s`,
    );
    const note = `${rows.toLocaleString('en-US')} rows under way at ${before.toFixed(0)} rows/s`;
    return [
      { what: `${under}: ten rows of the same target`, value: same, unit: 's', goal: { atMost: 10 }, note },
      { what: `${under}: ten rows of another target`, value: other, unit: 's', goal: { atMost: 5 }, note },
      {
        what: `${under}: throughput lost by the large job`,
        value: 100 * (1 - during / before),
        unit: '%',
        goal: { atMost: 5 },
        note: `over the ${((endMs - smallMs) / 1_000).toFixed(0)} s in which both small jobs ran`,
      },
    ];
  } finally {
    await bench.close();
  }
}

/** Everybody twice, in two groups. */
function largeManifest(users: number): string {
  const once = membershipManifest(users, GROUPS);
  const again = membershipManifest(users, GROUPS - 1)
    .split('\n')
    .slice(1)
    .join('\n');
  return once + again;
}

/** Ten people whom the large job gets to last, in a group that it does not use for them. */
const membershipOfOwn = (): string =>
  `email,group name\n${Array.from({ length: SMALL_ROWS }, (_, index) => `user${String(index + 1).padStart(5, '0')}@example.com,group-200`).join('\n')}\n`;

async function small(bench: BenchStack, target: string, csv: string): Promise<number> {
  const job = await bench.upload({ target, operation: 'membership', csv });
  const { seconds, summary } = await job.finished({ lookEveryMs: 50 });
  expectAllChanged(summary);
  return seconds;
}

/** The large job's changes a second between two times; the few of the small ones among them do not show. */
function changesBy(requests: readonly LoggedRequest[]): (fromMs: number, toMs: number) => number {
  const timesMs = requests.filter(({ effective }) => effective).map(({ time }) => Date.parse(time));
  return (fromMs, toMs) => (timesMs.filter((ms) => ms >= fromMs && ms < toMs).length * 1_000) / (toMs - fromMs);
}
