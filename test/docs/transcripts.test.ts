import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { format, getFileInfo, resolveConfig } from 'prettier';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { uploadManifest } from '../../cli/files.ts';
import { followJob } from '../../cli/jobs.ts';
import { claimFolder } from '../../cli/local-stack.ts';
import { assemble } from '../../local/assembly.ts';
import { type Simulator, startSimulator } from '../../local/atlassian/server/simulator.ts';
import { clientEnvironment } from '../../local/aws/services.ts';
import { type LocalStack, startStack } from '../../local/stack.ts';
import { s3Client } from '../../shared/aws/clients.ts';
import { s3ObjectStore } from '../../shared/aws/s3-object-store.ts';
import { completeSettings } from '../../shared/settings.ts';
import { emailOf } from '../bench/manifests.ts';
import { commandsOn } from '../cli/commands-on-a-stack.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PEOPLE = 3_100;
const STEP = '1000';
const folder = mkdtempSync(join(tmpdir(), 'rollcall-transcripts-'));
const rollcall = commandsOn(folder);
const transcripts = new Map<string, string>();
let simulator: Simulator;
let stack: LocalStack;

beforeAll(async () => {
  simulator = await startSimulator({ seed: { users: PEOPLE, groups: 1, groupsPerUser: 0, domain: 'example.com' } });
  const targets = { acme: simulator.targets.cloud, globex: simulator.targets.cloud };
  stack = await startStack({ folder, synthesized: await assemble(completeSettings()), targets, simulator: false });
  claimFolder(folder).announce(stack);
  await many();
  await few();
}, 240_000);

afterAll(async () => {
  await stack.close();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

it.each(['README.md', 'docs/safety.md'])(
  'shows in %s what the commands say (npm test -- test/docs/transcripts.test.ts -u writes it)',
  async (page) => {
    const path = join(ROOT, page);
    const text = readFileSync(path, 'utf8');

    expect(sectionsOf(text).length).toBeGreaterThan(0);
    await expect(await formatted(withTranscripts(text), path)).toMatchFileSnapshot(path);
  },
);

it('changed nothing before it was approved, and left things as they were after the undo (promises 3, 9)', () => {
  expect(transcripts.get('waiting')).toMatch(/^.*: waiting\. 3000 rows: /m);
  expect(transcripts.get('undone')).toMatch(/^.*: completed\. 1000 rows: 1000 changed\.$/m);
});

/** A file that only needs somebody's approval: the README's, of a target with no other jobs. */
async function few(): Promise<void> {
  const job = await upload('globex/suspend/contractors.csv', people(3_001, 3_060));
  await record('few: plan', ['show', job]);
  await record('few: approve', ['approve', job]);
  await reach(`globex/suspend/${job}`, 2);
  await record('few: report', ['status', job]);
}

/** Three thousand leavers: a dry run, a plan that waits, steps, a cancel, and the way back. */
async function many(): Promise<void> {
  const leavers = [...people(1, 2_997), 'admin@example.com', 'left.long.ago@example.com', 'gina ferrari'];
  const dry = await upload('acme/suspend/leavers.csv', leavers, { 'dry-run': 'true' });
  await record('dry run', ['show', dry]);
  transcripts.set('plan.csv', await planTable(dry));

  const job = await upload('acme/suspend/leavers.csv', leavers, { steps: STEP, reason: 'Closing of the Bern office' });
  await record('waiting', ['status', job]);
  await record('approve: not accepted', ['approve', job], 1);
  await record('approve', ['approve', job, '--accept', 'TOO_MANY_PEOPLE']);
  await reach(`acme/suspend/${job}`, 2);
  await record('step', ['status', job]);
  await record('cancel', ['cancel', job]);
  await reach(`acme/suspend/${job}`, 3);
  await record('cancelled', ['status', job]);

  const undo = /Uploaded as (\S+)\./.exec(await record('undo', ['undo', job]))?.[1] ?? '';
  await reach(`acme/undo/${undo}`, 1);
  await record('undo: plan', ['show', undo]);
  await rollcall('approve', undo);
  await reach(`acme/undo/${undo}`, 2);
  await record('undone', ['status', undo]);
}

const people = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => emailOf(from + index));

/** Uploads a file of leavers, and gives its job once that waits or has ended. */
async function upload(key: string, emails: readonly string[], options = {}): Promise<string> {
  const [target = '', operation = '', name = ''] = key.split('/');
  const path = join(folder, name);
  writeFileSync(path, ['email,Last day', ...emails.map((email) => `${email},2026-11-30`), ''].join('\n'));
  const place = { client: client(), bucket: stack.inboxBucket };
  const { jobId } = await uploadManifest({ ...place, target, operation, path, options });
  await reach(`${target}/${operation}/${jobId}`, 1);
  return jobId;
}

const client = () => s3Client(clientEnvironment(stack));
const results = () => s3ObjectStore({ client: client(), bucket: stack.resultsBucket });

/** Until this revision of a job's report is in its folder. */
const reach = async (reports: string, revision: number): Promise<void> =>
  void (await followJob({ results: results(), prefixes: [`${reports}/`], after: revision - 1 }));

/** Gives a command, and keeps what a person would see of it. */
async function record(name: string, words: readonly string[], expected = 0): Promise<string> {
  const { code, stdout, stderr } = await rollcall(...words);
  expect({ code, said: code === expected ? '' : stdout + stderr }).toEqual({ code: expected, said: '' });
  const printed = `${stdout}${stderr}`.trimEnd();
  const said = `$ npx rollcall ${words.join(' ')}\n${words[0] === 'approve' ? lastLine(printed) : printed}`;
  transcripts.set(name, ['```console', steady(said), '```'].join('\n'));
  return stdout;
}

/** `approve` shows the plan first, as `show` does. */
const lastLine = (printed: string): string => `[…]\n${printed.split('\n').at(-1)}`;

const MADE_UP = ['4f1b6c02d9ae', '8c3e57a1f06d', 'b72d90e4c135', 'e0a94d7f2b68', '19c5f3ab8e70'];
const seen: string[] = [];

/** Without what differs from run to run: the ends of jobs' ids, times, hashes of plans, and this stack's folder. */
const steady = (said: string): string =>
  said
    .replaceAll(/(?<=(?:leavers|contractors)-(?:[0-9a-f]{12}-)?)[0-9a-f]{12}\b/g, (end) => {
      if (!seen.includes(end)) seen.push(end);
      return MADE_UP[seen.indexOf(end)] ?? end;
    })
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-27T09:00:00.000Z')
    .replaceAll(/\b[0-9a-f]{64}\b/g, `9b1f${'c04e7a2d'.repeat(7)}5a63`)
    .replaceAll(/ --folder \S+/g, '');

const SHOWN = ['email', 'rollcall_plan', 'rollcall_code', 'rollcall_before', 'rollcall_after'];

/** The first two rows of a plan.csv, and those that are no changes. */
async function planTable(job: string): Promise<string> {
  const text = (await (await results().read(`acme/suspend/${job}/plan.csv`))?.text()) ?? '';
  const rows: readonly Readonly<Record<string, string>>[] = parse(text, { bom: true, columns: true });
  const shown = [...rows.slice(0, 2), ...rows.filter((row) => row['rollcall_plan'] !== 'change')];
  const lines = [SHOWN, SHOWN.map(() => '---'), ...shown.map((row) => SHOWN.map((name) => row[name] ?? ''))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** As prettier would, where it has a say. */
async function formatted(page: string, path: string): Promise<string> {
  const { ignored } = await getFileInfo(path, { ignorePath: join(ROOT, '.prettierignore') });
  return ignored ? page : format(page, { ...(await resolveConfig(path)), filepath: path });
}

const SECTION = /(<!-- transcript: (.+?) -->)[^]*?(<!-- \/transcript -->)/g;

const sectionsOf = (page: string): readonly string[] => [...page.matchAll(SECTION)].map((match) => match[2] ?? '');

const withTranscripts = (page: string): string =>
  page.replace(SECTION, (_, start: string, names: string, end: string) =>
    [start, ...names.split(' + ').map(transcriptOf), end].join('\n\n'),
  );

function transcriptOf(name: string): string {
  const text = transcripts.get(name);
  if (text === undefined) throw new Error(`There is no transcript "${name}".`);
  return text;
}
