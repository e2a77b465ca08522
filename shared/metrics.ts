/** CloudWatch's namespace of all our metrics, and the dimension that tells stacks apart. */
export const METRICS_NAMESPACE = 'Rollcall';
export const STACK_DIMENSION = 'service';
export const TARGET_DIMENSION = 'target';

/** Of the whole stack, each counted by what a log line says: these are what alarms watch. */
export const STACK_METRICS = [
  'MessagesFailed',
  'MessagesQuarantined',
  'RowsFailedByOthers',
  'JobsHalted',
  'ApprovalsOverdue',
  'CredentialsFailing',
] as const;

export type StackMetric = (typeof STACK_METRICS)[number];

/** Of one target, each with its unit: what the dashboard draws. */
export const TARGET_METRICS = {
  rowsChanged: 'Count',
  rowsUnchanged: 'Count',
  rowsFailed: 'Count',
  calls: 'Count',
  callsRateLimited: 'Count',
  rateLimitWaitSeconds: 'Seconds',
  planSeconds: 'Seconds',
  jobSeconds: 'Seconds',
} as const;

export type TargetMetric = keyof typeof TARGET_METRICS;

type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a log line counts towards: metrics of the stack, or figures of one target. */
export type Measured =
  | { readonly stack: StackMetric }
  | { readonly target: string; readonly figures: Readonly<Partial<Record<TargetMetric, number>>> };

/** The event of the line whose figures are metrics of its target. */
export const MEASURED = 'job.measured';

/** What a log line counts towards, if anything. */
export function measure(event: string, fields: Fields = {}): Measured | undefined {
  if (event === MEASURED) return { target: String(fields['target']), figures: figuresIn(fields) };
  if (event === 'message.quarantined') return { stack: 'MessagesQuarantined' };
  if (event === 'dead-letters.infrastructure') return { stack: 'RowsFailedByOthers' };
  if (event === 'notice.published') return measureNotice(fields);
  return event.endsWith('.failed') || event === 'credentials.unchecked' ? { stack: 'MessagesFailed' } : undefined;
}

function measureNotice({ state, urgency }: Fields): Measured | undefined {
  if (urgency === 'overdue') return { stack: 'ApprovalsOverdue' };
  if (state === 'halted') return { stack: 'JobsHalted' };
  return state === 'credentials' ? { stack: 'CredentialsFailing' } : undefined;
}

function figuresIn(fields: Fields): Partial<Record<TargetMetric, number>> {
  const figures = Object.entries(fields).filter(([name, value]) => name in TARGET_METRICS && typeof value === 'number');
  return Object.fromEntries(figures);
}
