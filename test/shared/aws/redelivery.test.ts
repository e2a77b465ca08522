import { ChangeMessageVisibilityBatchCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';

import { backOff, backOffBriefly, withRedelivery } from '../../../shared/aws/redelivery.ts';

const ARN = 'arn:aws:sqs:eu-west-1:123456789012';

const record = (name: string, queue: string, receives: number) => ({
  messageId: name,
  receiptHandle: `handle-${name}`,
  eventSourceARN: `${ARN}:${queue}`,
  attributes: { ApproximateReceiveCount: String(receives) },
});

function start(failing: readonly string[], send: (command: unknown) => Promise<unknown> = async () => ({})) {
  const sent: unknown[] = [];
  const logged: string[] = [];
  const client = {
    send: async (command: unknown) => {
      sent.push(command instanceof ChangeMessageVisibilityBatchCommand ? command.input : command);
      return send(command);
    },
  };
  const handler = withRedelivery(
    async (_event: unknown) => ({ batchItemFailures: failing.map((itemIdentifier) => ({ itemIdentifier })) }),
    {
      client: client as never,
      queueUrl: 'https://sqs.example/123/events.fifo',
      log: (event) => void logged.push(event),
    }, // all that it calls
  );
  return { handler, sent, logged };
}

describe('what a function gives back', () => {
  it('comes again soon, and nothing else does', async () => {
    const { handler, sent } = start(['b', 'c']);

    const answer = await handler({ Records: [record('a', 'plan', 1), record('b', 'plan', 1), record('c', 'plan', 5)] });

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }, { itemIdentifier: 'c' }] });
    expect(sent).toEqual([
      {
        QueueUrl: 'https://sqs.example/123/plan',
        Entries: [
          { Id: '0', ReceiptHandle: 'handle-b', VisibilityTimeout: 2 },
          { Id: '1', ReceiptHandle: 'handle-c', VisibilityTimeout: 32 },
        ],
      },
    ]);
  });

  it('is told in calls of ten', async () => {
    const names = Array.from({ length: 23 }, (_, index) => `m${index}`);
    const { handler, sent } = start(names);

    await handler({ Records: names.map((name) => record(name, 'intake', 1)) });

    expect(sent).toHaveLength(3);
  });

  it.each([[[]], [['a']]])('is nothing where %j failed and the event is no batch', async (failing) => {
    const { handler, sent } = start(failing);

    await handler({ source: 'aws.events' });

    expect(sent).toEqual([]);
  });

  it('comes again late where its time cannot be changed', async () => {
    const { handler, logged } = start(['a'], async () => {
      throw new Error('throttled');
    });

    expect(await handler({ Records: [record('a', 'plan', 1)] })).toEqual({
      batchItemFailures: [{ itemIdentifier: 'a' }],
    });
    expect(logged).toEqual(['redelivery.late']);
  });
});

/** How many receives an outage of so many seconds takes. */
function receivesIn(seconds: number, delayOf: (receives: number) => number): number {
  let receives = 0;
  for (let passed = 0; passed < seconds; passed += delayOf(receives)) receives += 1;
  return receives;
}

it('tries again within two minutes, and a mailbox within five seconds, for an hour at least', () => {
  expect(Math.max(...Array.from({ length: 1_000 }, (_, n) => backOff(n + 1)))).toBe(120);
  expect(Math.max(...Array.from({ length: 1_000 }, (_, n) => backOffBriefly(n + 1)))).toBe(5);
  expect(receivesIn(3_600, backOff)).toBeLessThan(100);
  expect(receivesIn(3_600, backOffBriefly)).toBeLessThan(1_000);
});
