import { columnKey } from '../manifest/cells.ts';
import { meetsRequired } from '../manifest/header.ts';
import type { Validation } from '../job/validation.ts';
import type { TargetFacts } from '../target.ts';
import type { Column, Operation } from './operation.ts';

/** The operation that most of the carried columns tell of, when they tell of any: the file may lie in the wrong folder. */
export function foreignColumns(
  own: string,
  carriedColumns: readonly string[],
  operations: readonly Operation[],
): Validation['foreign'] {
  const told = operations
    .filter(({ name }) => name !== own)
    .map((operation) => ({ operation: operation.name, columns: carriedColumns.filter(isToldBy(operation)) }))
    .filter(({ columns }) => columns.length > 0);
  return told.toSorted((one, other) => other.columns.length - one.columns.length)[0];
}

function isToldBy({ cloud, dataCenter }: Operation): (header: string) => boolean {
  const columns: readonly Column[] = [...(cloud?.columns ?? []), ...(dataCenter?.columns ?? [])];
  const telling = columns.filter((column) => column.telling);
  const keys = new Set(telling.flatMap(({ name, aliases }) => [name, ...aliases].map(columnKey)));
  return (header) => keys.has(columnKey(header));
}

/** What a header that lacks columns may be meant for: another operation, or the same one at the other type of target. */
export function findOtherUse(
  header: readonly string[],
  { target, operation: own }: { readonly target: TargetFacts; readonly operation: string },
  operations: readonly Operation[],
): string | undefined {
  const [here, there] =
    target.type === 'cloud' ? (['cloud', 'dataCenter'] as const) : (['dataCenter', 'cloud'] as const);
  const fits = (operation: Operation, side: 'cloud' | 'dataCenter'): boolean => {
    const recipe = operation[side];
    return recipe !== undefined && meetsRequired(header, recipe);
  };
  const same = operations.find(({ name }) => name === own);
  if (same && fits(same, there)) {
    const [their, ours] =
      target.type === 'cloud' ? ['Jira Data Center', 'Jira Cloud'] : ['Jira Cloud', 'Jira Data Center'];
    return `these are the columns of ${own} at a ${their}, and the target ${target.name} is a ${ours}; is the file meant for another target?`;
  }
  const other = operations.find(
    (operation) => operation.name !== own && fits(operation, here) && header.some(isToldBy(operation)),
  );
  return (
    other && `these are the columns of ${other.name}; if that is meant, put the file into ${target.name}/${other.name}/`
  );
}
