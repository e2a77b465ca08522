/** What the simulator answers. */
export interface Answer {
  readonly status: number;
  /** JSON. */
  readonly body?: unknown;
  /** Plain text, in place of a body. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the request was about, as `membership/<groupId>/<accountId>`; of a write only. */
  readonly things?: readonly string[];
  /** Whether it changed the state. */
  readonly effective?: boolean;
}

/** Ends a request with this answer from wherever it is thrown. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`answered ${answer.status}`);
    this.answer = answer;
  }
}

export const ok = (body: unknown): Answer => ({ status: 200, body });

/** An answer with the simulator's own explanation beside it, where the real Atlassian is terse or silent. */
export const because = (reason: string, answer: Answer): Answer => ({
  ...answer,
  // Header values are Latin-1 without line breaks.
  headers: { ...answer.headers, 'x-simulator-reason': reason.replace(/[^\x20-\x7e]/g, '?') },
});

/** Jira's ErrorCollection, on Cloud and Data Center. */
export const jiraError = (
  status: number,
  errorMessages: readonly string[],
  errors: Readonly<Record<string, string>> = {},
): Answer => ({ status, body: { errorMessages, errors } });

/** The organisation API's ApplicationErrors. */
export const organisationError = (status: number, code: string, title: string, detail = title): Answer => ({
  status,
  body: { errors: [{ id: 'simulator', status: String(status), code, title, detail }] },
});

/** What Atlassian's gateway says before an API is reached. */
export const gatewayError = (code: number, message: string): Answer => ({ status: code, body: { code, message } });

/** The user management API's error; observed 403 bodies say everything twice (AX-201, AX-301). */
export function manageError(status: number, key: string, context?: unknown): Answer {
  const twice = status === 403 ? { errorKey: key, ...(context === undefined ? {} : { errorDetail: context }) } : {};
  return { status, body: { key, ...(context === undefined ? {} : { context }), ...twice } };
}
