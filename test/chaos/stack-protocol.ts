import type { Settings } from '../../shared/settings.ts';
import type { Connection } from '../../local/stack.ts';
import type { FaultRates } from './service-faults.ts';

/** What the process that holds a stack is told to begin with. */
export interface StackOrder {
  readonly folder: string;
  readonly stage: Settings;
  readonly targets: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly reconcileEveryMs: number;
}

/** What it is asked later. */
export type ToStack =
  | { readonly kind: 'faults'; readonly s3: FaultRates; readonly sqs: FaultRates }
  | { readonly kind: 'report'; readonly id: number };

/** A worker's batch that came to its end, however it did. */
export interface BatchEnd {
  readonly rows: readonly number[];
  readonly atMs: number;
  readonly end: 'answered' | 'killed' | 'timed-out' | 'other';
  /** Rows of an answered batch that the worker could not finish. */
  readonly unfinished: readonly number[];
}

/** What a stack did while it lived. */
export interface StackReport {
  readonly faults: { readonly s3: number; readonly sqs: number };
  readonly violations: readonly string[];
}

export type FromStack =
  | { readonly kind: 'started'; readonly connection: Connection; readonly queueUrls: readonly string[] }
  | { readonly kind: 'batch'; readonly batch: BatchEnd }
  | { readonly kind: 'pids'; readonly pids: Readonly<Record<string, readonly number[]>> }
  | { readonly kind: 'report'; readonly id: number; readonly report: StackReport };
