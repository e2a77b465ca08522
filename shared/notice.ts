import * as z from 'zod';

/** What a notice is about: a job's state, rows that became dead letters, or a target's credentials. */
export const NOTICE_STATES = [
  'completed',
  'waiting',
  'halted',
  'cancelled',
  'rejected',
  'broken',
  'dead-letters',
  'credentials',
] as const;

/** From nothing to do to something that should have been done: what subscribers filter by. */
export const URGENCIES = ['none', 'look', 'act', 'overdue'] as const;

/** The JSON that is published: people are named nowhere in it, and a job by the last twelve characters of its id. */
export const noticeSchema = z.strictObject({
  version: z.literal(1).describe('of this schema; a field may be added within a version, none is taken away'),
  id: z.string().describe('the same when a notice comes twice, which can happen'),
  at: z.iso.datetime().describe('when it was written; UTC'),
  state: z
    .enum(NOTICE_STATES)
    .describe("the job's state; `dead-letters`: rows failed that somebody should look at; `credentials`: a target's"),
  urgency: z
    .enum(URGENCIES)
    .describe('`none`: nothing to do; `look`: some rows failed; `act`: it waits for you; `overdue`: it still does'),
  target: z.string().describe('empty where a file lay in no folder of a target'),
  operation: z.string().optional().describe('absent for credentials'),
  job: z.string().optional().describe("the last twelve characters of the job's id, which every command takes"),
  title: z.string().describe('one line, at most 90 characters of ASCII'),
  sentences: z.array(z.string()).describe('what happened, for a person'),
  counts: z
    .record(z.string(), z.int())
    .optional()
    .describe('rows by what became of them; while the job waits, by what the plan would do'),
  reasons: z
    .array(z.strictObject({ code: z.string(), message: z.string() }))
    .describe('why the job waits, halted or was refused'),
  failures: z
    .array(z.strictObject({ code: z.string(), rows: z.int(), lines: z.array(z.int()), remedy: z.string() }))
    .describe('rows that did not come out well, by code; at most the first ten lines of each'),
  next: z
    .array(z.strictObject({ purpose: z.string(), command: z.string() }))
    .describe('what to type, in the order in which it makes sense'),
  console: z.url().optional().describe('where the files of such jobs lie, in the AWS console; absent on this machine'),
});

/** What people and machines are told at once. */
export type Notice = Readonly<z.infer<typeof noticeSchema>>;

const SUBJECT = 'Rollcall: ';
/** SNS takes no longer subject, and ASCII alone. (Amazon SNS API reference, Publish.) */
const SUBJECT_CHARACTERS = 99;

/** The subject of a mail. */
export const subjectOf = ({ title }: Pick<Notice, 'title'>): string =>
  `${SUBJECT}${title.replace(/[^\x20-\x7e]/g, '?')}`.slice(0, SUBJECT_CHARACTERS);

/** The code of a reason that a file was refused for as a whole, on no line. */
export const REFUSED = 'REFUSED';

const SHOWN_FAILURES = 3;
const SHOWN_REASONS = 3;

/** A mail: what happened, how many, why, and what to do next, on one screen of a phone. */
export function renderMail(notice: Notice): string {
  const { title, sentences, counts = {}, reasons, failures, next } = notice;
  const figures = Object.entries(counts).filter(([, rows]) => rows > 0);
  const widest = Math.max(0, ...figures.map(([, rows]) => String(rows).length));
  const blocks = [
    [`${title}.`],
    sentences,
    figures.map(([what, rows]) => `${String(rows).padStart(widest)} ${what}`),
    shorten(reasons, SHOWN_REASONS).map(({ code, message }) => (code === REFUSED ? message : `${code}: ${message}`)),
    ...moreOf(reasons, SHOWN_REASONS, 'reasons'),
    ...shorten(failures, SHOWN_FAILURES).map((failure) => [
      `${failure.code}, ${describeRows(failure)}:`,
      failure.remedy,
    ]),
    ...moreOf(failures, SHOWN_FAILURES, 'codes'),
    ...next.map(({ purpose, command }) => [`${purpose}:`, `  ${command}`]),
    ...(notice.console === undefined ? [] : [['The files of such jobs:', `  ${notice.console}`]]),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** One line for a terminal. */
export const renderLine = ({ title, urgency, next }: Notice): string => {
  const first = urgency === 'none' ? undefined : next[0];
  return first === undefined ? `${title}.` : `${title}. ${first.purpose}: ${first.command}`;
};

const shorten = <One>(all: readonly One[], most: number): readonly One[] => all.slice(0, most);

const moreOf = (all: readonly unknown[], shown: number, what: string): readonly (readonly string[])[] =>
  all.length > shown ? [[`And ${all.length - shown} more ${what}.`]] : [];

function describeRows({ rows, lines }: Notice['failures'][number]): string {
  const counted = rows === 1 ? '1 row' : `${rows} rows`;
  if (lines.length === 0) return counted;
  const named = `${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}`;
  return `${counted} (${named}${rows > lines.length ? ' and others' : ''})`;
}
