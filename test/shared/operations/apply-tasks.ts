import { Refusal } from '../../../shared/atlassian/errors.ts';
import type { Cells, Change, PlannedRow, Recipe } from '../../../shared/operations/operation.ts';

/** What becomes of each row when all are planned at once and then written one after another: a status or a code. */
export async function applyTasks<Apis>(
  recipe: Recipe<Apis> | undefined,
  rows: readonly Cells[],
  apis: Apis,
): Promise<readonly string[]> {
  const results: string[] = [];
  for (const planned of await plan(recipe, rows, apis)) results.push(await finish(planned, recipe!, apis));
  return results;
}

export async function plan<Apis>(
  recipe: Recipe<Apis> | undefined,
  rows: readonly Cells[],
  apis: Apis,
): Promise<readonly PlannedRow[]> {
  if (!recipe) throw new Error('The operation has no recipe for this type of target');
  return recipe.plan(rows, apis, new AbortController().signal);
}

async function finish<Apis>(planned: PlannedRow, recipe: Recipe<Apis>, apis: Apis): Promise<string> {
  switch (planned.kind) {
    case 'noop':
      return 'unchanged';
    case 'refused':
      return planned.refusal.code;
    case 'unread':
      return planned.error.code;
    case 'change':
      return write(planned, recipe, apis);
  }
}

async function write<Apis>({ subject, before, after }: Change, recipe: Recipe<Apis>, apis: Apis): Promise<string> {
  const change = asSent({ subject, before, after });
  try {
    return (await recipe.write(change, apis, new AbortController().signal)).status;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

/** Plain data as it comes out of a message. */
export const asSent = <Data>(data: Data): Data => JSON.parse(JSON.stringify(data)) as Data; // the same data

const READS = /\.(find\w+|list\w+|count\w+|pickGroups|hasGroup)$/;

/** The look-ups among the calls that a fake recorded. */
export const lookUps = (calls: readonly { readonly name: string }[]): readonly string[] =>
  calls.map(({ name }) => name).filter((name) => READS.test(name));

/** The writes among them. */
export const writes = <Call extends { readonly name: string }>(calls: readonly Call[]): readonly Call[] =>
  calls.filter(({ name }) => !READS.test(name));
