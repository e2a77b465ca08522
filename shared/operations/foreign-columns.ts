import { columnKey } from '../manifest/cells.ts';
import type { Validation } from '../job/validation.ts';
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
