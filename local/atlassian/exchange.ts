import type { IncomingHttpHeaders } from 'node:http';

import { type Answer, because, jiraError, manageError, organisationError, Refused } from './answer.ts';
import { authenticate } from './authentication.ts';
import type { Behaviour } from './behaviour.ts';
import type { Verdict } from './limit-headers.ts';
import { limiter } from './limits.ts';
import type { Call, Query } from './call.ts';
import { control, CONTROL_PREFIX, type Controlled } from './control.ts';
import { BEFORE, type Fault } from './faults.ts';
import { parseQuery } from './query.ts';
import { refusedWrites } from './refused-writes.ts';
import { type Api, type Endpoint, isWrite, router } from './router.ts';
import { ROUTES } from './routes.ts';

/** A request, whole. */
export interface Incoming {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a request comes to, before it is sent. */
export interface Reply {
  readonly answer: Answer;
  readonly fault?: Fault | undefined;
  readonly endpoint: string;
  /** Control requests meet no latency and no fault, and are not logged. */
  readonly control: boolean;
}

/** Answers requests, one at a time, as Atlassian would: route, credentials, limits, contract, then the endpoint itself. */
export function exchange(controlled: Controlled): (incoming: Incoming) => Reply {
  const find = router(ROUTES);
  const limits = limiter(() => controlled.world.clock.now().getTime());
  const refusals = refusedWrites();

  const answerOf = (endpoint: Endpoint, params: Call['params'], path: string, incoming: Incoming): Answer => {
    const { world } = controlled;
    const { authorization = '' } = incoming.headers;
    const caller = authenticate({ world, route: endpoint.route, authorization, cloudId: params['cloudId'] });
    const verdict = limits.admit(endpoint, caller.name, world.behaviour.limits);
    if (verdict.refusal)
      return withHeaders(verdict.refusal, rateLimitHeaders(verdict, world.behaviour, endpoint.route.api));
    const query = parseQuery(queryOf(incoming.url), world.behaviour.switches.plusInQuery);
    const call: Call = { path, params, query, headers: incoming.headers, body: incoming.body, world, caller };
    return withHeaders(carriedOut(endpoint, call, incoming.method), verdict.headers);
  };

  const carriedOut = (endpoint: Endpoint, call: Call, method: string): Answer => {
    try {
      requireKnownQuery(endpoint, call);
      requireNoXsrf(endpoint, call);
      const refusal = isWrite(endpoint.route) ? refusals.answerTo(method, call) : undefined;
      return refusal ?? endpoint.route.handle(call);
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  };

  return (incoming) => {
    const path = pathOf(incoming.url);
    if (path.startsWith(CONTROL_PREFIX)) return controlReply(controlled, incoming, path);
    try {
      const found = find(incoming.method, path);
      if (found.kind !== 'endpoint')
        return { answer: unknown(found, incoming.method, path), endpoint: 'unknown', control: false };
      const { endpoint, params } = found;
      const fault = controlled.dice.throwFor(controlled.world.behaviour.faults, isWrite(endpoint.route));
      const answer =
        fault && BEFORE.has(fault.kind)
          ? faultAnswer(fault, endpoint, controlled)
          : refusedOr(() => answerOf(endpoint, params, path, incoming));
      return { answer: laid(fault, answer, controlled), fault, endpoint: endpoint.name, control: false };
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      const answer = because(error.message, { status: 400, text: 'Bad Request: the URL is not as it should be' });
      return { answer, endpoint: 'unknown', control: false };
    }
  };
}

/** The organisation promises no Retry-After: a switch adds one. */
function rateLimitHeaders({ headers, waitMs }: Verdict, { switches }: Behaviour, api: Api): Record<string, string> {
  if (api !== 'organisation' || switches.organisationRetryAfter === 'off') return { ...headers };
  return { ...headers, 'Retry-After': String(Math.ceil(waitMs / 1000)) };
}

function controlReply(controlled: Controlled, { method, url, body }: Incoming, path: string): Reply {
  const query: Query = parseQuery(queryOf(url), 'space');
  return { answer: control(controlled, { method, path, query, body }), endpoint: path, control: true };
}

function refusedOr(answer: () => Answer): Answer {
  try {
    return answer();
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    throw error;
  }
}

const pathOf = (url: string): string => (url.includes('?') ? url.slice(0, url.indexOf('?')) : url);
const queryOf = (url: string): string => (url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');

const withHeaders = (answer: Answer, headers: Readonly<Record<string, string>>): Answer => ({
  ...answer,
  headers: { ...headers, ...answer.headers },
});

function unknown(
  found: { readonly kind: string; readonly allowed?: readonly string[] },
  method: string,
  path: string,
): Answer {
  const body = {
    simulator: `The simulator does not know ${method} ${path}.`,
    ...(found.allowed ? { allowed: found.allowed } : { see: 'docs/simulator.md lists what it knows.' }),
  };
  return found.allowed ? { status: 405, body, headers: { allow: found.allowed.join(', ') } } : { status: 404, body };
}

/** Refuses what the endpoint does not have: a misspelt filter would otherwise be ignored, and find everybody. */
function requireKnownQuery({ route }: Endpoint, { query, world }: Call): void {
  if (query.size === 0 || world.behaviour.switches.unknownFields === 'ignore') return;
  for (const name of query.keys()) {
    if (route.query?.includes(name)) continue;
    const problem = `there is no query parameter ${name} here`;
    throw new Refused(because(problem, badRequest(route.api, problem)));
  }
}

function badRequest(api: Api, problem: string): Answer {
  switch (api) {
    case 'organisation':
      return organisationError(400, 'ADMIN-400-24', 'Bad request', problem);
    case 'user-management':
      return manageError(400, 'bodyParseFailure');
    case 'jira':
    case 'data-center':
    case 'site':
      return jiraError(400, [problem]);
  }
}

/** Jira's XSRF check, which other callers than browsers pass by with a header (Atlassian's knowledge base). */
function requireNoXsrf({ route }: Endpoint, { headers, world }: Call): void {
  if (world.behaviour.switches.xsrf === 'off' || route.api !== 'jira' || !isWrite(route)) return;
  const fromBrowser = headers['user-agent']?.startsWith('Mozilla/');
  if (!fromBrowser || headers['x-atlassian-token'] === 'no-check') return;
  throw new Refused({ status: 403, text: 'XSRF check failed' });
}

/** The answer to a request that a fault kept from being applied. */
function faultAnswer(fault: Fault, { route }: Endpoint, { world }: Controlled): Answer {
  const { retryAfterSeconds, serverErrorRetryAfterSeconds } = world.behaviour.faults;
  if (fault.kind === 'rateLimited') {
    const reason: Record<string, string> = route.api === 'jira' ? { 'RateLimit-Reason': 'jira-burst-based' } : {};
    const headers = { ...reason, 'X-RateLimit-Remaining': '0', ...retryAfter(retryAfterSeconds) };
    return withHeaders(tooMany(route.api), headers);
  }
  if (fault.kind !== 'serverError') return { status: 0 };
  return serverError(fault.status, serverErrorRetryAfterSeconds);
}

const retryAfter = (seconds: number | null): Record<string, string> =>
  seconds === null ? {} : { 'Retry-After': String(seconds) };

const tooMany = (api: Api): Answer =>
  api === 'jira' || api === 'data-center'
    ? jiraError(429, ['Rate limit exceeded.'])
    : { status: 429, body: { code: 429, message: 'Too many requests' } };

const serverError = (status: number, retryAfterSeconds: number | null): Answer => ({
  status,
  text: `<html><body><h1>${status}</h1></body></html>`,
  headers: { 'content-type': 'text/html', ...(status === 503 ? retryAfter(retryAfterSeconds) : {}) },
});

/** A server error after the fact hides an answer that was applied. */
function laid(fault: Fault | undefined, answer: Answer, { world }: Controlled): Answer {
  if (fault?.kind !== 'serverErrorAfter') return answer;
  const { things = [], effective = false } = answer;
  return { ...serverError(fault.status, world.behaviour.faults.serverErrorRetryAfterSeconds), things, effective };
}
