import { OPERATIONS } from '../../../shared/operations/index.ts';
import type { Column, Operation } from '../../../shared/operations/operation.ts';

/** All operations with their columns, as the Markdown of docs/operations.md. */
export function describeOperations(operations: readonly Operation[] = OPERATIONS): string {
  return `${[INTRODUCTION, ...operations.map(describeOperation), NOTES].join('\n\n')}\n`;
}

const INTRODUCTION = `# Operations and their columns

A manifest lies in the inbox at \`<target>/<operation>/<any folders and name>.csv\`. Its columns may stand in any order;
their names are compared without case, spaces, \`_\` and \`-\`. Columns that are not listed here are carried through untouched.
Where several columns are marked with the same letter, at least one of them must be in the header.`;

const NOTES = `## What rows come to

- **People without access.** \`creation\` and \`restore\` of a deactivated account fail USER_DEACTIVATED, \`creation\` and
  \`reactivate\` of somebody suspended fail USER_SUSPENDED; the message names the operation that helps. An account that is
  both is reactivated first, then restored. \`suspend\` of somebody who is no member of the directory is unchanged.
  \`membership\` changes the groups of such people and says in its message that they have no access.
- **Removals** from a group come out unchanged only when Jira says that the person is not in it: the organisation lists the
  groups of one directory, and one that is not in its list proves nothing.
- **What to do is never guessed.** A membership file without a column \`action\` adds everybody, unless it has a column
  \`operation\` whose cells are \`add\` or \`remove\` alone. Any other column that reads like an action (add, remove, delete,
  revoke; join, leave, grant and the like throughout) refuses the file: rename it to \`action\`, or put one beside it.
- **Addresses that are passed on.** People are found by the directory as it stands when the file is planned. An address that
  another account has can be taken once another row of the file has given that account a new one, in whatever order the
  rows stand; else the row fails EMAIL_IN_USE. Data Center lets two people have one address, so nothing waits there.
  A row by old address that nobody has fails USER_NOT_FOUND, even if somebody has the new one: that may be somebody else.
- **The wrong folder.** A file with columns that only another operation has (\`products\`, \`newEmail\`, \`oldEmail\`, \`groupId\`,
  \`groupName\`, \`action\`, \`message\` and their aliases) waits for somebody to accept WRONG_FOLDER. Columns of Atlassian's
  exports that say who people are do not count, so that an export of all users is not told by them but by how many it names.
- **Undo** swaps what was before and after: \`membership\` add and remove, \`suspend\` and \`restore\`, \`deactivate\` and
  \`reactivate\`, and addresses go back. A creation cannot be undone.`;

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
