import { notFound, ServiceRefusal } from '../service-refusal.ts';
import type { Version } from './bucket-state.ts';
import { header, notImplemented, type StoreRequest } from './http.ts';

/** Whether a write may be made over what is there now; throws PreconditionFailed or NoSuchKey. (S3 user guide, conditional writes.) */
export function checkWriteConditions(request: StoreRequest, newest: Version | undefined): void {
  const present = newest?.isDeleteMarker ? undefined : newest;
  const ifNoneMatch = header(request, 'if-none-match');
  const ifMatch = header(request, 'if-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw notImplemented('If-None-Match of a write with an etag');
  if (ifNoneMatch === '*' && present) throw preconditionFailed('If-None-Match');
  if (ifMatch === undefined) return;
  if (!present) throw noSuchKey(request.key);
  if (!names(ifMatch, present.etag)) throw preconditionFailed('If-Match');
}

/** Whether a reader gets the object, is told that nothing changed, or is refused. */
export function readCondition(request: StoreRequest, version: Version): 'serve' | 'unchanged' {
  const ifMatch = header(request, 'if-match');
  if (ifMatch !== undefined && !names(ifMatch, version.etag)) throw preconditionFailed('If-Match');
  const ifNoneMatch = header(request, 'if-none-match');
  return ifNoneMatch !== undefined && names(ifNoneMatch, version.etag) ? 'unchanged' : 'serve';
}

/** Throws PreconditionFailed unless this version may be copied. An ETag outweighs a date. (S3 API reference, CopyObject.) */
export function checkCopyConditions(request: StoreRequest, version: Version): void {
  const given = (name: string): string | undefined => header(request, `x-amz-copy-source-if-${name}`);
  const [match, noneMatch] = [given('match'), given('none-match')];
  const matches =
    match === undefined ? isNewer(version, given('unmodified-since')) !== true : names(match, version.etag);
  if (!matches) throw preconditionFailed('x-amz-copy-source-If-Match');
  const differs =
    noneMatch === undefined ? isNewer(version, given('modified-since')) !== false : !names(noneMatch, version.etag);
  if (!differs) throw preconditionFailed('x-amz-copy-source-If-None-Match');
}

// Dates of HTTP have whole seconds; one that is none says nothing.
function isNewer({ lastModifiedMs }: Version, date = ''): boolean | undefined {
  const ms = Date.parse(date);
  return Number.isNaN(ms) ? undefined : lastModifiedMs - (lastModifiedMs % 1_000) > ms;
}

export const noSuchKey = (key: string): ServiceRefusal =>
  notFound('NoSuchKey', 'The specified key does not exist.', { Key: key });

const preconditionFailed = (condition: string): ServiceRefusal =>
  new ServiceRefusal(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });

const names = (condition: string, etag: string): boolean =>
  condition.trim() === '*' || condition.split(',').some((one) => one.trim().replaceAll('"', '') === etag);
