import type { AwsCall } from './aws-call.ts';
import type { Statement } from './template/description.ts';

type Called = Pick<AwsCall, 'action' | 'resource'>;

/** Whether a role's statements allow a call: some statement does, and none denies it. Conditions that a call does not show are taken as met. */
export function isAllowed(statements: readonly Statement[], call: Called): boolean {
  const matching = statements.filter((statement) => concerns(statement, call));
  return matching.some(({ effect }) => effect === 'Allow') && !matching.some(({ effect }) => effect === 'Deny');
}

const concerns = ({ actions, resources }: Statement, { action, resource }: Called): boolean =>
  actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
  resources.some((pattern) => matches(pattern, resource));

const expressions = new Map<string, RegExp>();

/** IAM's patterns: `*` is any text, `?` any one character. */
export function matches(pattern: string, text: string): boolean {
  const known = expressions.get(pattern) ?? expressionOf(pattern);
  expressions.set(pattern, known);
  return known.test(text);
}

function expressionOf(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}
