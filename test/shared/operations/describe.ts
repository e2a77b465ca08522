import { OPERATIONS } from '../../../shared/operations/index.ts';
import type { Column, Operation } from '../../../shared/operations/operation.ts';

/** All operations with their columns, as the Markdown of docs/operations.md. */
export function describeOperations(operations: readonly Operation[] = OPERATIONS): string {
  return `${[INTRODUCTION, ...operations.map(describeOperation)].join('\n\n')}\n`;
}

const INTRODUCTION = `# Operations and their columns

A manifest lies in the inbox at \`<target>/<operation>/<any folders and name>.csv\`. Its columns may stand in any order;
their names are compared without case, spaces, \`_\` and \`-\`. Columns that are not listed here are carried through untouched.
Where several columns are marked with the same letter, at least one of them must be in the header.`;

function describeOperation({ name, about, cloud, dataCenter }: Operation): string {
  const recipes = [
    { title: 'Cloud', recipe: cloud },
    { title: 'Data Center', recipe: dataCenter },
  ];
  const sections = recipes.flatMap(({ title, recipe }) =>
    recipe ? [`### ${name} on ${title}`, columnTable(recipe.columns, recipe.required)] : [],
  );
  const missing = dataCenter ? [] : ['It does not exist on Data Center.'];
  return [`## ${name}`, about, ...missing, ...sections].join('\n\n');
}

const columnTable = (columns: readonly Column[], required: readonly (readonly string[])[]): string =>
  markdownTable([
    ['Column', 'Also read as', 'Needed', 'What it holds'],
    ...columns.map(({ name, aliases, about }) => [
      `\`${name}\``,
      spellings(aliases),
      neededMark(name, required),
      about,
    ]),
  ]);

const spellings = (aliases: readonly string[]): string => aliases.map((alias) => `\`${alias}\``).join(', ');

/** `yes` where a column must be there by itself, a letter for each list of which one must be. */
function neededMark(name: string, required: readonly (readonly string[])[]): string {
  if (required.some((list) => list.length === 1 && list[0] === name)) return 'yes';
  const choices = required.filter((list) => list.length > 1);
  return choices.flatMap((list, index) => (list.includes(name) ? 'abcdef'.charAt(index) : [])).join(', ');
}

/** Padded as prettier pads it, so that the file is formatted as it is written. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [header = [], ...body] = cells;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
