import type * as z from 'zod';

import { ENDPOINTS, type Call, type Endpoint } from './endpoints.ts';
import { mapError, type ErrorBody } from './error-mapping.ts';
import { NoAnswer, Refusal } from './errors.ts';
import type { Body, HttpAnswer, HttpFailure } from './http.ts';

/** The refusal that an answer of an error status means; none of the secrets appears in its message. */
export function createRefusal(
  call: Call,
  answer: HttpAnswer,
  options: { readonly secrets: readonly string[]; readonly uncertain?: boolean },
): Refusal {
  const { status, body, traceId } = answer;
  const { secrets, uncertain = false } = options;
  const details = { httpStatus: status, traceId, uncertain };
  const answered = `Atlassian answered ${status} when asked to ${ENDPOINTS[call].to}`;
  const errorBody = readErrorBody(body);
  const { code, hint } = mapError(call, status, errorBody);
  const quote = quoteErrorBody(errorBody, secrets);
  return new Refusal(
    code === 'unchanged' ? 'REQUEST_REFUSED' : code, // only a write can come out unchanged
    [quote === '' ? `${answered}.` : `${answered}: "${quote}".`, hint].filter(Boolean).join(' '),
    details,
  );
}

function findHost(location: string | readonly string[] | undefined, baseUrl: string): string {
  const text = typeof location === 'string' ? location : location?.[0];
  return text !== undefined && URL.canParse(text, baseUrl) ? ` to ${new URL(text, baseUrl).host}` : '';
}

/** Where something else answered, and whether Atlassian itself has answered there before. */
export interface Address {
  readonly baseUrl: string;
  /** What in the target's secret says so. */
  readonly checks: string;
  readonly isKnown: boolean;
}

/** Something else answered in Atlassian's place: an outage where it has answered before, otherwise a wrong address. A write may have been made. */
export function createForeignError(
  call: Call,
  { status, headers, body, traceId }: HttpAnswer,
  address: Address,
): Refusal {
  const { to, access } = ENDPOINTS[call];
  const { baseUrl, checks, isKnown } = address;
  const redirect =
    status >= 300 && status < 400
      ? ` It sends on${findHost(headers['location'], baseUrl)}, where Rollcall does not follow.`
      : '';
  const answered = `What answered ${status} at ${baseUrl} when asked to ${to} is not Atlassian's API (${describe(body)}).${redirect}`;
  const details = { httpStatus: status, traceId, uncertain: access === 'write' };
  if (isKnown) {
    const made = access === 'write' ? ' The change may have been made.' : '';
    return new Refusal(
      'ATLASSIAN_ERROR',
      `${answered} Atlassian answered there before, so this may be an outage.${made}`,
      details,
    );
  }
  return new Refusal('SITE_NOT_FOUND', `${answered} Check ${checks} in the target's secret.`, details);
}

function describe(body: Body): string {
  switch (body.type) {
    case 'none':
      return 'an answer without content';
    case 'json':
      return 'other JSON than it gives';
    case 'too-large':
      return 'a long answer';
    case 'text': {
      const title = /<title[^>]*>([^<]{0,200})/i.exec(body.text)?.[1];
      const said = cleanText(title ?? body.text);
      const shown = said.length > 80 ? `${said.slice(0, 79).toWellFormed()}…` : said;
      return shown === '' ? 'a page' : `it says "${shown}"`;
    }
    default:
      return body satisfies never;
  }
}

/** An answer that is larger than a stage allows. */
export const createSizeError = (call: Call, { status, traceId }: HttpAnswer): Refusal =>
  new Refusal(
    'REQUEST_REFUSED',
    `Atlassian's answer when asked to ${ENDPOINTS[call].to} is larger than this stage allows; raise its response limit.`,
    { httpStatus: status, traceId },
  );

/** A success's JSON in another shape than its schema; names the fields that do not fit and none of their values. */
export function createShapeError(call: Call, { issues }: z.ZodError): Refusal {
  const fields = new Set(issues.map(({ path }) => path.join('.') || 'the whole'));
  return new Refusal(
    'ATLASSIAN_ERROR',
    `Atlassian's answer when asked to ${ENDPOINTS[call].to} does not have the documented shape (${[...fields].slice(0, 3).join(', ')}).`,
  );
}

/** Pages without an end, or without anything new in them. */
export const createPagingError = (call: Call): Refusal =>
  new Refusal(
    'ATLASSIAN_ERROR',
    `Atlassian's pages when asked to ${ENDPOINTS[call].to} do not come to an end: the next one brings nothing new.`,
  );

/** A proxy or gateway answered a write: whether it was made is not known. */
export function createGatewayError(call: Call, { status }: HttpAnswer): NoAnswer {
  return new NoAnswer(
    `A proxy or gateway answered ${status} in place of Atlassian when asked to ${ENDPOINTS[call].to}; the change may have been made.`,
  );
}

/** No complete answer: a read may be tried again, a write may have been made unless nothing was sent. */
export function createTransportError({ to, access }: Endpoint, { type, cause }: HttpFailure): Refusal | NoAnswer {
  const reason = nameReason(cause);
  if (type === 'not-sent') {
    return new Refusal('ATLASSIAN_ERROR', `Could not reach Atlassian to ${to} (${reason}).`, { cause });
  }
  const message = `No complete answer came from Atlassian when asked to ${to} (${reason}).`;
  return access === 'write' ? new NoAnswer(message, { cause }) : new Refusal('TIMED_OUT', message, { cause });
}

/** The failure's stable code; its own words may name addresses. */
function nameReason(cause: unknown): string {
  if (!(cause instanceof Error)) return 'aborted';
  const code: unknown = Reflect.get(cause, 'code');
  return typeof code === 'string' ? code : cause.name;
}

/** Atlassian's own words in a message are at most this long. */
const EXCERPT_CHARACTERS = 300;

function quoteErrorBody({ keys, words }: ErrorBody, secrets: readonly string[]): string {
  const text = [[...new Set(keys)].join(', '), words].filter((part) => part !== '').join(': ');
  const clean = secrets.reduce((kept, secret) => (secret === '' ? kept : kept.replaceAll(secret, '***')), text);
  return clean.length > EXCERPT_CHARACTERS ? `${clean.slice(0, EXCERPT_CHARACTERS - 1).toWellFormed()}…` : clean;
}

const DEEPEST = 8;
const MOST_TEXTS = 40;

/** Properties that hold what programs read, in all of Atlassian's shapes of an error. */
const KEYS = ['key', 'errorKey', 'code'];
/** Properties that explain nothing to a person. */
const SILENT = ['id', 'status', 'path', 'timestamp', 'requestId', 'self', 'link', 'links', 'accountId', 'field'];

/** The keys and words in an error's body, whatever its shape: nothing that a server sends makes this throw. */
export function readErrorBody(body: Body): ErrorBody {
  if (body.type === 'text') return { keys: [], words: cleanText(body.text) };
  if (body.type !== 'json') return { keys: [], words: '' };
  const found: Found = { keys: [], texts: [] };
  collect(body.value, { name: '', depth: 0, found });
  return { keys: found.keys, words: cleanText([...new Set(found.texts)].join('; ')) };
}

interface Found {
  readonly keys: string[];
  readonly texts: string[];
}

function collect(value: unknown, at: { readonly name: string; readonly depth: number; readonly found: Found }): void {
  const { name, depth, found } = at;
  if (depth > DEEPEST || found.keys.length + found.texts.length >= MOST_TEXTS) return;
  if (typeof value === 'string' || typeof value === 'number') {
    if (KEYS.includes(name)) found.keys.push(String(value).slice(0, 200));
    else if (typeof value === 'string' && !SILENT.includes(name) && value.trim() !== '')
      found.texts.push(value.slice(0, 2_000));
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, { name, depth: depth + 1, found });
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) collect(item, { name: key, depth: depth + 1, found });
  }
}

/** One line of text: tags, control characters and runs of space are taken out. */
const cleanText = (text: string): string =>
  text
    .slice(0, 20_000)
    .replace(/<(script|style)\b[^>]*>[^<]*<\/\1>/gi, ' ')
    .replace(/<[^>]{0,500}>/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
