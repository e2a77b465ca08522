import type { ValidateRequest } from '../../shared/job/messages.ts';
import type { TargetFacts } from '../../shared/target.ts';
import { type Operation, recipeOf, type RowFormat } from '../../shared/operations/operation.ts';
import { UNDO, undoFormat } from '../../shared/operations/undo.ts';

/** What the rows of a job are meant for: an operation as it is done at this target. */
export interface Destination {
  readonly target: TargetFacts;
  readonly operation: string;
  readonly rowFormat: RowFormat;
  /** Whose folder the file lies in, where a sender put it there. */
  readonly sender?: string | undefined;
}

/** What a key's folders mean, or everything that is wrong with it; `isNowhere` when they name no known target and operation. */
export type FoundDestination =
  | { readonly kind: 'found'; readonly destination: Destination }
  | { readonly kind: 'refused'; readonly isNowhere: boolean; readonly problems: readonly string[] };

const EXPECTED = 'expected is <target>/<operation>/<any folders>/<name>.csv';

/** Finds operation and sender in the folders of a manifest's key, of whose target intake has told. */
export function findDestination(
  { key, target }: Pick<ValidateRequest, 'key' | 'target'>,
  operations: readonly Operation[],
): FoundDestination {
  const [targetName = '', operationName = '', ...rest] = key.split('/');
  if (rest.length === 0)
    return nowhere([`The file lies in no folder of a target and an operation; ${EXPECTED}. ${known(operations)}`]);

  const operation = operationName === UNDO ? UNDO : operations.find(({ name }) => name === operationName);
  if (target === undefined || operation === undefined) {
    return nowhere([
      ...(target === undefined ? [`There is no target ${shown(targetName)}: no secret is named so; ${EXPECTED}.`] : []),
      ...(operation === undefined ? [`There is no operation ${shown(operationName)}. ${known(operations)}`] : []),
    ]);
  }
  if (target.type === 'unreadable') return refused(target.message);
  const sender = senderOf(rest);
  if (operation === UNDO && sender !== undefined) return refused(NOT_FOR_SENDERS);
  const rowFormat = operation === UNDO ? undoFormat : recipeOf(operation, target.type);
  if (!rowFormat)
    return refused(
      `The target ${target.name} is ${ON[target.type]}, where there is no ${operationName}. ${known(doneOn(target, operations))}`,
    );
  if (!/\.csv$/i.test(key)) return refused(`The file's name does not end in .csv; ${EXPECTED}.`);
  return { kind: 'found', destination: { target, operation: operationName, rowFormat, sender } };
}

/** A sender's uploads arrive under `from-<sender>/`, where only the presigner may write. */
const senderOf = ([folder = '', ...rest]: readonly string[]): string | undefined =>
  rest.length > 0 ? /^from-(.+)$/.exec(folder)?.[1] : undefined;

const NOT_FOR_SENDERS =
  'A sender may not take back what a job did; an administrator drops its undo.csv into the folder undo by hand.';

const doneOn = (target: TargetFacts, operations: readonly Operation[]): readonly Operation[] =>
  operations.filter((operation) => recipeOf(operation, target.type) !== undefined);

const ON = { cloud: 'on Jira Cloud', 'data-center': 'a Jira Data Center' } as const;

const known = (operations: readonly Operation[]): string =>
  `The operations are ${[...operations.map(({ name }) => name), UNDO].join(', ')}.`;

const nowhere = (problems: readonly string[]): FoundDestination => ({ kind: 'refused', isNowhere: true, problems });

const refused = (problem: string): FoundDestination => ({ kind: 'refused', isNowhere: false, problems: [problem] });

const shown = (name: string): string => JSON.stringify(name.slice(0, 100)).toWellFormed();
