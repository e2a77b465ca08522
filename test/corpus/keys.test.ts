import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Context, SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createIntake } from '../../functions/intake/intake.ts';
import { createSplitter } from '../../functions/splitter/splitter.ts';
import { s3Notification } from '../../local/aws/notifications.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { OPERATIONS } from '../../shared/operations/index.ts';
import type { Targets } from '../../shared/ports.ts';
import { memoryEventsQueue, memoryQueue } from '../fakes/memory-queue.ts';
import { memoryObjectStore } from '../fakes/memory-object-store.ts';
import { objectStoreHere, REGION, type ObjectStoreHere } from '../local/aws/s3/object-store-here.ts';
import { cloudTarget } from '../shared/atlassian/targets.ts';
import { KEYS, type KeyEnding } from './keys.ts';
import { LIMITS } from './oversized.ts';

let store: ObjectStoreHere;
beforeAll(async () => {
  store = await objectStoreHere();
});
afterAll(async () => {
  await store.close();
  console.log(`Corpus: ${KEYS.length} keys tried through the object store and its notifications.`);
});

/** Puts an object, and gives the splitter what the store tells of it. */
async function drop(key: string) {
  await store.client.send(
    new PutObjectCommand({ Bucket: 'inbox', Key: key, Body: 'email,group\nann@acme.example,staff\n' }),
  );
  const created = store.created.at(-1);
  if (!created) throw new Error('The object store told nothing');
  const [results, eventsQueue, validate] = [memoryObjectStore(), memoryEventsQueue(), memoryQueue()];
  const ports = {
    inbox: s3ObjectStore({ client: store.client, bucket: 'inbox' }),
    results,
    eventsQueue,
    clock: { now: () => new Date() },
    chance: { uuid: () => crypto.randomUUID(), random: () => 0.5 },
    log: () => undefined,
  };
  const targets: Targets = {
    secretNameOf: (name) => `rollcall/${name}`,
    find: async (name) => (name === 'acme' ? cloudTarget() : undefined),
  };
  const intake = createIntake({ ...ports, targets, validate });
  const splitter = createSplitter({
    ...ports,
    operations: OPERATIONS,
    tasks: memoryQueue(),
    limits: LIMITS,
  });
  // Only what the functions read.
  const context = { getRemainingTimeInMillis: () => 60_000, invokedFunctionArn: 'intake' } as unknown as Context;
  const record = { messageId: 'm', body: s3Notification(created, REGION), eventSourceARN: 'arn:aws:sqs:::intake' };
  expect(await intake({ Records: [record] }, context)).toEqual({ batchItemFailures: [] });
  for (const { body } of validate.messages) {
    const request = { messageId: 'm', body: JSON.stringify(body), eventSourceARN: 'arn:aws:sqs:::validate' };
    expect(await splitter({ Records: [request] } as unknown as SQSEvent, context)).toEqual({ batchItemFailures: [] });
  }
  return { events: eventsQueue.events, kept: [...results.objects.keys()] };
}

describe('an object of the inbox, whatever its key', () => {
  it.each(KEYS)('comes to what it must: $key', async ({ key, ending }) => {
    const { events, kept } = await drop(key);

    switch (ending.kind) {
      case 'validated':
        expect(events.map(({ type }) => type)).toEqual(['validating', 'validated']);
        expect(events[1]?.jobId.slice(0, -13)).toBe(ending.stem);
        expect(events[1]).toMatchObject({ job: { manifest: { key } } });
        break;
      case 'refused':
        expect(events).toMatchObject([{ type: 'rejected', problems: expect.arrayContaining([saying(ending.says)]) }]);
        break;
      case 'commanded':
        expect(events).toMatchObject([{ type: 'commanded', jobId: ending.jobId }]);
        break;
      case 'nothing':
      case 'noticed':
        expect(events).toEqual([]);
    }
    expect(kept.filter((name) => /^(quarantine|rejected)\//.test(name))).toEqual(
      ending.kind === 'noticed' ? [ending.at] : [],
    );
  });

  it('makes a job whose id is safe in every key, URL and file name', async () => {
    const manifests = KEYS.filter(
      (odd): odd is typeof odd & { ending: KeyEnding & { kind: 'validated' } } => odd.ending.kind === 'validated',
    );

    for (const { key } of manifests) {
      const { events } = await drop(key);
      expect(events[0]?.jobId).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?-[0-9a-f]{12}$/);
    }
  });
});

const saying = (message: RegExp): unknown => ({ message: expect.stringMatching(message) });
