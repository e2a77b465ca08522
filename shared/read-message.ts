import type * as z from 'zod';

/** A message's body, or `undefined` when it is not JSON of this shape. */
export function readMessage<Body>(schema: z.ZodType<Body>, body: string): Body | undefined {
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined; // not JSON
  }
}
