/** Aborted when this process is told to end, so that what was begun is closed rather than left. */
export function endingSignal(): AbortSignal {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => ending.abort(new Error(`ended by ${signal}`)));
  }
  return ending.signal;
}
