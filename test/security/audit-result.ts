import * as z from 'zod';

/** What `npm audit --json` comes to: nothing was checked, nothing serious was found, or these packages are at fault. */
export type AuditResult =
  | { readonly kind: 'unanswered'; readonly reason: string }
  | { readonly kind: 'clean'; readonly packages: number }
  | { readonly kind: 'vulnerable'; readonly findings: readonly string[] };

const severity = z.enum(['info', 'low', 'moderate', 'high', 'critical']);
const reportSchema = z.object({
  vulnerabilities: z.record(z.string(), z.object({ name: z.string(), severity, range: z.string() })),
  metadata: z.object({ dependencies: z.object({ total: z.int() }) }),
});
const refusalSchema = z.object({ message: z.string().optional(), statusCode: z.int().optional() });

/** Reads what npm printed. A registry that answers no audits is no finding. */
export function judgeAudit(printed: string): AuditResult {
  const json = parsed(printed);
  const report = reportSchema.safeParse(json);
  if (!report.success) return { kind: 'unanswered', reason: reasonIn(json) };
  const { vulnerabilities, metadata } = report.data;
  const serious = Object.values(vulnerabilities).filter((found) => ['high', 'critical'].includes(found.severity));
  return serious.length === 0
    ? { kind: 'clean', packages: metadata.dependencies.total }
    : { kind: 'vulnerable', findings: serious.map(({ name, severity: how, range }) => `${name} ${range}: ${how}`) };
}

/** The answer's status alone: its words name the registry. */
function reasonIn(json: unknown): string {
  const status = refusalSchema.safeParse(json).data?.statusCode;
  return status === undefined ? 'it could not be reached' : `it answered ${status}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // npm says what went wrong before it prints JSON
  }
}
