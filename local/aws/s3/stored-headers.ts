import { ServiceRefusal } from '../service-refusal.ts';

/** Kept with an object and given back with it. */
const KEPT = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
const METADATA = 'x-amz-meta-';
/** Of all user metadata together. (S3 user guide, object metadata.) */
const METADATA_BYTES = 2_048;

/** What of a write's headers, or of a form's fields, is kept with the object. Names are lower-case. */
export function storedHeaders(
  given: Iterable<readonly [string, string | readonly string[] | undefined]>,
): Readonly<Record<string, string>> {
  const kept: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const [name, value] of given) {
    if (value === undefined || !(KEPT.includes(name) || name.startsWith(METADATA))) continue;
    const text = name === 'content-encoding' ? withoutChunking(String(value)) : String(value);
    if (text !== '') kept[name] = text;
  }
  const metadata = Object.entries(kept).filter(([name]) => name.startsWith(METADATA));
  const bytes = metadata.reduce(
    (sum, [name, value]) => sum + name.length - METADATA.length + Buffer.byteLength(value),
    0,
  );
  if (bytes <= METADATA_BYTES) return kept;
  const message = 'Your metadata headers exceed the maximum allowed metadata size';
  throw new ServiceRefusal(400, 'MetadataTooLarge', message, { Size: bytes, MaxSizeAllowed: METADATA_BYTES });
}

// aws-chunked says how the body came, not what it is.
const withoutChunking = (encoding: string): string =>
  encoding
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== 'aws-chunked')
    .join(',');
