import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { targetsAt } from '../../../local/atlassian/seeds/seed.ts';
import { expectAllChanged, startBenchStack, type BenchStack } from '../bench-stack.ts';
import { sized, type Figure, type Part, type PartContext } from '../figures.ts';
import { accountIdOf, creationManifest, groupFor, groupIdOf, membershipManifest, newEmailOf } from '../manifests.ts';
import { peers, type Peer } from '../peers/peers.ts';
import { LIMITS, trafficOf, type Traffic } from '../simulator.ts';
import { billOf, usageOf, type Usage } from '../usage.ts';

const LATENCY_MS = 100;
const GROUPS = 200;
/** Jira Cloud lets so many POSTs a second through at each endpoint. (Atlassian's page on rate limiting.) */
const PERMITTED = 100;

type Operation = 'membership' | 'creation';

const ENDPOINTS: Readonly<Record<Operation, string>> = {
  membership: 'POST /rest/api/{version}/group/user',
  creation: 'POST /rest/api/{version}/user',
};

export const membership = sideBySide('membership');
export const creation = sideBySide('creation');

/** Rollcall and the ways that articles give, against the same server in the same run: once unlimited, once with Jira's limits. */
function sideBySide(operation: Operation): Part {
  return {
    name: operation,
    about: `${operation} by Rollcall, newman and the scripts of the articles, without limits and with Jira's`,
    // A stack for each, so that no worker knows the other contest's limits.
    run: async (context) => [
      ...(await contest(operation, 'none', context)),
      ...(await contest(operation, 'published', context)),
    ],
  };
}

interface Contest {
  readonly operation: Operation;
  readonly limits: keyof typeof LIMITS;
  readonly bench: BenchStack;
}

interface Contestant {
  readonly name: string;
  readonly processes: number;
  readonly rows: number;
  readonly seconds: number;
  readonly traffic: Traffic;
  readonly lost: number;
}

async function contest(
  operation: Operation,
  limits: Contest['limits'],
  context: PartContext,
): Promise<readonly Figure[]> {
  const { size, folder, say } = context;
  const bench = await startBenchStack(join(folder, limits));
  try {
    const given = { operation, limits, bench };
    const rows = sized(size, { quick: limits === 'none' ? 2_000 : 1_000, full: 20_000 });
    const rollcall = await rollcallRun(given, rows);
    const usage = usageOf(bench.stack, join(folder, limits));
    const able = peers().filter(({ missing }) => missing === undefined);
    const others: Contestant[] = [];
    for (const peer of able) others.push(await peerRun(peer, given, context));
    const rates = [rollcall, ...others].map(
      ({ name, rows: done, seconds }) => `${name} ${(done / seconds).toFixed(1)}`,
    );
    say(`${limits}, rows/s: ${rates.join(', ')}`);
    return [
      ...figuresOf(rollcall, given),
      ...rollcallFigures(rollcall, usage, given),
      ...ratios(rollcall, others, given),
      ...others.flatMap((other) => figuresOf(other, given)),
      ...peers()
        .filter(({ missing }) => missing !== undefined)
        .map((peer) => missingFigure(peer, given)),
    ];
  } finally {
    await bench.close();
  }
}

async function prepare({ limits, bench }: Contest, rows: number): Promise<void> {
  await bench.simulator.seed({ users: rows, groups: GROUPS });
  await bench.simulator.behave({ latencyMs: LATENCY_MS, limits: LIMITS[limits] });
}

async function rollcallRun(given: Contest, rows: number): Promise<Contestant> {
  const { operation, bench } = given;
  await prepare(given, rows);
  const csv = operation === 'membership' ? membershipManifest(rows, GROUPS) : creationManifest(rows);
  const { seconds, summary } = await (await bench.upload({ target: 'cloud', operation, csv })).finished();
  expectAllChanged(summary);
  const traffic = trafficOf(await bench.simulator.requests(), ENDPOINTS[operation]);
  return { name: 'Rollcall', processes: 2, rows, seconds, traffic, lost: 0 };
}

async function peerRun(peer: Peer, given: Contest, { size, folder }: PartContext): Promise<Contestant> {
  const { operation, bench } = given;
  // One call after the other never meets a limit of a hundred a second, so half as many rows show as much.
  const full = peer.processes === 1 && given.limits === 'published' ? 100 : 200;
  const rows = sized(size, { quick: peer.processes > 1 ? 200 : 30, full });
  await prepare(given, rows);
  const csv = join(folder, 'peer.csv');
  writeFileSync(csv, peerCsv(operation, rows));
  const { cloud } = targetsAt(bench.simulator.url);
  const started = performance.now();
  await peer.run({ operation, csv, site: cloud.siteUrl, username: cloud.email, token: cloud.apiToken });
  const seconds = (performance.now() - started) / 1_000;
  const requests = await bench.simulator.requests();
  const done = requests.filter(({ effective }) => effective).length;
  return { ...peer, rows, seconds, traffic: trafficOf(requests, ENDPOINTS[operation]), lost: rows - done };
}

function peerCsv(operation: Operation, rows: number): string {
  const users = Array.from({ length: rows }, (_, index) => index + 1);
  const lines =
    operation === 'membership'
      ? ['userid,groupid', ...users.map((user) => `${accountIdOf(user)},${groupIdOf(groupFor(user, GROUPS))}`)]
      : ['email', ...users.map(newEmailOf)];
  return `${lines.join('\n')}\n`;
}

const under = ({ limits }: Contest): string => (limits === 'none' ? 'no limits' : "Jira's limits");

function figuresOf({ name, rows, seconds, traffic, lost }: Contestant, given: Contest): readonly Figure[] {
  const { calls, rateLimited, steadyPerSecond } = traffic;
  const permitted = (perSecond: number): string =>
    given.limits === 'none' ? '' : `; ${((100 * perSecond) / PERMITTED).toFixed(1)}% of the permitted rate`;
  const counted = `${rows.toLocaleString('en-US')} rows, ${(calls / rows).toFixed(2)} calls a row, ${rateLimited} answered 429, ${lost} not carried out`;
  return [
    {
      what: `${name}, ${under(given)}: end to end`,
      value: rows / seconds,
      unit: 'rows/s',
      note: counted + permitted(rows / seconds),
    },
    {
      what: `${name}, ${under(given)}: steady state`,
      value: steadyPerSecond,
      unit: 'rows/s',
      note: permitted(steadyPerSecond).slice(2),
    },
  ];
}

function rollcallFigures({ rows, traffic }: Contestant, usage: Usage, given: Contest): readonly Figure[] {
  if (given.limits === 'none') return [];
  const dollars = billOf(usage, 1_000_000 / rows).reduce((sum, line) => sum + line.dollars, 0);
  const what = (figure: string): string => `Rollcall, ${under(given)}: ${figure}`;
  return [
    {
      what: what('share of the permitted rate, steady state'),
      value: (100 * traffic.steadyPerSecond) / PERMITTED,
      unit: '%',
      goal: { atLeast: 95 },
    },
    {
      what: what('answered 429'),
      value: (100 * traffic.rateLimited) / traffic.calls,
      unit: '% of calls',
      goal: { atMost: 1 },
    },
    {
      what: what('cost of a million rows'),
      value: dollars,
      unit: '$',
      note: 'smaller batches than without limits, so more requests a row',
    },
  ];
}

/** How many times as fast as each of the others. */
function ratios(rollcall: Contestant, others: readonly Contestant[], given: Contest): readonly Figure[] {
  if (given.limits !== 'none') return [];
  const steady = rollcall.traffic.steadyPerSecond;
  const whole = rollcall.rows / rollcall.seconds;
  return others.flatMap(({ name, processes, traffic, rows, seconds }): Figure[] => [
    {
      what: `Rollcall ÷ ${name}: steady state`,
      value: steady / traffic.steadyPerSecond,
      unit: '×',
      goal: { atLeast: processes > 1 ? 5 : 100 },
    },
    {
      what: `Rollcall ÷ ${name}: end to end`,
      value: whole / (rows / seconds),
      unit: '×',
      ...(processes === 1 && { goal: { atLeast: 50 } }),
    },
  ]);
}

const missingFigure = ({ name, missing }: Peer, given: Contest): Figure => ({
  what: `${name}, ${under(given)}`,
  value: Number.NaN,
  unit: '',
  note: `missing: ${missing}`,
});
