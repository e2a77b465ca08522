import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership, type LifecycleRule } from 'aws-cdk-lib/aws-s3';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

interface BucketOptions {
  readonly name?: string;
  readonly versioned?: boolean;
  readonly expiryDays: number;
  /** What is kept for a shorter time: of two rules S3 obeys the one that ends sooner. (Amazon S3 user guide, lifecycle conflicts.) */
  readonly sooner?: { readonly prefixes: readonly string[]; readonly expiryDays: number };
  /** Instead of S3's own. */
  readonly encryptionKey?: IKey | undefined;
  /** Where S3 writes down who did what; absent for the bucket that holds just that. */
  readonly accessLogs?: { readonly bucket: Bucket; readonly prefix: string };
}

const ABANDONED_UPLOAD_DAYS = 1;

/** A bucket as all of ours are: encrypted, TLS only, nothing public, emptied with time, and kept when the stack is removed. */
export function pipelineBucket(scope: Construct, id: string, options: BucketOptions): Bucket {
  const { name, versioned = false, expiryDays, sooner, encryptionKey, accessLogs } = options;
  return new Bucket(scope, id, {
    ...(name !== undefined && { bucketName: name }),
    versioned,
    ...(encryptionKey
      ? // One call to KMS serves many objects.
        { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
      : { encryption: BucketEncryption.S3_MANAGED }),
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    // Kept, but for a deployment that fails at its first: the next one could not make a bucket of the same name.
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    lifecycleRules: [
      ...lifecycle(expiryDays, versioned),
      ...(sooner?.prefixes.map((prefix) => ({ prefix, expiration: Duration.days(sooner.expiryDays) })) ?? []),
    ],
    ...(accessLogs && { serverAccessLogsBucket: accessLogs.bucket, serverAccessLogsPrefix: accessLogs.prefix }),
  });
}

function lifecycle(expiryDays: number, versioned: boolean): LifecycleRule[] {
  const expiration = Duration.days(expiryDays);
  const abortIncompleteMultipartUploadAfter = Duration.days(ABANDONED_UPLOAD_DAYS);
  if (!versioned) return [{ expiration, abortIncompleteMultipartUploadAfter }];
  return [
    { expiration, noncurrentVersionExpiration: expiration, abortIncompleteMultipartUploadAfter },
    // Expiring an object leaves a marker, and S3 takes no rule for both at once.
    { expiredObjectDeleteMarker: true },
  ];
}
