import { constants, gzipSync } from 'node:zlib';

import { MOST_ROWS } from '../../shared/page/report-page.ts';
import type { Timeline } from '../../shared/page/timeline.ts';
import { reportCells } from './columns.ts';
import type { ReportedRow } from './reported-rows.ts';

/** What a page shows of a wide file and of a long cell; all of it stands in results.csv. */
const MOST_COLUMNS = 12;
const CELL_CHARACTERS = 200;
const MESSAGE_CHARACTERS = 400;

/** The rows of a report's page, as its script reads them: some thousand of them a line, which is lines of JSON arrays, gzipped, in base64. */
export interface PageRows {
  readonly columns: readonly string[];
  readonly add: (row: ReportedRow, cells: readonly string[]) => void;
  readonly total: () => { readonly rowsShown: number; readonly rows: string; readonly timeline: Timeline };
}

interface PageRowsOptions {
  readonly operation: string;
  /** How many rows the job has: of too many for a page it holds those that failed. */
  readonly rows: number;
  /** Names of the rows' own cells. */
  readonly names: readonly string[];
  readonly waits: Timeline['waits'];
}

/** Characters that are compressed at a time. */
const PIECE = 262_144;

/** Gathers what a page shows of a job's rows, in bounded memory however many there are. */
export function gatherPageRows({ operation, rows, names, waits }: PageRowsOptions): PageRows {
  const pieces: string[] = [];
  const timeline = createTimeline(waits);
  let [piece, rowsShown] = ['', 0];

  const flush = (): void => {
    if (piece !== '') pieces.push(gzipSync(piece, { level: constants.Z_BEST_SPEED }).toString('base64'));
    piece = '';
  };

  return {
    columns: ['Line', 'Status', 'Code', 'Message', ...names.slice(0, MOST_COLUMNS)],
    add: (row, cells) => {
      const { status, finishedAt, attempts } = row.outcome;
      // What planning or validation settled has no time of its own.
      if (attempts > 0) timeline.add(finishedAt);
      const isShown = rows <= MOST_ROWS || status === 'failed' || status === 'invalid';
      if (!isShown || rowsShown === MOST_ROWS) return;
      rowsShown += 1;
      piece += `${JSON.stringify(pageCells(reportCells(operation, row), cells))}\n`;
      if (piece.length >= PIECE) flush();
    },
    total: () => {
      flush();
      return { rowsShown, rows: pieces.join('\n'), timeline: timeline.total() };
    },
  };
}

function pageCells(
  [line = '', , status = '', code = '', message = '']: readonly string[],
  own: readonly string[],
): readonly string[] {
  return [
    line,
    status,
    code,
    shorten(message, MESSAGE_CHARACTERS),
    ...own.slice(0, MOST_COLUMNS).map((cell) => shorten(cell, CELL_CHARACTERS)),
  ];
}

const shorten = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;

/** More points than this no screen shows apart. */
const MOST_BUCKETS = 600;

/** Counts times in buckets of a second, which become wider as the job becomes longer. */
function createTimeline(waits: Timeline['waits']) {
  let counts = new Map<number, number>();
  let bucketSeconds = 1;

  const widen = (): void => {
    bucketSeconds *= 2;
    const wider = new Map<number, number>();
    for (const [bucket, count] of counts) {
      const next = Math.floor(bucket / 2);
      wider.set(next, (wider.get(next) ?? 0) + count);
    }
    counts = wider;
  };

  const range = (): readonly [first: number, last: number] => {
    let [first, last] = [Infinity, -Infinity];
    for (const bucket of counts.keys()) [first, last] = [Math.min(first, bucket), Math.max(last, bucket)];
    return [first, last];
  };

  return {
    add: (at: string): void => {
      const bucket = Math.floor(Date.parse(at) / 1_000 / bucketSeconds);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
      while (counts.size > MOST_BUCKETS) widen();
    },
    total: (): Timeline => {
      if (counts.size === 0) return { fromSeconds: 0, bucketSeconds, rows: [], waits: [] };
      for (let [first, last] = range(); last - first >= MOST_BUCKETS; [first, last] = range()) widen();
      const [first, last] = range();
      const rows = Array.from({ length: last - first + 1 }, (_, index) => counts.get(first + index) ?? 0);
      return { fromSeconds: first * bucketSeconds, bucketSeconds, rows, waits };
    },
  };
}
