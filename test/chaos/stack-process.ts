// A local stack in a process of its own, so that all of it can be killed at once.
import { once } from 'node:events';

import { assemble } from '../../local/assembly.ts';
import { InvocationFailed } from '../../local/aws/lambda/function-process.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { seededRandom } from './random.ts';
import { randomFaults } from './service-faults.ts';
import type { BatchEnd, FromStack, StackOrder, ToStack } from './stack-protocol.ts';

const PIDS_EVERY_MS = 100;
const FUNCTIONS = ['splitter', 'worker', 'coordinator', 'reporter'];

process.on('disconnect', () => process.exit(0)); // the round is over, however it went
const [order] = (await once(process, 'message')) as [StackOrder];
const faults = { s3: randomFaults(seededRandom(order.seed)), sqs: randomFaults(seededRandom(order.seed + 1)) };
const stack = await startStack({
  folder: order.folder,
  synthesized: await assemble(order.stage),
  targets: order.targets,
  simulator: false,
  reconcileEveryMs: order.reconcileEveryMs,
  faults: { s3: faults.s3.faults, sqs: faults.sqs.faults },
  watch,
});
const { description, ...rest } = stack;
const received = new Set(description.eventSources.map(({ queueArn }) => queueArn));
const queueUrls = description.queues.flatMap(({ arn, url }) => (received.has(arn) ? [url] : []));
say({ kind: 'started', connection: plain(rest), queueUrls });
setInterval(() => say({ kind: 'pids', pids: pidsOf(stack) }), PIDS_EVERY_MS);

process.on('message', (message: ToStack) => {
  if (message.kind === 'faults') {
    faults.s3.set(message.s3);
    faults.sqs.set(message.sqs);
    return;
  }
  const violations = stack.violations().map(({ caller, action, resource }) => `${caller}: ${action} on ${resource}`);
  const injected = { s3: faults.s3.injected(), sqs: faults.sqs.injected() };
  say({ kind: 'report', id: message.id, report: { faults: injected, violations } });
});

function watch(functionName: string, event: unknown, result: Promise<unknown>): void {
  if (functionName !== 'worker') return;
  const records = (event as { Records: { messageId: string; body: string }[] }).Records; // an event source made it
  const rowOf = ({ body }: { readonly body: string }): number => Number(/"row":(\d+)/.exec(body)?.[1] ?? -1);
  const rows = records.map(rowOf);
  const ended = (end: BatchEnd['end'], unfinished: readonly number[]): void =>
    say({ kind: 'batch', batch: { rows, atMs: Date.now(), end, unfinished } });
  result.then(
    (answer) => {
      const { batchItemFailures } = answer as { batchItemFailures: { itemIdentifier: string }[] }; // the worker's
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      ended('answered', records.filter(({ messageId }) => failed.has(messageId)).map(rowOf));
    },
    (error: unknown) => ended(endOf(error), rows),
  );
}

function endOf(error: unknown): BatchEnd['end'] {
  const code = error instanceof InvocationFailed ? error.code : undefined;
  if (code === 'Runtime.ExitError') return 'killed';
  return code === 'Sandbox.Timedout' ? 'timed-out' : 'other';
}

function pidsOf({ pids }: LocalStack): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(FUNCTIONS.map((name) => [name, pids(name)]));
}

/** What can be sent of a stack: no functions. */
function plain<Whole extends object>(whole: Whole): Whole {
  return JSON.parse(JSON.stringify(whole)) as Whole;
}

function say(message: FromStack): void {
  process.send?.(message);
}
