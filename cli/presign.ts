import type { Command } from 'commander';

import { completeSettings } from '../shared/settings.ts';
import { presignPost, presignPut, UPLOAD_SECONDS } from '../shared/aws/presign.ts';
import type { Target } from '../shared/target.ts';
import { inboxOf, openAccess, targetsOf, withAccess, type Access, type AccessOptions } from './access.ts';
import { checkOperation } from './check-operation.ts';
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
      const { target, operation } = partsOf(key);
      checkOperation(operation);
      const access = openAccess(options, process.env);
      if (access.targets) checkOperation(operation, await typeOf(target, access, access.targets));
      const { client, bucket } = inboxOf(access);
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

function partsOf(key: string): { readonly target: string; readonly operation: string } {
  const [target = '', operation = '', ...name] = key.split('/');
  if (target !== '' && name.length > 0 && /\.csv$/i.test(key)) return { target, operation };
  throw new CommandFailed(`"${key}" is no place for a manifest; <target>/<operation>/<name>.csv was expected.`);
}

/** The type of a target of the local stack; throws CommandFailed when it has no such target. */
async function typeOf(name: string, access: Access, names: readonly string[]): Promise<Target['type']> {
  const target = names.includes(name) ? await targetsOf(access).find(name) : undefined;
  if (target) return target.type;
  throw new CommandFailed(`The local stack has no target "${name}"; one of ${names.join(', ')} was expected.`);
}

function maxBytesOf(given: string | undefined): number {
  if (given === undefined) return completeSettings().limits.manifestBytes;
  const bytes = Number(given);
  if (Number.isInteger(bytes) && bytes > 0) return bytes;
  throw new CommandFailed(`--max-bytes is "${given}"; a number of bytes was expected.`);
}
