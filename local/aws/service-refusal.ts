import { setTimeout as sleep } from 'node:timers/promises';

/** A request that an emulator refuses, as AWS would: status, code, message and whatever else stands in the body. */
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

type Refuse = (code: string, message: string, details?: ServiceRefusal['details']) => ServiceRefusal;

/** Refuses a request that is wrong in itself. */
export const badRequest: Refuse = (...refusal) => new ServiceRefusal(400, ...refusal);

/** Refuses one who may not do that. */
export const forbidden: Refuse = (...refusal) => new ServiceRefusal(403, ...refusal);

/** Refuses a request for what is not there. */
export const notFound: Refuse = (...refusal) => new ServiceRefusal(404, ...refusal);

/** What goes wrong with one request to an emulator, because a test wants it. */
export interface ServiceFault {
  /** The answer's status in place of its own; 500 and 503 are those that AWS asks to be tried again. */
  readonly status?: number | undefined;
  readonly delayMs?: number | undefined;
  /** Whether the request is executed all the same, so that only its answer is lost. */
  readonly after?: boolean | undefined;
}

/** A request as a fault may choose it. */
export interface FaultableRequest {
  /** S3: the method. SQS: the operation, e.g. `SendMessageBatch`. */
  readonly operation: string;
  /** S3: bucket and key. SQS: the queue's name. */
  readonly resource: string;
}

export type Faults = (request: FaultableRequest) => ServiceFault | undefined;

/** Lets a request suffer what comes before it is executed; throws `refusal` of the status that takes its place. */
export async function suffer(fault: ServiceFault | undefined, refusal: (status: number) => Error): Promise<void> {
  if (fault?.delayMs) await sleep(fault.delayMs);
  if (fault?.status !== undefined && !fault.after) throw refusal(fault.status);
}

/** The status that hides the answer of a request that was executed. */
export const statusAfter = (fault: ServiceFault | undefined): number | undefined =>
  fault?.after ? fault.status : undefined;
