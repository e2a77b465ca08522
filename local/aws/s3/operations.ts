import type { AwsCall } from '../access-control.ts';
import { ServiceRefusal } from '../service-refusal.ts';
import type { Verified } from '../signature/signature.ts';
import type { Answer } from './answer.ts';
import { xmlAnswer } from './answer.ts';
import { deleteObject } from './delete-object.ts';
import { getObject } from './get-object.ts';
import { checkImplemented } from './implemented.ts';
import { listObjects } from './list-objects.ts';
import { abortUpload, completeUpload, createUpload, uploadPart } from './multipart.ts';
import { putObject, type WriteContext } from './put-object.ts';
import type { StoreRequest } from './request.ts';

/** What a signed request asks for, and what IAM calls that. */
export interface Operation {
  /** Without `s3:`. */
  readonly action: string;
  readonly besides?: AwsCall['besides'];
  readonly run: () => Answer | Promise<Answer>;
}

interface Addressed {
  readonly context: WriteContext;
  readonly request: StoreRequest;
  readonly verified: Verified;
  readonly region: string;
}

/** Finds the operation of a request to a bucket or object; throws ServiceRefusal 501 for one that the store does not have. */
export function operationOf(addressed: Addressed): Operation {
  return addressed.request.key === '' ? bucketOperation(addressed) : objectOperation(addressed);
}

function bucketOperation({ context: { bucket }, request, region }: Addressed): Operation {
  const { method, query } = request;
  if (method === 'HEAD') {
    checkImplemented(request, []);
    return { action: 'ListBucket', run: () => ({ status: 200, headers: { 'x-amz-bucket-region': region } }) };
  }
  if (method === 'GET' && query.has('location')) {
    checkImplemented(request, ['location']);
    return { action: 'GetBucketLocation', run: () => locationAnswer(region) };
  }
  // The first version of listing is refused: it goes on from keys rather than tokens.
  checkImplemented(request, method === 'GET' && query.get('list-type') === '2' ? LISTING : []);
  if (method === 'GET' && query.has('list-type'))
    return { action: 'ListBucket', run: () => listObjects(bucket, request) };
  throw new ServiceRefusal(501, 'NotImplemented', `This store does not implement ${method} of a bucket like this.`);
}

const LISTING = [
  'list-type',
  'prefix',
  'delimiter',
  'max-keys',
  'continuation-token',
  'start-after',
  'encoding-type',
  'fetch-owner',
];

function objectOperation(addressed: Addressed): Operation {
  const { context, request } = addressed;
  const { method, query } = request;
  if (query.has('uploads') || query.has('uploadId')) return uploadOperation(addressed);
  checkImplemented(request, method === 'PUT' ? [] : ['versionId']);
  const version = query.has('versionId') ? 'Version' : '';
  switch (method) {
    case 'GET':
    case 'HEAD':
      return {
        action: `GetObject${version}`,
        ...besidesOf(context, request),
        run: () => getObject(context.bucket, request),
      };
    case 'PUT':
      return { action: 'PutObject', run: () => putObject(context, request, addressed.verified) };
    case 'DELETE':
      return { action: `DeleteObject${version}`, run: () => deleteObject(context, request) };
    default:
      throw methodNotAllowed();
  }
}

function uploadOperation({ context, request, verified }: Addressed): Operation {
  const { method, query } = request;
  checkImplemented(request, query.has('uploads') ? ['uploads'] : ['uploadId', 'partNumber']);
  if (method === 'POST' && query.has('uploads'))
    return { action: 'PutObject', run: () => createUpload(context, request) };
  if (method === 'POST') return { action: 'PutObject', run: () => completeUpload(context, request) };
  if (method === 'PUT') return { action: 'PutObject', run: () => uploadPart(context, request, verified) };
  if (method === 'DELETE') return { action: 'AbortMultipartUpload', run: () => abortUpload(context, request) };
  throw new ServiceRefusal(501, 'NotImplemented', `This store does not implement ${method} of a multipart upload.`);
}

// S3 tells only those who may list that a key is not there; others get 403. (S3 API reference, GetObject.)
function besidesOf({ bucket }: WriteContext, { key, query }: StoreRequest): Pick<Operation, 'besides'> {
  const newest = bucket.state.newest(key);
  if (query.has('versionId') || (newest && !newest.isDeleteMarker)) return {};
  return { besides: { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket.name}` } };
}

// us-east-1 is the location that has no name.
const locationAnswer = (region: string): Answer => {
  const answer = xmlAnswer('LocationConstraint', {});
  const name = region === 'us-east-1' ? '' : region;
  return { ...answer, body: String(answer.body).replace('></LocationConstraint>', `>${name}</LocationConstraint>`) };
};

const methodNotAllowed = (): ServiceRefusal =>
  new ServiceRefusal(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');
