import { jobHash } from './job/keys.ts';

/** One log line: a fixed name and fields. Never a secret, an e-mail address or a cell. */
export type Log = (event: string, fields?: Readonly<Record<string, string | number | boolean | undefined>>) => void;

/** Log lines as JSON on the standard output, where Lambda collects them. Of a job's id they show what says nothing of its file. */
export const jsonLog: Log = (event, fields) => {
  const job = typeof fields?.['job'] === 'string' ? { job: jobHash(fields['job']) } : {};
  console.log(JSON.stringify({ event, ...fields, ...job }));
};

/** What may be logged of an error: its name, code and where it was thrown. Its message may quote a cell, so it stays out. */
export function errorFields(error: unknown): { readonly error: string; readonly code?: string; readonly at?: string } {
  if (!(error instanceof Error)) return { error: typeof error };
  // The stack begins with the message, of which a line may look like a place.
  const places = error.stack?.slice(error.stack.indexOf(error.message) + error.message.length);
  const at = places?.split('\n').find((line) => line.trimStart().startsWith('at '));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { error: error.name, ...(code && { code }), ...(at && { at: at.trim() }) };
}
