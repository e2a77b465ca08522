import { ServiceRefusal } from '../service-refusal.ts';
import { encodePart } from '../signature/url.ts';
import type { Bucket } from './bucket.ts';
import { byUtf8, lowerBound } from './bucket-state.ts';
import { notImplemented, xmlAnswer, type Answer, type Call } from './http.ts';

const MOST_KEYS = 1_000;

interface Page {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page goes on: the last key or common prefix of this one. */
  readonly next?: string | undefined;
}

/** ListObjectsV2. */
export function listObjectsV2({ bucket, request: { query } }: Call): Answer {
  if (query.get('list-type') !== '2') throw notImplemented('list-type');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = maxKeysIn(query.get('max-keys'));
  const token = query.get('continuation-token');
  const after = token === undefined ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const page = pageOf(bucket.state.keys, { prefix, delimiter, maxKeys, after });
  const name = query.get('encoding-type') === 'url' ? urlEncoded : (text: string): string => text;
  return xmlAnswer('ListBucketResult', {
    Name: bucket.name,
    Prefix: name(prefix),
    Delimiter: delimiter === '' ? undefined : name(delimiter),
    StartAfter: query.get('start-after') && name(query.get('start-after') ?? ''),
    ContinuationToken: token,
    NextContinuationToken: page.next && Buffer.from(page.next).toString('base64url'),
    EncodingType: query.get('encoding-type'),
    KeyCount: page.keys.length + page.commonPrefixes.length,
    MaxKeys: maxKeys,
    IsTruncated: page.next !== undefined,
    Contents: page.keys.map((key) => contents(bucket, key, name)),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: name(common) })),
  });
}

function contents(bucket: Bucket, key: string, name: (text: string) => string) {
  const version = bucket.state.newest(key);
  return {
    Key: name(key),
    LastModified: new Date(version?.lastModifiedMs ?? 0).toISOString(),
    ETag: `"${version?.etag ?? ''}"`,
    Size: version?.size ?? 0,
    StorageClass: 'STANDARD',
  };
}

interface Wanted {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly after: string;
}

function pageOf(sorted: readonly string[], { prefix, delimiter, maxKeys, after }: Wanted): Page {
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  let last: string | undefined;
  if (maxKeys === 0) return { keys, commonPrefixes };
  for (let at = lowerBound(sorted, byUtf8(prefix, after) > 0 ? prefix : after); at < sorted.length; at += 1) {
    const key = sorted[at] ?? '';
    if (!key.startsWith(prefix)) break;
    const common = commonPrefixOf(key, prefix, delimiter);
    const item = common ?? key;
    if (item === last || byUtf8(item, after) <= 0) continue;
    if (keys.length + commonPrefixes.length === maxKeys) return { keys, commonPrefixes, next: last };
    (common === undefined ? keys : commonPrefixes).push(item);
    last = item;
  }
  return { keys, commonPrefixes };
}

function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

function maxKeysIn(text = String(MOST_KEYS)): number {
  if (/^\d+$/.test(text)) return Math.min(Number(text), MOST_KEYS);
  throw new ServiceRefusal(400, 'InvalidArgument', 'Provided max-keys not an integer or within integer range');
}

const urlEncoded = (text: string): string => encodePart(text).replaceAll('%2F', '/');
