import type { Command } from 'commander';

import { pipelineStage } from '../infra/stage.ts';
import { presignPost, presignPut, UPLOAD_SECONDS } from '../shared/adapters/presign.ts';
import { operationNames } from '../shared/operations/index.ts';
import { inboxOf, openAccess, withAccess, type AccessOptions } from './access.ts';
import { CommandFailed } from './failure.ts';

interface PresignOptions extends AccessOptions {
  readonly put?: boolean;
  readonly maxBytes?: string;
}

/** `presign <target>/<operation>/<name>.csv`: lets somebody without an AWS key upload one file, for ten minutes. */
export const addPresign = (program: Command): Command =>
  withAccess(program.command('presign'))
    .argument('<key>', '<target>/<operation>/<name>.csv')
    .description('make a form or an address through which one CSV can be uploaded')
    .option('--put', 'an address for PUT instead of a form for POST')
    .option('--max-bytes <n>', 'the largest file that the form takes')
    .action(async (key: string, options: PresignOptions) => {
      checkKey(key);
      const { client, bucket } = inboxOf(openAccess(options, process.env));
      const minutes = `It can be used for ${UPLOAD_SECONDS / 60} minutes:`;
      if (options.put) {
        const url = await presignPut({ client, bucket, key });
        console.log(url);
        console.error(`${minutes} curl -T <file.csv> '<the address above>'`);
        return;
      }
      const post = await presignPost({ client, bucket, key, maxBytes: maxBytesOf(options.maxBytes) });
      console.log(JSON.stringify(post));
      console.error(
        `${minutes} curl ${Object.keys(post.fields)
          .map((name) => `-F '${name}=…'`)
          .join(' ')} -F 'file=@<file.csv>' '${post.url}'`,
      );
    });

function checkKey(key: string): void {
  const [target = '', operation = '', ...name] = key.split('/');
  const isWhole = target !== '' && name.length > 0 && /\.csv$/i.test(key);
  if (isWhole && operationNames.includes(operation)) return;
  throw new CommandFailed(
    `"${key}" is no place for a manifest; <target>/<operation>/<name>.csv was expected, with one of ${operationNames.join(', ')}.`,
  );
}

function maxBytesOf(given: string | undefined): number {
  if (given === undefined) return pipelineStage().limits.manifestBytes;
  const bytes = Number(given);
  if (Number.isInteger(bytes) && bytes > 0) return bytes;
  throw new CommandFailed(`--max-bytes is "${given}"; a number of bytes was expected.`);
}
