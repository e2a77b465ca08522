import type * as z from 'zod';

import { ENDPOINTS, type Call } from './endpoints.ts';
import { Refusal } from './errors.ts';

/** A success's JSON as the shape that it should have; throws Refusal, ATLASSIAN_ERROR, naming the fields that do not fit and none of their values. */
export function parse<Schema extends z.ZodType>(call: Call, schema: Schema, json: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = [...new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'the whole'))]
    .slice(0, 3)
    .join(', ');
  throw new Refusal(
    'ATLASSIAN_ERROR',
    `Atlassian's answer to the call to ${ENDPOINTS[call].to} has another shape than documented (${fields}).`,
  );
}
