import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';

import { notFound, ServiceRefusal } from '../service-refusal.ts';
import type { Bucket } from './bucket.ts';
import type { Version } from './bucket-state.ts';
import { noSuchKey, readCondition } from './conditions.ts';
import { header, methodNotAllowed, xmlAnswer, type Answer, type Call } from './http.ts';
import { versionHeaders } from './put-object.ts';

const SMALL_BYTES = 65_536;
const PART_BYTES = 262_144;

/** GetObject and HeadObject. */
export function getObject({ bucket, request }: Call): Answer {
  const version = findVersion(bucket, request.key, request.query.get('versionId'));
  const headers = {
    ...version.headers,
    ...versionHeaders(version),
    'last-modified': new Date(version.lastModifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (readCondition(request, version) === 'unchanged') return { status: 304, headers };
  const range = rangeOf(header(request, 'range'), version.size);
  const { start, end } = range ?? { start: 0, end: version.size };
  const found = {
    status: range ? 206 : 200,
    headers: {
      ...headers,
      'content-length': end - start,
      ...(range && { 'content-range': `bytes ${start}-${end - 1}/${version.size}` }),
    },
  };
  return request.method === 'HEAD' ? found : { ...found, ...readBody(bucket, version, { start, end }) };
}

/** GetObjectTagging: no object has tags, as writing them is not implemented. The AWS CLI asks before it copies in parts. */
export function getObjectTagging({ bucket, request }: Call): Answer {
  findVersion(bucket, request.key, undefined);
  return xmlAnswer('Tagging', { TagSet: '' });
}

/** The object under a key, or one of its versions; throws NoSuchKey, NoSuchVersion, or MethodNotAllowed for a delete marker. */
export function findVersion(bucket: Bucket, key: string, versionId: string | undefined): Version {
  if (versionId === undefined) {
    const newest = bucket.state.newest(key);
    if (newest && !newest.isDeleteMarker) return newest;
    throw noSuchKey(key);
  }
  const version = bucket.state.version(key, versionId);
  if (version?.isDeleteMarker) throw methodNotAllowed();
  if (version) return version;
  throw notFound('NoSuchVersion', 'The specified version does not exist.', { Key: key, VersionId: versionId });
}

/** `end` is the byte after the last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

// A range that cannot be understood is no range. (RFC 9110, section 14.2.)
function rangeOf(text: string | undefined, size: number): Range | undefined {
  const [, first = '', last = ''] = text?.match(/^bytes=(\d*)-(\d*)$/) ?? [];
  if (first === '' && last === '') return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (start < end) return { start, end };
  throw new ServiceRefusal(416, 'InvalidRange', 'The requested range is not satisfiable', {
    RangeRequested: text ?? '',
    ActualObjectSize: size,
  });
}

interface Segment extends Range {
  readonly file: number;
}

function readBody(bucket: Bucket, version: Version, range: Range): Pick<Answer, 'body' | 'release'> {
  if (range.end - range.start <= SMALL_BYTES)
    return { body: Buffer.concat(openSegments(bucket, version, range).map(readAndClose)) };
  const { bytes, release } = openContent(bucket, version, range);
  return { body: bytes, release };
}

/** Opens a version's files at once, as they may be replaced while they are read; `release` is called when that is done or given up. */
export function openContent(bucket: Bucket, version: Version, range: Range) {
  const streams = openSegments(bucket, version, range).map(({ file, start, end }) =>
    createReadStream('', { fd: file, start, end: end - 1, highWaterMark: PART_BYTES }),
  );
  return { bytes: joined(streams), release: (): void => streams.forEach((stream) => stream.destroy()) };
}

function openSegments(bucket: Bucket, { blobs }: Version, { start, end }: Range): readonly Segment[] {
  const segments: Segment[] = [];
  let offset = 0;
  for (const blob of blobs) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, blob.size);
    if (from < to) segments.push({ file: openSync(bucket.pathOf(blob), 'r'), start: from, end: to });
    offset += blob.size;
  }
  return segments;
}

function readAndClose({ file, start, end }: Segment): Buffer {
  const bytes = Buffer.allocUnsafe(end - start);
  readSync(file, bytes, 0, bytes.length, start);
  closeSync(file);
  return bytes;
}

async function* joined(streams: readonly Readable[]): AsyncIterable<Buffer> {
  for (const stream of streams) yield* stream;
}
