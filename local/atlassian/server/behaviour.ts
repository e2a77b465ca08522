import * as z from 'zod';

import { defaultSwitches, SWITCHES, type SwitchName } from '../routes/switches.ts';

const rate = z.number().min(0).max(1);
const perSecond = z.number().positive();
const milliseconds = z.number().min(0);
const windowed = z.strictObject({ requests: z.number().int().positive(), windowSeconds: z.number().positive() });

const limits = z.strictObject({
  /** Calls a second on each endpoint and method; 'published' stands for Atlassian's own figures. */
  jira: z.union([
    z.null(),
    z.literal('published'),
    z.strictObject({
      GET: perSecond.optional(),
      POST: perSecond.optional(),
      PUT: perSecond.optional(),
      DELETE: perSecond.optional(),
    }),
  ]),
  /** Calls a second that all of Jira's user-search endpoints share. */
  userSearch: perSecond.nullable(),
  /** A quota over all of Jira that starts again with each window. */
  jiraQuota: windowed.nullable(),
  /** Of each endpoint and method. */
  organisation: windowed.nullable(),
  userManagement: windowed.nullable(),
  /** One bucket a user: `fillRate` tokens every `intervalSeconds`, at most `size`. */
  dataCenter: z
    .strictObject({ size: perSecond, fillRate: perSecond, intervalSeconds: z.number().positive() })
    .nullable(),
  /** Writes a second on each endpoint and method of every API that has no limit of its own. */
  writesPerSecond: perSecond.nullable(),
});

const faults = z.strictObject({
  on: z.enum(['all', 'writes', 'reads']),
  rateLimited: rate,
  /** On an injected 429; null leaves Retry-After out. */
  retryAfterSeconds: z.number().min(0).nullable(),
  serverError: rate,
  serverErrorAfter: rate,
  serverErrorStatuses: z.array(z.union([z.literal(500), z.literal(502), z.literal(503), z.literal(504)])).min(1),
  /** On an injected 503; null leaves Retry-After out. */
  serverErrorRetryAfterSeconds: z.number().min(0).nullable(),
  resetBefore: rate,
  resetAfter: rate,
  hangBefore: rate,
  hangAfter: rate,
  /** How long a hanging request is held before its connection is cut. */
  hangMs: milliseconds,
  truncated: rate,
  notJson: rate,
  /** A page in the place of the API, as outages, firewalls and proxies show it, before the request was applied or after. */
  page: rate,
  pageAfter: rate,
  /** 200 with nothing in it. */
  empty: rate,
  emptyAfter: rate,
  /** In eight pieces, with pauses. */
  trickled: rate,
  /** With gzip, though nobody asked for it. */
  compressed: rate,
  /** Everything in a list twice. */
  repeated: rate,
  /** A page that says that there are more, and leads to itself. */
  endless: rate,
});

const refusedWrite = z.strictObject({
  /** An account id, e-mail address or username. */
  account: z.string().optional(),
  /** A group id or name. */
  group: z.string().optional(),
  method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']).optional(),
  /** A part of the path. */
  path: z.string().optional(),
  status: z.number().int().min(400).max(599),
  /** JSON, or a string for plain text. */
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** How often; always when absent. */
  times: z.number().int().positive().optional(),
});

const switches = z.strictObject(
  // One enum a switch, under the switch's own name.
  Object.fromEntries(Object.entries(SWITCHES).map(([name, { values }]) => [name, z.enum(values)])) as unknown as {
    [Name in SwitchName]: z.ZodEnum<{ [Value in (typeof SWITCHES)[Name]['values'][number]]: Value }>;
  },
);

const parts = {
  limits,
  propagationMs: z.strictObject({
    jira: milliseconds,
    organisation: milliseconds,
    userManagement: milliseconds,
    dataCenter: milliseconds,
  }),
  faults,
  pageSizes: z.strictObject({ groupBulk: z.number().int().positive(), organisation: z.number().int().positive() }),
  switches,
};

const behaviourPatch = z.strictObject({
  latencyMs: milliseconds.optional(),
  /** Starts the dice of the faults again from this seed. */
  dice: z.number().int().optional(),
  /** Answers every write 403: whoever only reads never notices. */
  refuseWrites: z.boolean().optional(),
  refusedWrites: z.array(refusedWrite).optional(),
  limits: limits.partial().optional(),
  propagationMs: parts.propagationMs.partial().optional(),
  faults: faults.partial().optional(),
  pageSizes: parts.pageSizes.partial().optional(),
  switches: switches.partial().optional(),
});

/** How the simulator answers, besides its state. */
export interface Behaviour extends z.infer<z.ZodObject<typeof parts>> {
  readonly latencyMs: number;
  readonly dice: number;
  readonly refuseWrites: boolean;
  readonly refusedWrites: readonly RefusedWrite[];
}

export type RefusedWrite = z.infer<typeof refusedWrite>;

/** Nothing limits, delays or breaks anything, and the switches stand where their table says. */
export const defaultBehaviour = (): Behaviour => ({
  latencyMs: 0,
  dice: 1,
  refuseWrites: false,
  refusedWrites: [],
  limits: {
    jira: null,
    userSearch: null,
    jiraQuota: null,
    organisation: null,
    userManagement: null,
    dataCenter: null,
    writesPerSecond: null,
  },
  propagationMs: { jira: 0, organisation: 0, userManagement: 0, dataCenter: 0 },
  faults: {
    on: 'all',
    rateLimited: 0,
    retryAfterSeconds: 1,
    serverError: 0,
    serverErrorAfter: 0,
    serverErrorStatuses: [500, 502, 503],
    serverErrorRetryAfterSeconds: null,
    resetBefore: 0,
    resetAfter: 0,
    hangBefore: 0,
    hangAfter: 0,
    hangMs: 60_000,
    truncated: 0,
    notJson: 0,
    page: 0,
    pageAfter: 0,
    empty: 0,
    emptyAfter: 0,
    trickled: 0,
    compressed: 0,
    repeated: 0,
    endless: 0,
  },
  pageSizes: { groupBulk: 50, organisation: 100 },
  switches: defaultSwitches(),
});

/** A behaviour with a patch laid over it, one level deep: what a patch leaves out stays. Throws ZodError. */
export function patchBehaviour(present: Behaviour, patch: unknown): Behaviour {
  const { limits, propagationMs, faults, pageSizes, switches, ...rest } = behaviourPatch.parse(patch);
  return {
    ...present,
    ...given(rest),
    limits: { ...present.limits, ...given(limits) },
    propagationMs: { ...present.propagationMs, ...given(propagationMs) },
    faults: { ...present.faults, ...given(faults) },
    pageSizes: { ...present.pageSizes, ...given(pageSizes) },
    switches: { ...present.switches, ...given(switches) },
  };
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the keys whose value is undefined: JSON has none, so the types after parsing promise no more than this. */
const given = <T extends object>(patch: T | undefined): Given<T> => patch ?? {};
