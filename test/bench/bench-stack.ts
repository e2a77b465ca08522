import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';

import { assemble } from '../../local/assembly.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { completeSettings } from '../../shared/settings.ts';
import type { Synthesized } from '../../infra/synthesize.ts';
import { s3Client } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { jobIdOf } from '../../shared/job/keys.ts';
import type { Summary } from '../../shared/job/summary.ts';
import type { ObjectStore } from '../../shared/ports.ts';
import { simulatorControl, type SimulatorControl } from './simulator.ts';

/** The real local stack with what a bench needs of it. */
export interface BenchStack {
  readonly stack: LocalStack;
  readonly simulator: SimulatorControl;
  readonly results: ObjectStore;
  readonly upload: (manifest: {
    readonly target: string;
    readonly operation: string;
    readonly csv: string;
  }) => Promise<Job>;
  readonly command: (job: Job, command: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A job under way. Times are epoch milliseconds. */
export interface Job {
  readonly id: string;
  readonly uploadedAtMs: number;
  /** Its status as it stands; `undefined` before there is one. */
  readonly status: () => Promise<Summary | undefined>;
  /** Resolves when its report is there. */
  readonly finished: (options?: {
    readonly lookEveryMs?: number;
    readonly onStatus?: (status: Summary) => void;
  }) => Promise<Finished>;
}

export interface Finished {
  readonly summary: Summary;
  readonly reportedAtMs: number;
  /** From upload to report. */
  readonly seconds: number;
}

/** As many changes as may run without approval do. */
export const UNATTENDED = { policy: { rules: [{ above: { takes: 100_000, gives: 100_000 } }] } };

/** Starts a stack, the default stage's with jobs that nobody has to approve unless another is given. */
export async function startBenchStack(folder: string, given?: Synthesized): Promise<BenchStack> {
  const stack = await startStack({ folder, synthesized: given ?? (await assemble(completeSettings(UNATTENDED))) });
  const client = s3Client(clientEnvironment(stack));
  const results = s3ObjectStore({ client, bucket: stack.resultsBucket });
  let uploads = 0;

  const put = async (key: string, body: string): Promise<string | undefined> => {
    const answer = await client.send(
      new PutObjectCommand({ Bucket: stack.inboxBucket, Key: key, Body: Buffer.from(body) }),
    );
    return answer.VersionId;
  };

  return {
    stack,
    results,
    simulator: simulatorControl(stack.atlassian ?? ''),
    upload: async ({ target, operation, csv }) => {
      uploads += 1;
      const key = `${target}/${operation}/bench-${uploads}.csv`;
      const uploadedAtMs = Date.now();
      const id = jobIdOf({ bucket: stack.inboxBucket, key, versionId: await put(key, csv) });
      return jobAt({ id, uploadedAtMs, prefix: `${target}/${operation}/${id}/`, results });
    },
    command: async ({ id }, command) => void (await put(`control/${id}/${command}`, '')),
    close: async () => {
      client.destroy();
      await stack.close();
    },
  };
}

interface Place {
  readonly id: string;
  readonly uploadedAtMs: number;
  readonly prefix: string;
  readonly results: ObjectStore;
}

function jobAt({ id, uploadedAtMs, prefix, results }: Place): Job {
  const read = async (name: string): Promise<Summary | undefined> => {
    const object = await results.read(prefix + name);
    return object && (JSON.parse(await object.text()) as Summary); // the coordinator or the reporter wrote it
  };
  return {
    id,
    uploadedAtMs,
    status: () => read('status.json'),
    finished: async ({ lookEveryMs = 250, onStatus } = {}) => {
      for (;;) {
        const summary = await read('summary.json');
        const reportedAtMs = Date.now();
        if (summary) return { summary, reportedAtMs, seconds: (reportedAtMs - uploadedAtMs) / 1_000 };
        const status = onStatus && (await read('status.json'));
        if (status) onStatus?.(status);
        await sleep(lookEveryMs);
      }
    },
  };
}

/** Fails a measurement in which not every row was applied: its figures would mean nothing. */
export function expectAllChanged({ counts, codes }: Summary): void {
  if (counts.changed === counts.rows) return;
  throw new Error(`Not every row was changed: ${JSON.stringify({ counts, codes })}`);
}
