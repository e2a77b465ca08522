import { setTimeout as sleep } from 'node:timers/promises';

import type { LoggedRequest } from '../../../local/atlassian/server/request-log.ts';
import { startBenchStack } from '../bench-stack.ts';
import { sized, type Figure, type Part } from '../figures.ts';
import { membershipManifest } from '../manifests.ts';

const ENDPOINT = 'POST /rest/api/{version}/group/user';
const LATENCY_MS = 100;
const GROUPS = 200;
const RUN_UP_MS = { quick: 15_000, full: 30_000 };
const EACH_MS = { quick: 20_000, full: 36_000 };
/** Over so many seconds a rate counts as found. */
const FOUND_SECONDS = 5;

/** How soon a job finds that Jira's limit was changed under it: halved, and then doubled. */
export const limitChange: Part = {
  name: 'limit-change',
  about: "Jira's limit is halved and doubled again in the middle of a job",
  run: async ({ size, folder, say }) => {
    const eachMs = sized(size, EACH_MS);
    const bench = await startBenchStack(folder);
    try {
      const rows = Math.ceil(((sized(size, RUN_UP_MS) + 3 * eachMs) / 1_000) * 130);
      await bench.simulator.seed({ users: rows, groups: GROUPS });
      const limitTo = (perSecond: number): Promise<void> =>
        bench.simulator.behave({
          latencyMs: LATENCY_MS,
          limits: { jira: { GET: 100, POST: perSecond, PUT: 50, DELETE: 50 } },
        });
      await limitTo(100);
      const job = await bench.upload({
        target: 'cloud',
        operation: 'membership',
        csv: membershipManifest(rows, GROUPS),
      });
      await sleep(sized(size, RUN_UP_MS));

      const figures: Figure[] = [];
      for (const [how, perSecond] of [
        ['halved to 50', 50],
        ['doubled to 100', 100],
        ['doubled to 200', 200],
      ] as const) {
        const fromMs = Date.now();
        await limitTo(perSecond);
        await sleep(eachMs);
        const requests = (await bench.simulator.requests()).filter(({ time }) => Date.parse(time) >= fromMs);
        figures.push(...figuresOf(requests, { how, perSecond, fromMs, seconds: eachMs / 1_000 }));
      }
      await bench.command(job, 'cancel');
      say(figures.map(({ what, value }) => `${what} ${value.toFixed(1)}`).join(', '));
      return figures;
    } finally {
      await bench.close();
    }
  },
};

interface Change {
  readonly how: string;
  readonly perSecond: number;
  readonly fromMs: number;
  readonly seconds: number;
}

function figuresOf(requests: readonly LoggedRequest[], change: Change): readonly Figure[] {
  const { how, perSecond, fromMs, seconds } = change;
  const own = requests.filter(({ endpoint }) => endpoint === ENDPOINT);
  const secondOf = ({ time }: LoggedRequest): number => Math.floor((Date.parse(time) - fromMs) / 1_000);
  const allowed = Array.from({ length: seconds }, () => 0);
  const refused = Array.from({ length: seconds }, () => 0);
  for (const request of own) (request.status === 429 ? refused : allowed)[secondOf(request)]! += 1; // requests of this stretch
  const sum = (counts: readonly number[], from: number, to = seconds): number =>
    counts.slice(from, to).reduce((total, count) => total + count, 0);
  const isFound = (second: number): boolean =>
    sum(allowed, second, second + FOUND_SECONDS) >= 0.95 * perSecond * FOUND_SECONDS &&
    sum(refused, second, second + FOUND_SECONDS) <= 0.01 * perSecond * FOUND_SECONDS;
  const found = Array.from({ length: seconds - FOUND_SECONDS + 1 }, (_, second) => second).find(isFound);
  const last = Math.floor(seconds / 2);
  return [
    {
      what: `${how}: found after`,
      value: found ?? Number.NaN,
      unit: 's',
      goal: { atMost: 30 },
      note: `at least 95% of the limit and at most 1% refused over ${FOUND_SECONDS} s`,
    },
    {
      what: `${how}: share of the limit in the second half`,
      value: (100 * sum(allowed, last)) / (perSecond * (seconds - last)),
      unit: '%',
      goal: { atLeast: 95 },
    },
    {
      what: `${how}: answered 429`,
      value: (100 * sum(refused, 0)) / own.length,
      unit: '% of calls',
      goal: { atMost: 1 },
    },
  ];
}
