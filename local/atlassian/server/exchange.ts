import type { IncomingHttpHeaders } from 'node:http';

import { type Answer, because, jiraError, manageError, organisationError, Refused } from '../routes/answer.ts';
import type { Api, Call } from '../routes/call.ts';
import { authenticate } from './authentication.ts';
import { answerControl, CONTROL_PREFIX, type Controlled } from './control.ts';
import { BEFORE, createRefusedWrites, type Fault } from './faults.ts';
import { type Admission, createLimiter } from './limits.ts';
import { createRouter, type Endpoint, type Found, isWrite, parseQuery, ROUTES } from './router.ts';

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
  readonly access: 'read' | 'write';
  /** Control requests meet no latency and no fault, and are not logged. */
  readonly control: boolean;
}

/** Answers requests, one at a time, as Atlassian would: route, credentials, limits, contract, then the endpoint itself. */
export function createExchange(controlled: Controlled): (incoming: Incoming) => Reply {
  const { world } = controlled;
  const find = createRouter(ROUTES);
  const limiter = createLimiter(() => world.ports.clock.now().getTime());
  const refusedWrites = createRefusedWrites();

  const answerOf = (endpoint: Endpoint, params: Call['params'], path: string, incoming: Incoming): Answer => {
    const { authorization = '' } = incoming.headers;
    const caller = authenticate({ world, route: endpoint.route, authorization, cloudId: params['cloudId'] });
    const admission = limiter.admit(endpoint, caller.name, world.behaviour.limits);
    if (admission.refusal) return withHeaders(admission.refusal, refusalHeaders(admission, endpoint, controlled));
    const query = parseQuery(queryOf(incoming.url), world.behaviour.switches.plusInQuery);
    const call: Call = { path, params, query, headers: incoming.headers, body: incoming.body, world, caller };
    return withHeaders(
      refusedOr(() => handle(endpoint, call)),
      admission.headers,
    );
  };

  const handle = ({ route }: Endpoint, call: Call): Answer => {
    const { refuseWrites, refusedWrites: rules, switches } = world.behaviour;
    if (switches.unknownFields === 'refuse') requireKnownQuery(route, call);
    if (switches.xsrf === 'on' && route.api === 'jira' && isWrite(route)) requireNoXsrf(call);
    if (refuseWrites && isWrite(route)) return because('refuseWrites is set', forbidden(route.api));
    const refusal = isWrite(route) ? refusedWrites.answerTo(rules, route.method, call) : undefined;
    return refusal ?? route.handle(call);
  };

  return (incoming) => {
    const { method, url } = incoming;
    const path = url.includes('?') ? url.slice(0, url.indexOf('?')) : url;
    if (path.startsWith(CONTROL_PREFIX)) {
      const request = { method, path, query: parseQuery(queryOf(url), 'space'), body: incoming.body };
      return { answer: answerControl(controlled, request), endpoint: path, access: 'read', control: true };
    }
    try {
      const found = find(method, path);
      if (found.kind !== 'endpoint') return { ...unknownReply(method), answer: unknown(found, method, path) };
      const { endpoint, params } = found;
      const fault = controlled.dice.throwFor(world.behaviour.faults, isWrite(endpoint.route));
      const answer =
        fault && BEFORE.has(fault.kind)
          ? faultAnswer(fault, endpoint, controlled)
          : refusedOr(() => answerOf(endpoint, params, path, incoming));
      const access = isWrite(endpoint.route) ? 'write' : 'read';
      return { answer: hiddenBy(fault, answer, controlled), fault, endpoint: endpoint.name, access, control: false };
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      const answer = because(error.message, { status: 400, text: 'Bad Request: the URL is not as it should be' });
      return { ...unknownReply(method), answer };
    }
  };
}

/** Whatever is no GET would have been a write. */
export const unknownReply = (method: string): Omit<Reply, 'answer'> => ({
  endpoint: 'unknown',
  access: method === 'GET' ? 'read' : 'write',
  control: false,
});

function refusedOr(answer: () => Answer): Answer {
  try {
    return answer();
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    throw error;
  }
}

const queryOf = (url: string): string => (url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');

const withHeaders = (answer: Answer, headers: Readonly<Record<string, string>>): Answer => ({
  ...answer,
  headers: { ...headers, ...answer.headers },
});

/** The organisation promises no Retry-After: a switch adds one. */
function refusalHeaders({ headers, waitMs }: Admission, { route }: Endpoint, { world }: Controlled) {
  const adds = route.api === 'organisation' && world.behaviour.switches.organisationRetryAfter === 'on';
  return adds ? { ...headers, 'Retry-After': String(Math.ceil(waitMs / 1000)) } : headers;
}

function unknown(found: Exclude<Found, { readonly kind: 'endpoint' }>, method: string, path: string): Answer {
  const simulator = `The simulator does not know ${method} ${path}.`;
  if (found.kind === 'unknown') {
    return { status: 404, body: { simulator, see: 'docs/simulator.md lists what it knows.' } };
  }
  const { allowed } = found;
  return { status: 405, body: { simulator, allowed }, headers: { allow: allowed.join(', ') } };
}

/** Refuses what the endpoint does not have: a misspelt filter would otherwise be ignored, and find everybody. */
function requireKnownQuery(route: Endpoint['route'], { query }: Call): void {
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

function forbidden(api: Api): Answer {
  switch (api) {
    case 'organisation':
      return organisationError(403, 'ADMIN-403-3', 'Forbidden');
    case 'user-management':
      return manageError(403, 'forbidden');
    case 'jira':
    case 'data-center':
    case 'site':
      return jiraError(403, ['You may not change anything.']);
  }
}

/** Jira's XSRF check, which other callers than browsers pass by with a header (Atlassian's knowledge base). */
function requireNoXsrf({ headers }: Call): void {
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
  switch (fault.kind) {
    case 'serverError':
      return serverError(fault.status, serverErrorRetryAfterSeconds);
    case 'page':
      return page(fault.status);
    case 'empty':
      return EMPTY;
    default:
      return { status: 0 };
  }
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

/** The page of an outage (public logs of May and June 2026). */
const page = (status: number): Answer => ({
  status,
  text: '<!DOCTYPE html><html><head><title>Page Unavailable</title></head><body>This page is currently unavailable.</body></html>',
  headers: { 'content-type': 'text/html' },
});

const EMPTY: Answer = { status: 200 };

/** Some faults hide the answer to a request that was applied. */
function hiddenBy(fault: Fault | undefined, answer: Answer, { world }: Controlled): Answer {
  const { things = [], effective = false } = answer;
  switch (fault?.kind) {
    case 'serverErrorAfter':
      return { ...serverError(fault.status, world.behaviour.faults.serverErrorRetryAfterSeconds), things, effective };
    case 'pageAfter':
      return { ...page(fault.status), things, effective };
    case 'emptyAfter':
      return { ...EMPTY, things, effective };
    default:
      return answer;
  }
}
