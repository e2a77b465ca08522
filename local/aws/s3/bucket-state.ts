/** One file of content. */
export interface Blob {
  readonly name: string;
  readonly size: number;
}

/** One version of an object; a bucket without versioning keeps one, whose id is `null`. */
export interface Version {
  readonly key: string;
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly blobs: readonly Blob[];
  /** Content type, user metadata and their like, as they are given back. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Part {
  readonly number: number;
  readonly blob: Blob;
  readonly etag: string;
}

/** A multipart upload that is under way. */
export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: ReadonlyMap<number, Part>;
}

/** A new object that nobody has been notified of yet. */
export interface Created {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly size: number;
  /** Without quotes, as S3's events have it. */
  readonly etag: string;
  /** ISO 8601. */
  readonly eventTime: string;
  /** As S3's events have it, e.g. `ObjectCreated:Put`. */
  readonly eventName: string;
  /** Whose key signed the request. */
  readonly principalId: string;
}

/** A line of a bucket's log: what happened to it, in the order in which it did. */
export type BucketRecord =
  | {
      readonly type: 'stored';
      readonly version: Version;
      readonly created?: Created | undefined;
      /** The multipart upload that ended with this. */
      readonly uploadId?: string | undefined;
    }
  | { readonly type: 'removed'; readonly key: string; readonly versionId: string }
  | { readonly type: 'created'; readonly created: Created }
  | { readonly type: 'told'; readonly id: string }
  | { readonly type: 'upload-begun'; readonly id: string; readonly key: string; readonly headers: Version['headers'] }
  | { readonly type: 'part-stored'; readonly uploadId: string; readonly part: Part }
  | { readonly type: 'upload-aborted'; readonly id: string };

/** What a bucket holds, folded from its log: in memory, so that no request but for content reads the disk. */
export interface BucketState {
  /** Keys whose newest version is an object, in UTF-8 order. */
  readonly keys: readonly string[];
  /** All keys that have a version, in UTF-8 order. */
  readonly allKeys: () => readonly string[];
  readonly newest: (key: string) => Version | undefined;
  /** Newest first. */
  readonly versions: (key: string) => readonly Version[];
  readonly version: (key: string, versionId: string) => Version | undefined;
  readonly upload: (id: string) => Upload | undefined;
  readonly untold: () => readonly Created[];
  /** Folds one record, and gives the content that nothing refers to any more. */
  readonly fold: (record: BucketRecord) => readonly Blob[];
  /** The shortest log that comes to this state. */
  readonly records: () => Iterable<BucketRecord>;
}

interface Held {
  readonly keys: string[];
  /** Oldest first. */
  readonly versions: Map<string, readonly Version[]>;
  readonly uploads: Map<string, Upload & { readonly parts: Map<number, Part> }>;
  readonly untold: Map<string, Created>;
}

const NONE: readonly Version[] = [];

/** A bucket that nothing has happened to. */
export function emptyBucketState(): BucketState {
  const held: Held = { keys: [], versions: new Map(), uploads: new Map(), untold: new Map() };
  return {
    keys: held.keys,
    allKeys: () => [...held.versions.keys()].toSorted(byUtf8),
    newest: (key) => held.versions.get(key)?.at(-1),
    versions: (key) => (held.versions.get(key) ?? NONE).toReversed(),
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

/** Compares as the UTF-8 bytes of the two would, which is the order in which S3 lists. */
export function byUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** The first place in a sorted list whose text is not before this one. */
export function lowerBound(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (byUtf8(sorted[middle] ?? '', text) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Surrogates stand for characters beyond all of the basic plane, and are in the middle of it as UTF-16 units.
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
