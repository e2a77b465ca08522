import { X509Certificate } from 'node:crypto';
import * as z from 'zod';

/** Functions in a network of one's own; AWS's limits are 16 subnets and 5 groups. (AWS Lambda API reference, VpcConfig.) */
const vpc = z.strictObject({
  subnetIds: z
    .array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/, 'must be the id of a subnet'))
    .min(1)
    .max(16),
  securityGroupIds: z
    .array(z.string().regex(/^sg-[0-9a-f]{8,17}$/, 'must be the id of a security group'))
    .min(1)
    .max(5),
});

/** Settings are no place for secrets: they are shown by the template and by the functions' configuration. */
const proxy = z.string().refine(isProxy, {
  message: 'must be the URL of an HTTP proxy such as http://proxy.acme.example:3128, without credentials or a path',
});

function isProxy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + search + hash === '' && pathname === '/';
}

const certificates = z.string().superRefine((text, context) => {
  const fault = faultOf(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

/** What text of certificates begins with, as opposed to the path of a file. */
export const PEM_BEGIN = '-----BEGIN ';
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----/gs;

function faultOf(text: string): string | undefined {
  const blocks = [...text.matchAll(PEM_BLOCK)];
  if (blocks.length === 0)
    return `holds no certificate; expected is PEM text, which begins with ${PEM_BEGIN}CERTIFICATE-----, or the path of a file of it`;
  const other = blocks.find(([, label]) => label !== 'CERTIFICATE')?.[1];
  if (other !== undefined)
    return `holds a ${other}; leave in it only the certificates of whom the functions are to trust, which anybody may see`;
  const unreadable = blocks.findIndex(([block]) => !isCertificate(block));
  return unreadable < 0 ? undefined : `certificate ${unreadable + 1} of it cannot be read; export it as PEM again`;
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).subject !== undefined;
  } catch {
    return false;
  }
}

/** Not an alias: what a role may do with a key is granted on the key itself. */
const encryptionKey = z
  .string()
  .regex(/^arn:[\w-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/, 'must be the ARN of a KMS key, and not of an alias');

/** Settings for who has a network, a proxy, an authority or a key of his own. */
export const networkSettings = {
  /** Where the functions run; absent for none of the account's own networks. */
  vpc: vpc.optional(),
  /** Through which Atlassian is called. */
  proxy: proxy.optional(),
  /** PEM text of certificates that are trusted besides the well-known ones when Atlassian is called. */
  certificates: certificates.optional(),
  /** The ARN of the KMS key that buckets, queues and topics are encrypted with instead of AWS's own. */
  encryptionKey: encryptionKey.optional(),
};
