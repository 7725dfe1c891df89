/**
 * Reads where somebody asks, at most once in a time. A failure is for the callers that wait: the next call reads again.
 * @param nowMs monotonic clock
 */
export function atMostOnceIn<Value>(
  ms: number,
  read: () => Promise<Value>,
  nowMs: () => number = () => performance.now(),
): () => Promise<Value> {
  let last: { readonly atMs: number; readonly value: Promise<Value> } | undefined;
  return () => {
    if (last === undefined || nowMs() - last.atMs > ms) {
      const reading = { atMs: nowMs(), value: read() };
      last = reading;
      reading.value.catch(() => {
        if (last === reading) last = undefined;
      });
    }
    return last.value;
  };
}

/** Runs one call at a time, which all callers that come meanwhile share. */
export function shareCalls<Value>(run: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  return () =>
    (running ??= run().finally(() => {
      running = undefined;
    }));
}
