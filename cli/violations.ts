import type { LocalStack } from '../local/stack.ts';

/** Says which calls the functions made without being allowed to; true when there are any: the run has failed then. */
export function reportViolations(stack: Pick<LocalStack, 'violations'>, say: (line: string) => void): boolean {
  const violations = stack.violations();
  if (violations.length > 0) say('These calls are not allowed by the role of the function that made them:');
  for (const { caller, action, resource } of violations) say(`  ${caller}: ${action} on ${resource}`);
  return violations.length > 0;
}
