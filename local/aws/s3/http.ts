import type { IncomingMessage } from 'node:http';

import { badRequest, ServiceRefusal } from '../service-refusal.ts';
import type { Verified } from '../signature/signature.ts';
import { decodePart, splitUrl } from '../signature/url.ts';
import type { Bucket } from './bucket.ts';

/** A request to the store, path-style: `/<bucket>/<key>?<query>`. An empty bucket is the service, an empty key the bucket. */
export interface StoreRequest {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingMessage['headers'];
  readonly message: IncomingMessage;
}

/** A request to a bucket that there is, or to something in it, whose signature holds. */
export interface Call {
  readonly request: StoreRequest;
  readonly verified: Verified;
  readonly bucket: Bucket;
  /** Any bucket by its name; throws NoSuchBucket. */
  readonly bucketOf: (name: string) => Bucket;
  readonly region: string;
  readonly now: () => Date;
}

/** A call by a form, whose policy is signed instead. */
export type UnverifiedCall = Omit<Call, 'verified'>;

/** What a request comes to; `release` is called once the body is sent or given up. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly release?: () => void;
}

/** UTF-8 bytes. (S3 user guide, naming objects.) */
const LONGEST_KEY = 1_024;

/** Takes a request apart; throws ServiceRefusal when its URL is none. */
export function storeRequest(message: IncomingMessage): StoreRequest {
  const { path, query } = splitUrl(message.url ?? '/');
  const [, bucket = '', key = ''] = path.match(/^\/?([^/]*)\/?(.*)$/s) ?? [];
  return {
    method: message.method ?? 'GET',
    bucket: decodePart(bucket),
    key: checkedKey(decodePart(key)),
    query: new Map(query),
    headers: message.headers,
    message,
  };
}

/** The key itself, unless it is longer than S3 allows. */
export function checkedKey(key: string): string {
  if (Buffer.byteLength(key) <= LONGEST_KEY) return key;
  throw badRequest('KeyTooLongError', 'Your key is too long', { MaxSizeAllowed: LONGEST_KEY });
}

/** A header's only value. */
export const header = ({ headers }: StoreRequest, name: string): string | undefined => headers[name]?.toString();

/** The body as it comes; who stops reading it leaves the connection whole, so that the answer still gets through. */
export const bodyOf = ({ message }: StoreRequest): AsyncIterable<Buffer> =>
  message.iterator({ destroyOnReturn: false }); // no encoding is set, so these are buffers

/** What an element of an answer holds; `undefined` leaves it out, a list repeats it. */
type XmlContent = string | number | boolean | undefined | XmlElements | readonly XmlElements[];
export interface XmlElements {
  readonly [name: string]: XmlContent;
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A 200 with an XML body. */
export const xmlAnswer = (root: string, content: XmlContent, headers: Answer['headers'] = {}): Answer => ({
  status: 200,
  headers: { ...headers, 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${inner(content)}</${root}>`,
});

/** An error of S3 as XML, which has no namespace. */
export const xmlError = (content: XmlElements): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${element('Error', content)}`;

function element(name: string, value: XmlContent): string {
  if (value === undefined) return '';
  if (isList(value)) return value.map((item) => element(name, item)).join('');
  return `<${name}>${inner(value)}</${name}>`;
}

const inner = (value: XmlContent): string =>
  typeof value === 'object'
    ? Object.entries(value)
        .map(([name, content]) => element(name, content))
        .join('')
    : escaped(String(value));

const isList = (value: XmlContent): value is readonly XmlElements[] => Array.isArray(value);

// Control characters as references: XML 1.0 knows no such thing, but S3 does it, and keys may hold them.
const escaped = (text: string): string =>
  text.replace(/[&<>"\p{Cc}]/gu, (character) => `&#${character.codePointAt(0)};`);

/** Refuses what would otherwise be passed over in silence. */
export function notImplemented(what: string): ServiceRefusal {
  const message = 'A header or query you provided implies functionality that is not implemented.';
  return new ServiceRefusal(501, 'NotImplemented', message, { Header: what });
}

/** Refuses a method that the service, bucket or object does not take. */
export const methodNotAllowed = (): ServiceRefusal =>
  new ServiceRefusal(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');
