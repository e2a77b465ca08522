import type { Body } from './http.ts';

/** What the body of an error says: the keys that programs read, and the words that people do. */
export interface ErrorBody {
  readonly keys: readonly string[];
  readonly words: string;
}

/** Atlassian's own words in a message are at most this long. */
const EXCERPT_CHARACTERS = 300;
const DEEPEST = 8;
const MOST_TEXTS = 40;

/** Properties that hold what programs read, in all of Atlassian's shapes of an error. */
const KEYS = new Set(['key', 'errorKey', 'code']);
/** Properties that explain nothing to a person. */
const SILENT = new Set([
  'id',
  'status',
  'path',
  'timestamp',
  'requestId',
  'self',
  'link',
  'links',
  'accountId',
  'field',
]);

/** The keys and words in an error's body, whatever its shape: nothing that a server sends makes this throw. */
export function readErrorBody(body: Body): ErrorBody {
  if (body.type === 'text') return { keys: [], words: cleanText(body.text) };
  if (body.type !== 'json') return { keys: [], words: '' };
  const found: Found = { keys: [], texts: [] };
  collect(body.value, { name: '', depth: 0, found });
  return { keys: found.keys, words: cleanText([...new Set(found.texts)].join('; ')) };
}

/** What the body says, for a message: short, on one line, without any of the secrets. */
export function quoteErrorBody({ keys, words }: ErrorBody, secrets: readonly string[]): string {
  const text = [[...new Set(keys)].join(', '), words].filter((part) => part !== '').join(': ');
  const clean = secrets.reduce((kept, secret) => (secret === '' ? kept : kept.replaceAll(secret, '***')), text);
  return clean.length > EXCERPT_CHARACTERS ? `${clean.slice(0, EXCERPT_CHARACTERS - 1).toWellFormed()}…` : clean;
}

interface Found {
  readonly keys: string[];
  readonly texts: string[];
}

function collect(value: unknown, at: { readonly name: string; readonly depth: number; readonly found: Found }): void {
  const { name, depth, found } = at;
  if (depth > DEEPEST || found.keys.length + found.texts.length >= MOST_TEXTS) return;
  if (typeof value === 'string' || typeof value === 'number') {
    if (KEYS.has(name)) found.keys.push(String(value).slice(0, 200));
    else if (typeof value === 'string' && !SILENT.has(name) && value.trim() !== '')
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
