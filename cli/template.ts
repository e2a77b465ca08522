import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';

import { findOperation } from '../shared/operations/index.ts';
import { type Recipe, recipeOf } from '../shared/operations/operation.ts';
import { addCommand, checkOperation } from './arguments.ts';
import { CommandFailed } from './failures.ts';
import { codeOf } from './system-errors.ts';

interface TemplateOptions {
  readonly dataCenter?: boolean;
  readonly out?: string;
}

/** `template <operation>`: a file to begin with. */
export const addTemplate = (program: Command): Command =>
  addCommand(program, 'template', 'print a CSV to begin with: the header, and a row that shows what goes where', {
    0: 'printed, or written',
    1: 'there is no such operation, or it cannot be written',
  })
    .argument('<operation>', 'what the file is for, such as membership')
    .option('--data-center', 'for a Jira Data Center')
    .option('--out <file.csv>', 'write it there instead of printing it')
    .action((operation: string, { dataCenter, out }: TemplateOptions) => {
      const text = renderTemplate(operation, dataCenter ? 'data-center' : 'cloud');
      if (out === undefined) process.stdout.write(text);
      else writeTemplate(out, text, operation);
    });

function writeTemplate(path: string, text: string, operation: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new CommandFailed(`There is a file ${path} already; choose another name with --out.`, { cause: error });
  }
  console.log(
    `Wrote ${path}. Replace its row, then check it with \`npx rollcall validate ${path} --operation ${operation}\`.`,
  );
}

/** What stands in the row, by column; people of example.com are nobody (RFC 2606). */
const EXAMPLES: Readonly<Record<string, string>> = {
  email: 'ann@example.com',
  oldEmail: 'ann@example.com',
  newEmail: 'ann.archer@example.com',
  username: 'ann',
  displayName: 'Ann Archer',
  groupName: 'engineering',
  products: 'jira-software',
  action: 'add',
};

/** The header of an operation with one row; throws CommandFailed where there is no such operation. */
export function renderTemplate(operation: string, type: 'cloud' | 'data-center'): string {
  checkOperation(operation, type);
  const found = findOperation(operation);
  const recipe = found && recipeOf(found, type);
  const columns = recipe ? columnsOf(recipe) : [];
  return `${columns.join(',')}\n${columns.map((name) => EXAMPLES[name] ?? '').join(',')}\n`;
}

/** Of columns of which one is needed, the one that people know: an address rather than an id. */
function columnsOf({ columns, required }: Pick<Recipe<never>, 'columns' | 'required'>): readonly string[] {
  const alternatives = new Set(required.filter((list) => list.length > 1).flat());
  const picked = required.map((list) => list.find((name) => EXAMPLES[name] !== undefined) ?? list[0] ?? '');
  const optional = columns
    .map(({ name }) => name)
    .filter((name) => !alternatives.has(name) && !picked.includes(name) && EXAMPLES[name] !== undefined);
  return [...picked, ...optional];
}
