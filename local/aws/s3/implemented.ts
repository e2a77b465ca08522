import { notImplemented } from './conditions.ts';
import type { StoreRequest } from './request.ts';

/** Presigned URLs, and what SDKs add to say what they do. */
const QUERY_OF_ALL =
  /^(?:X-Amz-(?:Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token|Content-Sha256)|x-id)$/;

/** What a request may ask for by `x-amz-` headers. Checksums asked for in an answer are optional to S3 as well. */
const HEADERS =
  /^x-amz-(?:date|content-sha256|security-token|user-agent|decoded-content-length|trailer|meta-.+|checksum-.+|sdk-checksum-algorithm|expected-bucket-owner|mp-object-size)$/;

const PLAIN_VALUES: Readonly<Record<string, readonly string[]>> = {
  'x-amz-acl': ['private', 'bucket-owner-full-control'],
  'x-amz-server-side-encryption': ['AES256'],
  'x-amz-storage-class': ['STANDARD'],
};
const UNSUPPORTED = ['if-modified-since', 'if-unmodified-since'];

const FIELDS =
  /^(?:key|policy|bucket|content-type|content-disposition|content-encoding|content-language|cache-control|expires|success_action_status|success_action_redirect|x-amz-(?:algorithm|credential|date|signature|security-token|meta-.+)|x-ignore-.*)$/;

/** Refuses, with 501 as S3 does, what would otherwise be passed over in silence. `known` are the query's names that the operation reads. */
export function checkImplemented({ headers, query }: StoreRequest, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name) && !QUERY_OF_ALL.test(name)) throw notImplemented(name);
  }
  for (const [name, value] of Object.entries(headers)) {
    const plain = PLAIN_VALUES[name];
    if (plain ? !plain.includes(String(value)) : name.startsWith('x-amz-') && !HEADERS.test(name))
      throw notImplemented(name);
    if (UNSUPPORTED.includes(name)) throw notImplemented(name);
  }
}

/** The same for the fields of a form. */
export function checkFields(names: Iterable<string>): void {
  for (const name of names) if (!FIELDS.test(name)) throw notImplemented(name);
}
