import { badRequest } from '../service-refusal.ts';
import { encodePart } from '../signature/url.ts';
import { byUtf8, lowerBound, type Version } from './bucket-state.ts';
import { notImplemented, xmlAnswer, type Answer, type Call, type XmlElements } from './http.ts';

const MOST_KEYS = 1_000;

/** ListObjectsV2. */
export function listObjectsV2(call: Call): Answer {
  const { query } = call.request;
  if (query.get('list-type') !== '2') throw notImplemented('list-type');
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const key = token === undefined ? (startAfter ?? '') : Buffer.from(token, 'base64url').toString();
  const page = pageOf(call, objectsOf(call), { key });
  return xmlAnswer('ListBucketResult', {
    ...page.elements,
    StartAfter: startAfter && page.encode(startAfter),
    ContinuationToken: token,
    NextContinuationToken: page.next && Buffer.from(page.next.key).toString('base64url'),
    KeyCount: page.versions.length + page.commonPrefixes.length,
    Contents: page.versions.map((version) => versionElements(version, page)),
  });
}

/** ListObjects, the first version: it goes on from a key instead of a token. */
export function listObjects(call: Call): Answer {
  const key = call.request.query.get('marker') ?? '';
  const page = pageOf(call, objectsOf(call), { key });
  return xmlAnswer('ListBucketResult', {
    ...page.elements,
    Marker: page.encode(key),
    // Without a delimiter clients go on from the last key. (S3 API reference, ListObjects.)
    NextMarker: page.elements['Delimiter'] && page.next && page.encode(page.next.key),
    Contents: page.versions.map((version) => versionElements(version, page)),
  });
}

/** ListObjectVersions: of each key the newest first, delete markers among them. */
export function listObjectVersions(call: Call): Answer {
  const { state } = call.bucket;
  const key = call.request.query.get('key-marker') ?? '';
  const versionId = call.request.query.get('version-id-marker');
  const page = pageOf(call, { keys: state.allKeys(), versionsOf: state.versions }, { key, versionId });
  const elements = (version: Version): XmlElements => ({
    ...versionElements(version, page),
    VersionId: version.versionId,
    IsLatest: version === state.newest(version.key),
  });
  return xmlAnswer('ListVersionsResult', {
    ...page.elements,
    KeyMarker: page.encode(key),
    VersionIdMarker: versionId ?? '',
    NextKeyMarker: page.next && page.encode(page.next.key),
    NextVersionIdMarker: page.next?.versionId,
    Version: page.versions.filter(({ isDeleteMarker }) => !isDeleteMarker).map(elements),
    DeleteMarker: page.versions.filter(({ isDeleteMarker }) => isDeleteMarker).map(elements),
  });
}

interface Listed {
  /** In UTF-8 order. */
  readonly keys: readonly string[];
  /** Newest first. */
  readonly versionsOf: (key: string) => readonly Version[];
}

/** The last that a page lists: the next one goes on behind it. A common prefix has no version, and all of it is behind. */
interface Place {
  readonly key: string;
  readonly versionId?: string | undefined;
}

interface Page {
  readonly versions: readonly Version[];
  readonly commonPrefixes: readonly string[];
  readonly next?: Place | undefined;
  readonly encode: (text: string) => string;
  /** What all listings say alike. */
  readonly elements: XmlElements;
}

const objectsOf = ({ bucket: { state } }: Call): Listed => ({
  keys: state.keys,
  versionsOf: (key) => state.versions(key).slice(0, 1),
});

function pageOf({ bucket, request: { query } }: Call, listed: Listed, after: Place): Page {
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const maxKeys = maxKeysIn(query.get('max-keys'));
  const encode = query.get('encoding-type') === 'url' ? urlEncoded : (text: string): string => text;
  const versions: Version[] = [];
  const commonPrefixes: string[] = [];
  let last: Place | undefined;
  let isTruncated = false;
  for (const version of maxKeys === 0 ? [] : versionsAfter(listed, prefix, after)) {
    const common = commonPrefixOf(version.key, prefix, delimiter);
    if (common !== undefined && (common === last?.key || byUtf8(common, after.key) <= 0)) continue;
    isTruncated = versions.length + commonPrefixes.length === maxKeys;
    if (isTruncated) break;
    if (common === undefined) versions.push(version);
    else commonPrefixes.push(common);
    last = common === undefined ? version : { key: common };
  }
  const elements = {
    Name: bucket.name,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    EncodingType: query.get('encoding-type'),
    MaxKeys: maxKeys,
    IsTruncated: isTruncated,
    CommonPrefixes: commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  };
  return { versions, commonPrefixes, next: isTruncated ? last : undefined, encode, elements };
}

function* versionsAfter({ keys, versionsOf }: Listed, prefix: string, after: Place): Iterable<Version> {
  for (let at = lowerBound(keys, byUtf8(prefix, after.key) > 0 ? prefix : after.key); at < keys.length; at += 1) {
    const key = keys[at] ?? '';
    if (!key.startsWith(prefix)) return;
    const versions = versionsOf(key);
    if (key !== after.key) yield* versions;
    else if (after.versionId) yield* versions.slice(1 + versions.findIndex((one) => one.versionId === after.versionId));
  }
}

function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

const versionElements = (version: Version, { encode }: Page): XmlElements => ({
  Key: encode(version.key),
  LastModified: new Date(version.lastModifiedMs).toISOString(),
  ...(!version.isDeleteMarker && { ETag: `"${version.etag}"`, Size: version.size, StorageClass: 'STANDARD' }),
});

function maxKeysIn(text = String(MOST_KEYS)): number {
  if (/^\d+$/.test(text)) return Math.min(Number(text), MOST_KEYS);
  throw badRequest('InvalidArgument', 'Provided max-keys not an integer or within integer range');
}

const urlEncoded = (text: string): string => encodePart(text).replaceAll('%2F', '/');
