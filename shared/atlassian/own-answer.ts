import { ENDPOINTS, type Api, type Call } from './endpoints.ts';
import type { Body, HttpAnswer } from './http.ts';

/**
 * Whether an API itself answered, rather than what stands before it or in its place: a proxy, a firewall, the page of an outage, or
 * another server at a wrong address. Those answer with pages of HTML, and an API's own 404 is its error in JSON (public logs of May
 * and June 2026).
 */
export function isOwnAnswer(call: Call, answer: HttpAnswer): boolean {
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300) return isOwnSuccess(call, answer);
  if (status === 401) return true; // Jira Data Center answers it with a page of its own
  if (status === 403 && LOGIN_HEADERS.some((name) => headers[name] !== undefined)) return true;
  if (status >= 300 && status < 400) return false;
  if (status === 404) return hasErrorShape(ENDPOINTS[call].api, body) || saysNoResource(call, body);
  return status >= 500 || !isPage(body);
}

/** Jira Data Center refuses a login with a page, and says so in a header. (Atlassian's knowledge base, CAPTCHA challenge.) */
const LOGIN_HEADERS = ['x-authentication-denied-reason', 'x-seraph-loginreason'];

/** A read's success is JSON, perhaps cut short on its way; a write's is what confirms it. */
function isOwnSuccess(call: Call, { status, body }: HttpAnswer): boolean {
  if (body.type === 'too-large') return true;
  const { confirmedBy } = ENDPOINTS[call];
  if (confirmedBy === undefined) return body.type === 'json' || body.type === 'none' || isCutShort(body);
  return confirmedBy.some((confirmation) => confirmation.status === status && confirmation.body === body.type);
}

const isCutShort = (body: Body): boolean => body.type === 'text' && /^\s*[[{]/.test(body.text);

/** Whether a text is HTML or XML. */
const isPage = (body: Body): boolean => body.type === 'text' && /^\s*</.test(body.text);

/** Whether a body is an error in the shape that its API gives all of them. */
function hasErrorShape(api: Api, body: Body): boolean {
  if (body.type !== 'json' || typeof body.value !== 'object' || body.value === null) return false;
  switch (api) {
    case 'jira':
    case 'data-center':
      return 'errorMessages' in body.value || 'errors' in body.value;
    case 'organisation':
      return 'errors' in body.value || ('code' in body.value && String(body.value.code).startsWith('ADMIN-'));
    case 'user-management':
      return 'key' in body.value;
    default:
      return api satisfies never;
  }
}

/** Servers that are older than an endpoint say in another shape that there is no such resource. */
const saysNoResource = (call: Call, body: Body): boolean =>
  NEWER.includes(call) &&
  body.type === 'json' &&
  typeof body.value === 'object' &&
  body.value !== null &&
  'status-code' in body.value;

const NEWER: readonly Call[] = ['dcListUsers', 'dcReadOnlyMode'];
