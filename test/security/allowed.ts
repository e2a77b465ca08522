import type { RequestCount } from '../../local/aws/access-control.ts';
import type { StackDescription } from '../../local/aws/template/description.ts';

/** `<function> <action> <resource>`, the resource without account, region and stack. */
export type Use = string;

/** What the functions did. */
export const used = (requests: readonly RequestCount[]): readonly Use[] =>
  sorted(
    requests
      .filter(({ caller }) => caller !== 'you')
      .map(({ caller, action, resource }) => useOf(caller, action, resource)),
  );

/** What the roles of the template allow them. */
export function allowed({ functions, roles }: StackDescription): readonly Use[] {
  return sorted(
    functions.flatMap(({ label, roleArn }) => {
      const statements = roles.find(({ arn }) => arn === roleArn)?.statements ?? [];
      return statements.flatMap(({ actions, resources }) =>
        actions.flatMap((action) => resources.map((resource) => useOf(label, action, resource))),
      );
    }),
  );
}

const useOf = (name: string, action: string, resource: string): Use => `${name} ${action} ${readable(resource)}`;

/** `results/jobs/*` rather than an ARN with an account in it. */
const readable = (arn: string): string =>
  arn
    .replace(/^arn:aws:[a-z0-9-]+:[^:]*:[^:]*:/, '')
    .replace(/^rollcall-(inbox|results)-\d{12}-[a-z0-9-]+?-\d(?=\/|$)/, '$1')
    .replace(/-000000000000.*$/, '');

const sorted = (uses: readonly Use[]): readonly Use[] => [...new Set(uses)].toSorted();
