/** One authenticated request to an AWS service: what has to be allowed by the role of whoever made it. */
export interface AwsCall {
  readonly service: 's3' | 'sqs' | 'secretsmanager';
  /** As IAM names it, e.g. `s3:GetObject`. */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  /** Whose key signed it. */
  readonly accessKeyId: string;
  /** What must be allowed besides for the answer to be the one that was given: S3 says 403, not 404, to who may not list. */
  readonly besides?: { readonly action: string; readonly resource: string } | undefined;
  /** Bytes of the body that was sent or asked for, where it is known. */
  readonly bytes?: number | undefined;
}
