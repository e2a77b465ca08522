/** A request that an embedded service refuses, as AWS would: status, code, message and whatever else stands in the body. */
export class ServiceRefusal extends Error {
  readonly status: number;
  readonly code: string;
  /** Further elements of an S3 error body. */
  readonly details: Readonly<Record<string, string | number>>;

  constructor(status: number, code: string, message: string, details: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.name = 'ServiceRefusal';
    this.status = status;
    this.code = code;
    this.details = details;
  }
}
