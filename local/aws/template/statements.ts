import * as z from 'zod';

import type { Statement } from './description.ts';
import { TemplateUnreadable } from './intrinsics.ts';

const texts = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts,
  Resource: texts,
  Condition: z.record(z.string(), z.record(z.string(), texts)).default({}),
});

/** The statements of a policy document. Refuses what would change their meaning and is not read here (NotAction, NotResource). */
export const statementsOf = (statements: readonly unknown[]): readonly Statement[] =>
  statements.map((statement) => {
    const {
      Effect: effect,
      Action: actions,
      Resource: resources,
      Condition: conditions,
    } = statementSchema.parse(statement);
    return { effect, actions, resources, conditions };
  });

/** What AWS's own managed policies allow of the calls that the local stack sees. Source: the AWS managed policy reference. */
export function managedStatements(policyArn: string): readonly Statement[] {
  // Logging and tracing go past the local stack, so a policy for them allows nothing that it could see.
  if (/AWSLambdaBasicExecutionRole$|AWSXRayDaemonWriteAccess$/.test(policyArn)) return [];
  throw new TemplateUnreadable(
    `A role has the managed policy ${policyArn}; write its actions into the template instead.`,
  );
}
