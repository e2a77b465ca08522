import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';

import { validate } from '../functions/splitter/validate.ts';
import { systemChance } from '../shared/aws/system.ts';
import type { RowEvent } from '../shared/job/events.ts';
import { validationKey, jobIdOf } from '../shared/job/keys.ts';
import type { Validation } from '../shared/job/validation.ts';
import { OPERATIONS } from '../shared/operations/index.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { completeSettings } from '../shared/settings.ts';
import type { Target } from '../shared/target.ts';
import { addCommand, checkOperation } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { measureFile } from './files.ts';
import { countRows } from './show.ts';

interface ValidateOptions {
  readonly operation: string;
  readonly dataCenter?: boolean;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `validate <file.csv>`: every problem of a file, found on this machine as the pipeline finds it, and nothing is sent anywhere. */
export const addValidate = (program: Command): Command =>
  addCommand(
    program,
    'validate',
    'check a file on this machine: every problem, with its line; nothing is sent anywhere',
    {
      0: 'the pipeline would take every row',
      1: 'the file cannot be read; the message says why',
      2: 'the pipeline would refuse the file, or some of its rows',
    },
  )
    .argument('<file.csv>', 'the file, as it would be uploaded')
    .requiredOption('--operation <operation>', 'what the file is for, such as suspend')
    .option('--data-center', 'for a Jira Data Center')
    .option('--all', `all problems, not the first ${SHOWN_PROBLEMS}`)
    .option('--json', 'print JSON: counts, columns and the problems')
    .action(async (path: string, options: ValidateOptions) => {
      process.exitCode = await validateFile(path, options);
    });

const SHOWN_PROBLEMS = 20;
/** More problems than anybody reads are counted. */
const KEPT_PROBLEMS = 10_000;

async function validateFile(path: string, { operation, dataCenter, all, json }: ValidateOptions): Promise<number> {
  const type = dataCenter ? 'data-center' : 'cloud';
  checkOperation(operation, type);
  const checked = await checkFile(path, operation, type);
  console.log(json ? JSON.stringify(checked) : describe(checked, all ? KEPT_PROBLEMS : SHOWN_PROBLEMS));
  return checked.isRefused || checked.invalid > 0 ? 2 : 0;
}

/** What is wrong with a file, and how it was read. */
export interface Checked {
  readonly file: string;
  readonly operation: string;
  /** Whether the file as a whole is refused: then nothing is known of its rows. */
  readonly isRefused: boolean;
  readonly rows: number;
  readonly invalid: number;
  readonly encoding?: string | undefined;
  readonly delimiter?: string | undefined;
  readonly carriedColumns: readonly string[];
  readonly problems: readonly { readonly line?: number | undefined; readonly message: string }[];
}

/** Checks a file as the splitter does, over a store that keeps nothing of it. */
export async function checkFile(path: string, operation: string, type: Target['type']): Promise<Checked> {
  const bytes = measureFile(path);
  const key = `checked/${operation}/${basename(path).replace(/(?<!\.csv)$/i, '.csv')}`;
  const problems: { readonly line?: number | undefined; readonly message: string }[] = [];
  let invalid = 0;
  let found: Validation | undefined;
  const jobId = jobIdOf({ bucket: '', key });
  const results = storeThat((written, text) => {
    if (written === validationKey(jobId)) found = JSON.parse(text) as Validation; // the splitter's own
    if (!written.endsWith('.jsonl')) return;
    for (const line of text.trimEnd().split('\n')) {
      const event = JSON.parse(line) as RowEvent; // likewise
      if (event.kind !== 'outcome') continue;
      invalid += 1;
      if (problems.length < KEPT_PROBLEMS) problems.push({ line: event.line, message: event.message ?? '' });
    }
  });
  let isRefused = false;
  await validate(
    {
      version: 2,
      kind: 'validate',
      bucket: '',
      key,
      bytes,
      at: new Date().toISOString(),
      target: { type, name: 'checked' },
    },
    {
      inbox: fileStore(path),
      results,
      operations: OPERATIONS,
      limits: completeSettings().limits,
      now: () => new Date(),
      chance: systemChance,
      post: async (_jobId, event) => {
        if (event.type !== 'rejected') return;
        isRefused = true;
        problems.splice(0, problems.length, ...event.problems);
      },
    },
    new AbortController().signal,
  );
  const { rows = 0, encoding, delimiter, carriedColumns = [] } = found ?? {};
  return { file: path, operation, isRefused, rows, invalid, encoding, delimiter, carriedColumns, problems };
}

const NOTHING: ObjectStore = {
  read: async () => undefined,
  readIfChanged: async () => undefined,
  write: async () => ({ etag: '' }),
  writeStream: async (_key, body) => {
    for await (const _piece of body);
  },
  list: async function* () {},
  delete: async () => undefined,
};

const storeThat = (sees: (key: string, text: string) => void): ObjectStore => ({
  ...NOTHING,
  write: async (key, body) => {
    if (typeof body === 'string') sees(key, body);
    return { etag: '' };
  },
});

const fileStore = (path: string): ObjectStore => ({
  ...NOTHING,
  read: async () => ({
    body: createReadStream(path),
    etag: '',
    metadata: {},
    bytes: statSync(path).size,
    text: () => Promise.reject(new CommandFailed(`${path} is read as a stream.`)),
  }),
});

function describe(
  { file, isRefused, rows, invalid, encoding, carriedColumns, problems }: Checked,
  most: number,
): string {
  const shown = problems
    .slice(0, most)
    .map(({ line, message }) => `  ${line === undefined ? '' : `line ${line}: `}${message}`);
  const left = (isRefused ? problems.length : invalid) - shown.length;
  const more =
    left > 0 ? [`  and ${left.toLocaleString('en')} more${most === SHOWN_PROBLEMS ? '; --all shows them' : ''}`] : [];
  if (isRefused) return [`${file}: the file as a whole would be refused.`, ...shown, ...more].join('\n');
  const head = `${file}: ${countRows(rows)}, ${invalid === 0 ? 'all of them' : `${(rows - invalid).toLocaleString('en')} of them`} as they should be; read as ${encoding ?? ''}.`;
  const carried =
    carriedColumns.length > 0 ? [`  Not used, and copied to the report: ${carriedColumns.join(', ')}`] : [];
  return [head, ...carried, ...shown, ...more].join('\n');
}
