import { Refusal } from '../../../shared/atlassian/errors.ts';
import type { Cells, Recipe, Sight } from '../../../shared/operations/operation.ts';

/** What becomes of each row when all are looked up at once and then written one after another: a status or a code. */
export async function applyTasks<Apis>(
  recipe: Recipe<Apis> | undefined,
  rows: readonly Cells[],
  apis: Apis,
): Promise<readonly string[]> {
  const results: string[] = [];
  for (const sight of await look(recipe, rows, apis)) results.push(await finish(sight));
  return results;
}

export async function look<Apis>(
  recipe: Recipe<Apis> | undefined,
  rows: readonly Cells[],
  apis: Apis,
): Promise<readonly Sight[]> {
  if (!recipe) throw new Error('The operation has no recipe for this type of target');
  return recipe.look(rows, apis, new AbortController().signal);
}

async function finish(sight: Sight): Promise<string> {
  switch (sight.kind) {
    case 'fulfilled':
      return 'unchanged';
    case 'refused':
      return sight.refusal.code;
    case 'unseen':
      return sight.error.code;
    case 'ready':
      return write(sight.write);
  }
}

async function write(write: Extract<Sight, { readonly kind: 'ready' }>['write']): Promise<string> {
  try {
    return (await write(new AbortController().signal)).status;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const READS = /\.(find\w+|listVerifiedDomains|groupExists)$/;

/** The look-ups among the calls that a fake recorded. */
export const lookUps = (calls: readonly { readonly name: string }[]): readonly string[] =>
  calls.map(({ name }) => name).filter((name) => READS.test(name));

/** The writes among them. */
export const writes = <Call extends { readonly name: string }>(calls: readonly Call[]): readonly Call[] =>
  calls.filter(({ name }) => !READS.test(name));
