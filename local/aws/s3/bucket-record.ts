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

/** A new object of which nobody has been told yet. */
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
