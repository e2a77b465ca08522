/** The parts of an HTTP request that a signature covers. Header names are lower-case, as in Node's `headersDistinct`. */
export interface SignedParts {
  readonly method: string;
  /** As it was sent: path and query. */
  readonly url: string;
  readonly headers: NodeJS.Dict<string[]>;
}

interface Coverage {
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
  readonly service: string;
}

/** The text whose hash is signed. (IAM user guide, create a signed request, step 1.) */
export function canonicalRequest(
  { method, url, headers }: SignedParts,
  { signedHeaders, payloadHash, service }: Coverage,
): string {
  const [path, query = ''] = splitOnce(url, '?');
  const lines = signedHeaders.map((name) => `${name}:${(headers[name] ?? []).map(collapsed).join(',')}\n`);
  return [
    method,
    canonicalPath(path, service),
    canonicalQuery(query),
    lines.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** The query's pairs, decoded; a `+` stands for a space, as S3 reads it. */
export function queryPairs(query: string): readonly (readonly [string, string])[] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name, value = ''] = splitOnce(pair, '=');
      return [decoded(name.replaceAll('+', ' ')), decoded(value.replaceAll('+', ' '))] as const;
    });
}

/** Percent-decoding that leaves alone what is not valid, so that a signature over it still fails rather than the server. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return queryPairs(query)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted(byCodeUnit)
    .join('&');
}

// S3 alone encodes the path once; every other service encodes what was sent once more.
function canonicalPath(path: string, service: string): string {
  const once = (segment: string): string => encoded(decoded(segment));
  return path
    .split('/')
    .map(service === 's3' ? once : (segment) => encoded(once(segment)))
    .join('/');
}

/** Percent-encoding by RFC 3986, which is stricter than JavaScript's. */
export const encoded = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const collapsed = (value: string): string => value.trim().replace(/ +/g, ' ');

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
