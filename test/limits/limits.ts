import { completeSettings, type Settings } from '../../shared/settings.ts';
import { callsOverLimit, answerOverLimit, memoryOverLimit } from './excesses.ts';
import { manifestOverLimit, rowOverLimit } from './manifests.ts';

/** A limit that a stage declares, and what comes of more than it allows. */
export interface Limit {
  readonly setting: string;
  readonly of: string;
  readonly value: (stage: Settings) => string;
  /** What happens to whatever exceeds it, in the words of the page. */
  readonly becomes: string;
  /** The words in which the user or the log is told; `undefined` where nobody is, since the excess only waits. */
  readonly says: RegExp | undefined;
  /** Exceeds it, and gives the words that come of it; what comes of the waiting where there are none. */
  readonly exceed: () => Promise<string>;
}

const bytes = (count: number): string => {
  if (count % 2 ** 30 === 0) return `${count / 2 ** 30} GiB`;
  return count % 2 ** 20 === 0 ? `${count / 2 ** 20} MiB` : `${count / 1_024} KiB`;
};
const number = (count: number): string => count.toLocaleString('en');

const REFUSED = 'The file is refused';

/** Every limit, in the order in which a row meets them. */
export const LIMITS: readonly Limit[] = [
  {
    setting: 'limits.manifestBytes',
    of: 'a file',
    value: ({ limits }) => bytes(limits.manifestBytes),
    becomes: REFUSED,
    says: /the file has 62 bytes, more than the 60 that are allowed; split it into several files/,
    exceed: () => manifestOverLimit({ manifestBytes: 60 }),
  },
  {
    setting: 'limits.rows',
    of: "a file's rows",
    value: ({ limits }) => number(limits.rows),
    becomes: `${REFUSED}, with the line of the first row too many and into how many files it is to be split`,
    says: /line 3: the file has about 2 rows, more than the 1 that are allowed; split it into 2 files of at most 1 rows, each with the header/,
    exceed: () => manifestOverLimit({ rows: 1 }),
  },
  {
    setting: 'limits.rowBytes',
    of: 'a row',
    value: ({ limits }) => bytes(limits.rowBytes),
    becomes: `${REFUSED}, with the row's line`,
    says: /line 3: the row has more than the 24 bytes that are allowed; shorten its cells/,
    exceed: () => manifestOverLimit({ rowBytes: 24 }),
  },
  {
    setting: 'limits.columns',
    of: "a file's columns, without those of a report",
    value: ({ limits }) => number(limits.columns),
    becomes: `${REFUSED}, with the header's line`,
    says: /line 1: the header has 2 columns, more than the 1 that are allowed; take out those that are not needed/,
    exceed: () => manifestOverLimit({ columns: 1 }),
  },
  {
    setting: 'limits.cellCharacters',
    of: 'a cell',
    value: ({ limits }) => `${number(limits.cellCharacters)} characters`,
    becomes: 'The row is `invalid`, `INVALID_ROW`; the others are applied',
    says: /INVALID_ROW: Cell 1 has more than the 18 characters that are allowed; shorten it\./,
    exceed: () => rowOverLimit({ cellCharacters: 18 }),
  },
  {
    setting: 'worker.responseBytes',
    of: "an answer of Atlassian's",
    value: ({ worker }) => bytes(worker.responseBytes),
    becomes: 'It is read no further; the rows that needed it fail, `REQUEST_REFUSED`',
    says: /REQUEST_REFUSED: Atlassian's answer when asked to read a user is larger than this stage allows; raise its response limit/,
    exceed: answerOverLimit,
  },
  {
    setting: 'worker.callsUnderWay',
    of: "calls to one of Atlassian's hosts that a process has under way",
    value: ({ worker }) => number(worker.callsUnderWay),
    becomes: 'Further calls wait for their turn; nobody is told',
    says: undefined,
    exceed: callsOverLimit,
  },
  ...(['intake', 'splitter', 'planner', 'worker', 'coordinator', 'reporter'] as const).map((name): Limit => ({
    setting: `${name}.memoryMegabytes`,
    of: `the ${name}'s memory`,
    value: (stage) => `${number(stage[name].memoryMegabytes)} MB`,
    becomes:
      name === 'worker'
        ? 'The process is ended and its batch delivered again; a row that ends its worker when it is tried alone fails, `WORKER_DIED`'
        : 'The process is ended and its message delivered again; after `maxReceiveCount` deliveries it lies in a dead-letter queue with an alarm',
    says: /Runtime\.(OutOfMemory|ExitError): /,
    exceed: memoryOverLimit,
  })),
];

/** The table of docs/limits.md. */
export function limitsTable(): string {
  const stage = completeSettings();
  const rows = LIMITS.map(
    ({ setting, of, value, becomes }) => `| \`${setting}\` | ${of} | ${value(stage)} | ${becomes} |`,
  );
  return ['| Setting | Limits | Default | What exceeds it |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
