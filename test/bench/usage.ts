import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { LocalStack } from '../../local/stack.ts';
import { costOf, type PriceName } from './prices.ts';

/** Requests of one kind, by the stack's functions and what invokes them. */
export interface Kind {
  readonly label: string;
  readonly requests: number;
  /** What AWS bills: each 64 KB of an SQS request is one. */
  readonly billed: number;
}

/** What a stack has used of AWS since it was started. */
export interface Usage {
  readonly sqs: readonly Kind[];
  readonly s3Writes: readonly Kind[];
  readonly s3Reads: readonly Kind[];
  readonly secrets: number;
  readonly functions: readonly {
    readonly name: string;
    readonly invocations: number;
    readonly milliseconds: number;
    readonly megabytes: number;
  }[];
  readonly logBytes: number;
  readonly storedBytes: number;
}

const BILLED_BYTES = 65_536;
const WRITES = /^s3:(Put|Delete|List|Create|Abort)/;

export function usageOf(stack: LocalStack, folder: string): Usage {
  const calls = stack.requests().filter(({ caller }) => caller !== 'you');
  // Nobody bills the size of an S3 request.
  const billedFor = (action: string, bytesEach: number): number =>
    action.startsWith('sqs:') ? Math.max(1, Math.ceil(bytesEach / BILLED_BYTES)) : 1;
  const kinds = (chosen: (action: string) => boolean): readonly Kind[] =>
    calls
      .filter(({ action, requests }) => chosen(action) && requests > 0)
      .map(({ caller, action, resource, requests, bytes }) => ({
        label: `${caller}: ${action.replace(/^\w+:/, '')} ${nameIn(resource)}`,
        requests,
        billed: requests * billedFor(action, bytes / requests),
      }))
      .toSorted((one, other) => other.requests - one.requests);
  return {
    sqs: kinds((action) => action.startsWith('sqs:')),
    s3Writes: kinds((action) => WRITES.test(action)),
    s3Reads: kinds((action) => action.startsWith('s3:') && !WRITES.test(action)),
    secrets: total(kinds((action) => action.startsWith('secretsmanager:'))),
    functions: stack.usage().map(({ name, invocations, milliseconds }) => {
      const { memoryMegabytes: megabytes = 0 } = stack.description.functions.find(({ label }) => label === name) ?? {};
      return { name, invocations, milliseconds, megabytes };
    }),
    logBytes: bytesUnder(join(folder, 'logs')),
    storedBytes: bytesUnder(join(folder, 'objects')),
  };
}

// Names of queues and buckets end in what tells account and region; a queue's differ in what comes before.
const nameIn = (resource: string): string =>
  resource.replace(/^arn:aws:\w+:[^:]*:[^:]*:/, '').replace(/-?\d{12}-[\w-]+?(?=\/|$)/, '');

export const total = (kinds: readonly Kind[]): number => kinds.reduce((sum, { requests }) => sum + requests, 0);

/** One line of a bill. */
export interface BillLine {
  readonly what: string;
  readonly quantity: number;
  readonly price: PriceName;
  readonly dollars: number;
}

/** What it would have cost on AWS, line by line, scaled by `times`. */
export function billOf(usage: Usage, times: number): readonly BillLine[] {
  const line = (what: string, price: PriceName, used: number): BillLine => {
    const quantity = used * times;
    return { what, quantity, price, dollars: costOf(price, quantity) };
  };
  const billed = (kinds: readonly Kind[]): number => kinds.reduce((sum, kind) => sum + kind.billed, 0);
  const fifo = usage.sqs.filter(({ label }) => label.endsWith('.fifo'));
  const fair = usage.sqs.filter(({ label }) => /tasks/i.test(label) && !label.endsWith('.fifo'));
  const standard = usage.sqs.filter(({ label }) => !label.endsWith('.fifo'));
  return [
    ...usage.functions.map(({ name, milliseconds, megabytes }) =>
      line(`Lambda ${name}, ${megabytes} MB`, 'lambdaDuration', (milliseconds / 1_000) * (megabytes / 1_024)),
    ),
    line(
      'Lambda invocations',
      'lambdaRequests',
      usage.functions.reduce((sum, { invocations }) => sum + invocations, 0),
    ),
    line('SQS, standard queues', 'sqsStandard', billed(standard)),
    line('SQS, fair queue of tasks', 'sqsFair', billed(fair)),
    line('SQS, events (FIFO)', 'sqsFifo', billed(fifo)),
    line('S3 writes', 's3Write', billed(usage.s3Writes)),
    line('S3 reads', 's3Read', billed(usage.s3Reads)),
    line('S3, manifest and report kept a month', 's3Storage', usage.storedBytes / 1e9),
    line('CloudWatch Logs', 'logs', usage.logBytes / 1e9),
    line('Secrets Manager', 'secrets', usage.secrets),
  ];
}

function bytesUnder(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
