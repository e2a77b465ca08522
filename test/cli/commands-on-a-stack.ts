import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { followJob } from '../../cli/jobs.ts';
import { uploadManifest } from '../../cli/files.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import type { LocalStack } from '../../local/stack.ts';
import { s3Client } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';

const COMMAND = fileURLToPath(new URL('../../cli/rollcall.ts', import.meta.url));

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Gives commands, each a process of its own, to the stack that runs in this folder. */
export const commandsOn =
  (folder: string) =>
  (...words: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [COMMAND, ...words, '--folder', folder], (_error, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });

/** The id of the job that a manifest became, once it has ended. */
export async function runToEnd(
  stack: LocalStack,
  manifest: { readonly target: string; readonly operation: string; readonly path: string },
): Promise<string> {
  const client = s3Client(clientEnvironment(stack));
  const { jobId, prefixes } = await uploadManifest({ client, bucket: stack.inboxBucket, ...manifest });
  await followJob({ results: s3ObjectStore({ client, bucket: stack.resultsBucket }), prefixes });
  return jobId;
}
