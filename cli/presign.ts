import type { Command } from 'commander';

import { presignPost, presignPut, UPLOAD_SECONDS } from '../shared/aws/presign.ts';
import { completeSettings } from '../shared/settings.ts';
import { checkOperation } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { addPipelineCommand, openInbox, openPipeline, openTargets, type PipelineOptions } from './pipeline.ts';

interface PresignOptions extends PipelineOptions {
  readonly put?: boolean;
  readonly maxBytes?: string;
}

/** `presign <target>/<operation>/<name>.csv`: lets somebody without an AWS key upload one file, for ten minutes. */
export const addPresign = (program: Command): Command =>
  addPipelineCommand(program, 'presign', 'make a form or URL that uploads one CSV file without an AWS key', {
    0: 'made; on stdout the URL, or the form as JSON',
    1: 'not made; the message says why',
  })
    .argument('<key>', '<target>/<operation>/<name>.csv')
    .option('--put', 'make a URL for PUT instead of a form for POST')
    .option('--max-bytes <n>', 'largest file that the form accepts')
    .action(presign);

async function presign(key: string, options: PresignOptions): Promise<void> {
  const { target, operation } = parseKey(key);
  checkOperation(operation);
  const pipeline = await openPipeline(options);
  if (pipeline.targets) {
    const names = pipeline.targets;
    const found = names.includes(target) ? await openTargets(pipeline).find(target) : undefined;
    if (found) checkOperation(operation, found.type);
    else throw new CommandFailed(`The local stack has no target "${target}"; one of ${names.join(', ')} was expected.`);
  }
  const { client, bucket } = openInbox(pipeline);
  const minutes = `Valid for ${UPLOAD_SECONDS / 60} minutes:`;
  if (options.put) {
    console.log(await presignPut({ client, bucket, key }));
    console.error(`${minutes} curl -T <file.csv> '<the URL above>'`);
    return;
  }
  const post = await presignPost({ client, bucket, key, maxBytes: parseMaxBytes(options.maxBytes) });
  const fields = Object.keys(post.fields).map((name) => `-F '${name}=…'`);
  console.log(JSON.stringify(post));
  console.error(`${minutes} curl ${fields.join(' ')} -F 'file=@<file.csv>' '${post.url}'`);
}

function parseKey(key: string): { readonly target: string; readonly operation: string } {
  const [target = '', operation = '', ...name] = key.split('/');
  if (target !== '' && name.length > 0 && /\.csv$/i.test(key)) return { target, operation };
  throw new CommandFailed(
    `"${key}" is not where a file can be uploaded; <target>/<operation>/<name>.csv was expected.`,
  );
}

function parseMaxBytes(given: string | undefined): number {
  if (given === undefined) return completeSettings().limits.manifestBytes;
  const bytes = Number(given);
  if (Number.isInteger(bytes) && bytes > 0) return bytes;
  throw new CommandFailed(`--max-bytes is "${given}"; a number of bytes, 1 or more, was expected.`);
}
