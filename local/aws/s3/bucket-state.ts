import type { Blob, BucketRecord, Created, Part, Upload, Version } from './bucket-record.ts';
import { byUtf8, lowerBound } from './utf8-order.ts';

/** What a bucket holds, folded from its log: in memory, so that no request but for content reads the disk. */
export interface BucketState {
  /** Keys whose newest version is an object, in UTF-8 order. */
  readonly keys: readonly string[];
  readonly newest: (key: string) => Version | undefined;
  readonly version: (key: string, versionId: string) => Version | undefined;
  readonly upload: (id: string) => Upload | undefined;
  readonly untold: () => readonly Created[];
  /** Folds one record, and gives the content that nothing refers to any more. */
  readonly fold: (record: BucketRecord) => readonly Blob[];
  /** The shortest log that comes to this state. */
  readonly records: () => Iterable<BucketRecord>;
}

interface OpenUpload extends Upload {
  readonly parts: Map<number, Part>;
}

interface Held {
  readonly keys: string[];
  /** Oldest first. */
  readonly versions: Map<string, readonly Version[]>;
  readonly uploads: Map<string, OpenUpload>;
  readonly untold: Map<string, Created>;
}

const NONE: readonly Version[] = [];

/** A bucket that nothing has happened to. */
export function emptyBucketState(): BucketState {
  const held: Held = { keys: [], versions: new Map(), uploads: new Map(), untold: new Map() };
  return {
    keys: held.keys,
    newest: (key) => held.versions.get(key)?.at(-1),
    version: (key, versionId) => held.versions.get(key)?.find((version) => version.versionId === versionId),
    upload: (id) => held.uploads.get(id),
    untold: () => [...held.untold.values()],
    fold: (record) => fold(held, record),
    records: () => recordsOf(held),
  };
}

function fold(held: Held, record: BucketRecord): readonly Blob[] {
  switch (record.type) {
    case 'stored':
      return foldStored(held, record);
    case 'removed':
      return setVersions(held, record.key, (versions) => versions.filter((v) => v.versionId !== record.versionId));
    case 'created':
      held.untold.set(record.created.id, record.created);
      return [];
    case 'told':
      held.untold.delete(record.id);
      return [];
    case 'upload-begun':
      held.uploads.set(record.id, { id: record.id, key: record.key, headers: record.headers, parts: new Map() });
      return [];
    case 'part-stored':
      return foldPart(held, record);
    case 'upload-aborted':
      return closeUpload(held, record.id, []);
  }
}

function foldStored(held: Held, record: Extract<BucketRecord, { type: 'stored' }>): readonly Blob[] {
  const { version, created, uploadId } = record;
  if (created) held.untold.set(created.id, created);
  const replaced = setVersions(held, version.key, (versions) => [
    ...versions.filter((older) => older.versionId !== version.versionId),
    version,
  ]);
  return uploadId === undefined ? replaced : [...replaced, ...closeUpload(held, uploadId, version.blobs)];
}

function foldPart(held: Held, { uploadId, part }: Extract<BucketRecord, { type: 'part-stored' }>): readonly Blob[] {
  const parts = held.uploads.get(uploadId)?.parts;
  const replaced = parts?.get(part.number);
  parts?.set(part.number, part);
  return replaced ? [replaced.blob] : [];
}

function closeUpload(held: Held, id: string, kept: readonly Blob[]): readonly Blob[] {
  const names = new Set(kept.map((blob) => blob.name));
  const parts = [...(held.uploads.get(id)?.parts.values() ?? [])];
  held.uploads.delete(id);
  return parts.map((part) => part.blob).filter((blob) => !names.has(blob.name));
}

function setVersions(held: Held, key: string, change: (versions: readonly Version[]) => readonly Version[]) {
  const before = held.versions.get(key) ?? NONE;
  const after = change(before);
  if (after.length === 0) held.versions.delete(key);
  else held.versions.set(key, after);
  setListed(held.keys, key, isObject(before.at(-1)), isObject(after.at(-1)));
  return before.filter((version) => !after.includes(version)).flatMap((version) => version.blobs);
}

const isObject = (version: Version | undefined): boolean => version !== undefined && !version.isDeleteMarker;

function setListed(keys: string[], key: string, was: boolean, is: boolean): void {
  if (was === is) return;
  const last = keys.at(-1);
  // Logs are mostly written in order, and appending costs nothing.
  if (is && (last === undefined || byUtf8(last, key) < 0)) keys.push(key);
  else if (is) keys.splice(lowerBound(keys, key), 0, key);
  else keys.splice(lowerBound(keys, key), 1);
}

function* recordsOf(held: Held): Iterable<BucketRecord> {
  for (const versions of held.versions.values()) {
    for (const version of versions) yield { type: 'stored', version };
  }
  for (const created of held.untold.values()) yield { type: 'created', created };
  for (const { id, key, headers, parts } of held.uploads.values()) {
    yield { type: 'upload-begun', id, key, headers };
    for (const part of parts.values()) yield { type: 'part-stored', uploadId: id, part };
  }
}
