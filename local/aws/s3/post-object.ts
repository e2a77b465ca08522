import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';

import { badRequest, type ServiceRefusal } from '../service-refusal.ts';
import { verifyPostPolicy } from '../signature/post-policy.ts';
import type { Verifier } from '../signature/signing-key.ts';
import type { Version } from './bucket-state.ts';
import { storeContent } from './content.ts';
import { bodyOf, checkedKey, header, notImplemented, xmlAnswer, type Answer, type UnverifiedCall } from './http.ts';
import { commitObject, storedHeaders, versionHeaders } from './put-object.ts';

interface Post {
  readonly verifier: Verifier;
  /** Called once the form is known to be allowed. */
  readonly allowed: (accessKeyId: string, key: string) => void;
}

/** Upload by a browser's form: whatever its policy allows. (S3 API reference, POST object.) */
export async function postObject(call: UnverifiedCall, post: Post): Promise<Answer> {
  const form = await readForm(header(call.request, 'content-type') ?? '', bodyOf(call.request));
  try {
    return await storeForm(call, form, post);
  } finally {
    form.close();
  }
}

async function storeForm(call: UnverifiedCall, form: Form, { verifier, allowed }: Post): Promise<Answer> {
  const { bucket } = call;
  const fields = new Map(form.fields);
  for (const name of fields.keys()) if (!FIELDS.test(name)) throw notImplemented(name);
  const key = keyIn(fields, form.fileName);
  // What the policy binds is the key that the object gets, not the placeholder in the form.
  const { accessKeyId, ...limits } = await verifyPostPolicy(fields.set('key', key), bucket.name, verifier);
  allowed(accessKeyId, key);
  const headers = storedHeaders(fields);
  const { blob, etag } = await storeContent(bucket, { bytes: form.file, ...limits });
  const object = { key, etag, headers, blobs: [blob], eventName: 'ObjectCreated:Post', principalId: accessKeyId };
  const version = await commitObject(call, object);
  return formAnswer(fields, version, bucket.name);
}

const FIELDS =
  /^(?:key|policy|bucket|content-type|content-disposition|content-encoding|content-language|cache-control|expires|success_action_status|success_action_redirect|x-amz-(?:algorithm|credential|date|signature|security-token|meta-.+)|x-ignore-.*)$/;

function keyIn(fields: ReadonlyMap<string, string>, fileName: string): string {
  const key = fields.get('key');
  if (key) return checkedKey(key.replaceAll('${filename}', () => fileName));
  throw badRequest('InvalidArgument', "Bucket POST must contain a field named 'key'.", { ArgumentName: 'key' });
}

function formAnswer(fields: ReadonlyMap<string, string>, version: Version, bucket: string): Answer {
  const headers = { ...versionHeaders(version), location: `/${bucket}/${encodeURI(version.key)}` };
  const redirect = fields.get('success_action_redirect');
  if (redirect && URL.canParse(redirect)) {
    const url = new URL(redirect);
    url.searchParams.append('bucket', bucket);
    url.searchParams.append('key', version.key);
    url.searchParams.append('etag', `"${version.etag}"`);
    return { status: 303, headers: { ...headers, location: url.href } };
  }
  const status = fields.get('success_action_status');
  if (status !== '201') return { status: status === '200' ? 200 : 204, headers };
  const content = { Location: headers.location, Bucket: bucket, Key: version.key, ETag: `"${version.etag}"` };
  return { ...xmlAnswer('PostResponse', content, headers), status: 201 };
}

/** A form up to its file, whose bytes are still to be read: S3 reads the fields first and ignores what comes after the file. */
interface Form {
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string;
  readonly file: AsyncIterable<Buffer>;
  /** Ends the reading, wherever it is. */
  readonly close: () => void;
}

/** Of all fields before the file. (S3 API reference, POST object.) */
const FIELD_BYTES = 20_480;

/** Reads a multipart/form-data body up to its file, with bounded memory. */
async function readForm(contentType: string, body: AsyncIterable<Buffer>): Promise<Form> {
  const parser = createParser(contentType);
  const fields = new Map<string, string>();
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const reading = pipeline(body, parser);
    parser.on('field', (name, value, _isNameCut, isCut) => {
      bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
      fields.set(name.toLowerCase(), value);
      if (!isCut && bytes <= FIELD_BYTES) return;
      reject(tooLarge());
      parser.destroy();
    });
    parser.on('file', (_name, file, fileName: string | undefined) => {
      // The form may break off while nobody reads the file yet.
      file.on('error', () => undefined);
      reading.catch(() => file.destroy(malformed()));
      const close = (): void => void parser.destroy();
      resolve({ fields: new Map(fields), fileName: fileName ?? '', file: contentOf(file), close });
    });
    reading.then(
      () => reject(missingFile()),
      () => reject(malformed()),
    );
  });
}

function createParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (name) => name?.toLowerCase() === 'file',
      limits: { fieldSize: FIELD_BYTES, files: 1 },
    });
  } catch {
    throw malformed();
  }
}

async function* contentOf(file: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const part of file) yield part as Buffer; // no encoding is set
  } catch {
    throw malformed();
  }
}

const malformed = (): ServiceRefusal =>
  badRequest('MalformedPOSTRequest', 'The body of your POST request is not well-formed multipart/form-data.');

const missingFile = (): ServiceRefusal =>
  badRequest('InvalidArgument', 'POST requires exactly one file upload per request.', { ArgumentName: 'file' });

const tooLarge = (): ServiceRefusal =>
  badRequest('MaxPostPreDataLengthExceeded', 'Your POST request fields preceding the upload file were too large.');
