import type { Answer } from './answer.ts';
import { newVersionId, type WriteContext } from './put-object.ts';
import type { StoreRequest } from './request.ts';

/** DeleteObject: with a version id that version goes; without one, a versioned bucket gets a delete marker. */
export function deleteObject({ bucket, now }: WriteContext, { key, query }: StoreRequest): Answer {
  const versionId = query.get('versionId') ?? (bucket.isVersioned ? undefined : 'null');
  if (versionId !== undefined) {
    if (bucket.state.version(key, versionId)) bucket.append({ type: 'removed', key, versionId });
    return { status: 204, ...(versionId !== 'null' && { headers: { 'x-amz-version-id': versionId } }) };
  }
  const markerId = newVersionId();
  const marker = { key, versionId: markerId, isDeleteMarker: true, size: 0, etag: '', blobs: [], headers: {} };
  bucket.append({ type: 'stored', version: { ...marker, lastModifiedMs: now().getTime() } });
  return { status: 204, headers: { 'x-amz-version-id': markerId, 'x-amz-delete-marker': 'true' } };
}
