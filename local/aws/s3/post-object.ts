import { verifyPostPolicy } from '../signature/post-policy.ts';
import { ServiceRefusal } from '../service-refusal.ts';
import type { Verifier } from '../signature/signing-key.ts';
import { xmlDocument } from './xml.ts';
import type { Answer } from './answer.ts';
import type { Version } from './bucket-record.ts';
import { LARGEST_BYTES, storeContent } from './content.ts';
import { readForm, type Form } from './form-data.ts';
import { checkFields } from './implemented.ts';
import { commitObject, versionHeaders, type WriteContext } from './put-object.ts';
import { bodyOf, checkedKey, header, type StoreRequest } from './request.ts';
import { storedHeaders } from './stored-headers.ts';

interface Post {
  readonly verifier: Verifier;
  /** Called once the form is known to be allowed. */
  readonly allowed: (accessKeyId: string, key: string) => void;
}

/** Upload by a browser's form: whatever its policy allows. (S3 API reference, POST object.) */
export async function postObject(context: WriteContext, request: StoreRequest, post: Post): Promise<Answer> {
  const form = await readForm(header(request, 'content-type') ?? '', bodyOf(request));
  try {
    return await storeForm(context, request, { form, ...post });
  } finally {
    form.close();
  }
}

async function storeForm(
  context: WriteContext,
  request: StoreRequest,
  { form, verifier, allowed }: Post & { readonly form: Form },
): Promise<Answer> {
  const fields = new Map(form.fields);
  checkFields(fields.keys());
  const key = keyIn(fields, form.fileName);
  // What the policy binds is the key that the object gets, not the placeholder in the form.
  const permit = await verifyPostPolicy(fields.set('key', key), context.bucket.name, verifier);
  allowed(permit.accessKeyId, key);
  const headers = storedHeaders(fields);
  const { blob, etag } = await storeContent(context.bucket, {
    bytes: form.file,
    expected: { amz: new Map() },
    announced: [],
    leastBytes: permit.leastBytes,
    mostBytes: Math.min(permit.mostBytes, LARGEST_BYTES),
  });
  const version = await commitObject(context, {
    request,
    key,
    etag,
    headers,
    blobs: [blob],
    eventName: 'ObjectCreated:Post',
  });
  return formAnswer(fields, version, context.bucket.name);
}

function keyIn(fields: ReadonlyMap<string, string>, fileName: string): string {
  const key = fields.get('key');
  if (key) return checkedKey(key.replaceAll('${filename}', () => fileName));
  throw new ServiceRefusal(400, 'InvalidArgument', "Bucket POST must contain a field named 'key'.", {
    ArgumentName: 'key',
  });
}

function formAnswer(fields: ReadonlyMap<string, string>, version: Version, bucket: string): Answer {
  const headers = { ...versionHeaders(version), location: `/${bucket}/${encodeURI(version.key)}` };
  const redirect = fields.get('success_action_redirect');
  if (redirect && URL.canParse(redirect)) {
    const url = new URL(redirect);
    for (const [name, value] of [
      ['bucket', bucket],
      ['key', version.key],
      ['etag', `"${version.etag}"`],
    ] as const)
      url.searchParams.append(name, value);
    return { status: 303, headers: { ...headers, location: url.href } };
  }
  const status = fields.get('success_action_status');
  if (status !== '201') return { status: status === '200' ? 200 : 204, headers };
  const content = { Location: headers.location, Bucket: bucket, Key: version.key, ETag: `"${version.etag}"` };
  return {
    status: 201,
    headers: { ...headers, 'content-type': 'application/xml' },
    body: xmlDocument('PostResponse', content),
  };
}
