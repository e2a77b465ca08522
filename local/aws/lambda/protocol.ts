/** What the stack asks of a function's process. */
export interface Invocation {
  readonly id: string;
  readonly event: unknown;
  /** Epoch milliseconds at which the process is killed. */
  readonly deadlineMs: number;
}

/** What a function's process says. */
export type FromRuntime =
  | { readonly kind: 'answered'; readonly id: string; readonly result: unknown }
  | { readonly kind: 'threw'; readonly id: string; readonly error: ThrownError }
  | { readonly kind: 'unloadable'; readonly error: ThrownError };

export interface ThrownError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}
