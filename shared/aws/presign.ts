import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** Ten minutes. */
export const UPLOAD_SECONDS = 600;
const CONTENT_TYPE = 'text/csv';

interface Upload {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
}

/** A form for one upload by POST: the fields go before the file, which comes last in a field named `file`. */
export interface PresignedPost {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Lets anybody who has it upload one CSV into the key's folder, of 1 to `maxBytes` bytes, for ten minutes. */
export async function presignPost(upload: Upload & { readonly maxBytes: number }): Promise<PresignedPost> {
  const { client, bucket, key, maxBytes } = upload;
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const { url, fields } = await createPresignedPost(client, {
    Bucket: bucket,
    // With this ending the policy holds the folder; a key without a folder is bound to the letter.
    Key: folder === '' ? key : `${folder}\${filename}`,
    Conditions: [
      ['content-length-range', 1, maxBytes],
      ['eq', '$Content-Type', CONTENT_TYPE],
    ],
    Fields: { 'Content-Type': CONTENT_TYPE },
    Expires: UPLOAD_SECONDS,
  });
  return { url, fields: { ...fields, key } };
}

/** Lets anybody who has it upload this one key by PUT, for ten minutes; a URL cannot bound the size. */
export function presignPut({ client, bucket, key }: Upload): Promise<string> {
  return getSignedUrl(client, new PutObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: UPLOAD_SECONDS });
}
