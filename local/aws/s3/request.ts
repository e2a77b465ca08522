import type { IncomingMessage } from 'node:http';

import { ServiceRefusal } from '../service-refusal.ts';
import { decodePart, splitUrl } from '../signature/url.ts';

/** A request to the store, path-style: `/<bucket>/<key>?<query>`. An empty bucket is the service, an empty key the bucket. */
export interface StoreRequest {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingMessage['headers'];
  readonly message: IncomingMessage;
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
  throw new ServiceRefusal(400, 'KeyTooLongError', 'Your key is too long', { MaxSizeAllowed: LONGEST_KEY });
}

/** A header's only value. */
export const header = ({ headers }: Pick<StoreRequest, 'headers'>, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};

/** The body as it comes; who stops reading it leaves the connection whole, so that the answer still gets through. */
export const bodyOf = ({ message }: StoreRequest): AsyncIterable<Buffer> =>
  message.iterator({ destroyOnReturn: false }); // no encoding is set, so these are buffers
