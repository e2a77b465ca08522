import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong with one request to an embedded service. */
export interface ServiceFault {
  /** The answer's status in place of its own; 500 and 503 are those that AWS asks to be tried again. */
  readonly status?: number | undefined;
  readonly delayMs?: number | undefined;
  /** Whether the request is applied all the same, so that only its answer is lost. */
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

/** Lets a request suffer what comes before it is applied; throws `refusal` of the status that takes its place. */
export async function suffer(fault: ServiceFault | undefined, refusal: (status: number) => Error): Promise<void> {
  if (fault?.delayMs) await sleep(fault.delayMs);
  if (fault?.status !== undefined && !fault.after) throw refusal(fault.status);
}

/** The status that hides the answer of a request that was applied. */
export const statusAfter = (fault: ServiceFault | undefined): number | undefined =>
  fault?.after ? fault.status : undefined;
