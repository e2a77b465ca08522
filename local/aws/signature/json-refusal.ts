import type { ServiceRefusal } from '../service-refusal.ts';

interface JsonAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How services of the AWS JSON protocols say what S3 says in XML about signatures; other codes stay as they are. (Secrets Manager API, common errors.) */
const CODES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  SignatureDoesNotMatch: [
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ],
  RequestTimeTooSkewed: ['InvalidSignatureException', 'Signature not yet current or expired.'],
  InvalidAccessKeyId: ['UnrecognizedClientException', 'The security token included in the request is invalid.'],
  AuthorizationHeaderMalformed: ['IncompleteSignatureException', 'The Authorization header is malformed.'],
  AccessDenied: ['MissingAuthenticationTokenException', 'Missing Authentication Token'],
};

/** A refusal as an answer of AWS JSON 1.0 or 1.1. */
export function jsonRefusal(refusal: ServiceRefusal, protocol: '1.0' | '1.1' = '1.1'): JsonAnswer {
  const [code, message] = CODES[refusal.code] ?? [refusal.code, refusal.message];
  return {
    status: refusal.status === 403 ? 400 : refusal.status,
    headers: { 'content-type': `application/x-amz-json-${protocol}`, 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message, Message: message }),
  };
}
