import { createCellReader, checkCells, createShapeChecker } from '../../shared/manifest/cells.ts';
import type { Columns } from '../../shared/manifest/header.ts';
import type { ManifestLimits } from '../../shared/manifest/limits.ts';
import type { Row } from '../../shared/manifest/rows.ts';
import type { Checked } from '../../shared/operations/operation.ts';
import type { RowPlan } from './find-plan.ts';

/** Checks a row: all its problems, or its subjects as written. */
export function createCheck(
  { target, recipe }: RowPlan,
  file: { readonly header: readonly string[]; readonly columns: Columns; readonly limits: ManifestLimits },
): (row: Row) => Checked {
  const cellsOf = createCellReader(file.columns);
  const misshapen = createShapeChecker(file.header);
  return (row) => {
    const shape = misshapen(row);
    if (shape !== undefined) return { problems: [shape] };
    const cells = cellsOf(row);
    const unreadable = checkCells(row, cells, file.limits);
    const checked = recipe.check(cells, target);
    if (unreadable.length === 0) return checked;
    return { problems: 'problems' in checked ? [...unreadable, ...checked.problems] : unreadable };
  };
}
