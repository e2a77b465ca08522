import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { uploadManifest } from '../../cli/files.ts';
import { followJob } from '../../cli/jobs.ts';
import { assemble } from '../../local/assembly.ts';
import type { Faults } from '../../local/aws/service-refusal.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { s3Client } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { completeSettings } from '../../shared/settings.ts';

/** Longer than the AWS SDK tries for. */
const HICCUP_MS = 3_000;
/** Most of the messages would come again after minutes, or an hour and a half, by the visibility time-outs of their queues. */
const ENDS_MS = 60_000;

/** What each function does first or last: it is refused from the first time on, for as long as a hiccup takes. */
const REFUSED = [
  /^SendMessageBatch .*-Validate/, // intake
  /^PUT .*\/rows\//, // splitter, validate
  /^PUT .*\/plan\//, // planner
  /^SendMessageBatch .*-Tasks/, // splitter, enqueue
  /^PUT .*\/state\.json/, // coordinator
  /^PUT .*\/results\.csv/, // reporter
];

const folder = mkdtempSync(join(tmpdir(), 'rollcall-hiccup-'));
const begunMs = new Map<RegExp, number>();
let stack: LocalStack;

const refuse: Faults = ({ operation, resource }) => {
  const kind = REFUSED.find((one) => one.test(`${operation} ${resource}`));
  if (!kind) return undefined;
  if (!begunMs.has(kind)) begunMs.set(kind, Date.now());
  return Date.now() - (begunMs.get(kind) ?? 0) < HICCUP_MS ? { status: 503 } : undefined;
};

beforeAll(async () => {
  stack = await startStack({
    folder,
    synthesized: await assemble(completeSettings()),
    faults: { s3: refuse, sqs: refuse },
  });
}, 60_000);

afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

it(
  'a job whose every function fails at first ends all the same, in seconds',
  async () => {
    const client = s3Client(clientEnvironment(stack));
    const path = new URL('../../examples/cloud/suspend/leavers.csv', import.meta.url).pathname;
    const place = { client, bucket: stack.inboxBucket, target: 'cloud', operation: 'suspend', path };
    const { prefixes } = await uploadManifest(place);
    const results = s3ObjectStore({ client, bucket: stack.resultsBucket });

    const { summary } = await followJob({ results, prefixes, signal: AbortSignal.timeout(ENDS_MS) });

    expect(summary.state).toBe('completed');
    expect(begunMs.size).toBe(REFUSED.length);
    for (const name of ['intake', 'splitter', 'planner', 'coordinator', 'reporter'])
      expect(readFileSync(join(folder, 'logs', `${name}.log`), 'utf8')).toContain(`"${name}.failed"`);
    expect(stack.violations()).toEqual([]);
  },
  ENDS_MS + 10_000,
);
