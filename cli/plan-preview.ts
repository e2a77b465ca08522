import { columnKey } from '../shared/manifest/cells.ts';
import { unescapeCell } from '../shared/manifest/write-csv.ts';
import { findOperation } from '../shared/operations/index.ts';
import type { Column } from '../shared/operations/operation.ts';
import { UNDO, undoFormat } from '../shared/operations/undo.ts';
import type { ObjectStore } from '../shared/ports.ts';
import { openReportCsv } from './report-csv.ts';

/** One change of a plan, as a person reads it. */
export interface PreviewedChange {
  /** In the file. */
  readonly line: number;
  /** Whom and what the row is about, in its own words. */
  readonly who: string;
  readonly before: string;
  readonly after: string;
}

const CHANGES_SHOWN = 5;

/** The first changes of a job's plan.csv; none where that is not written yet, or would change nothing. */
export async function readChanges(
  results: ObjectStore,
  { prefix, operation }: { readonly prefix: string; readonly operation: string },
): Promise<readonly PreviewedChange[]> {
  const stored = await results.read(`${prefix}plan.csv`);
  if (!stored) return [];
  try {
    return await previewChanges(stored.body, operation);
  } finally {
    stored.body.destroy();
  }
}

/** The first changes of a plan.csv. */
export async function previewChanges(
  body: AsyncIterable<Uint8Array>,
  operation: string,
): Promise<readonly PreviewedChange[]> {
  const columns = columnsOf(operation);
  const plan = await openReportCsv(body, columns);
  const { cells: header } = plan.header;
  const naming = namingColumns(header, columns);
  const [kind = 0, line = 0, before = 0, after = 0] = ['plan', 'line', 'before', 'after'].map((name) =>
    header.indexOf(`rollcall_${name}`),
  );
  const changes: PreviewedChange[] = [];
  for await (const rows of plan.batches) {
    for (const { cells } of rows) {
      const textAt = (index: number): string => unescapeCell(cells[index] ?? '').trim();
      if (textAt(kind) !== 'change') continue;
      const who = naming.map((places) => places.map(textAt).find((cell) => cell !== '')).filter(Boolean);
      changes.push({
        line: Number(textAt(line)),
        who: who.join(', '),
        before: textAt(before),
        after: textAt(after),
      });
      if (changes.length === CHANGES_SHOWN) return changes;
    }
  }
  return changes;
}

/** The columns that say whom and what a row is about; of each list, the first that a row fills. */
const NAMING = [
  ['who', 'username', 'oldEmail', 'email', 'accountId'],
  ['groupName', 'groupId'],
];

/** For each list of NAMING, where those columns are. */
function namingColumns(header: readonly string[], columns: readonly Column[]): readonly (readonly number[])[] {
  const keys = header.map((cell) => columnKey(unescapeCell(cell)));
  const spellings = new Map(columns.map(({ name, aliases }) => [name, [name, ...aliases].map(columnKey)]));
  return NAMING.map((names) =>
    names.flatMap((name) => keys.flatMap((key, index) => (spellings.get(name)?.includes(key) ? [index] : []))),
  );
}

function columnsOf(operation: string): readonly Column[] {
  if (operation === UNDO) return undoFormat.columns;
  const { cloud, dataCenter } = findOperation(operation) ?? {};
  return [...(cloud?.columns ?? []), ...(dataCenter?.columns ?? [])];
}
