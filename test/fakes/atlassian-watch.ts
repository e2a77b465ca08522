/** One call that reached a fake; `effective` when it changed the fake's state. */
export interface FakeCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly effective: boolean;
}

/** Stands between client and fake: throw before `proceed` for a request that never arrived, after it for an answer that got lost. */
export type Intercept = (
  call: { readonly name: string; readonly args: readonly unknown[] },
  proceed: () => Promise<unknown>,
) => Promise<unknown>;

export interface Watch {
  readonly calls: FakeCall[];
  readonly intercept?: Intercept | undefined;
  /** Counts the changes of the fake's state so far. */
  readonly changes: () => number;
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** The same methods, each call recorded and open to interception. */
export function watched<Methods extends object>(prefix: string, methods: Methods, watch: Watch): Methods {
  const entries = Object.entries(methods as Record<string, Method>); // every member of an API is a method
  return Object.fromEntries(
    entries.map(([name, method]) => [name, watchedMethod(prefix + name, method, watch)]),
  ) as Methods; // the same names with the same signatures
}

function watchedMethod(name: string, method: Method, { calls, intercept, changes }: Watch): Method {
  return async (...argsAndSignal) => {
    const args = argsAndSignal.filter((argument) => !(argument instanceof AbortSignal));
    for (const argument of argsAndSignal) if (argument instanceof AbortSignal) argument.throwIfAborted();
    const proceed = async (): Promise<unknown> => {
      const before = changes();
      const index = calls.push({ name, args, effective: false }) - 1;
      try {
        return await method(...argsAndSignal);
      } finally {
        calls[index] = { name, args, effective: changes() > before };
      }
    };
    return intercept ? intercept({ name, args }, proceed) : proceed();
  };
}
