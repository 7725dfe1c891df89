/** A reading that is never used beyond an age, even in a process that was frozen: its user waits for a newer one. */
export type FreshReading = {
  /** Reads now; calls during a reading share it. */
  readonly refresh: () => Promise<void>;
  /** Resolves once a reading that began within the bound has ended. */
  readonly untilFresh: () => Promise<void>;
};

/** @param nowMs monotonic clock */
export function createFreshReading(
  read: () => Promise<void>,
  staleMs: number,
  nowMs: () => number,
): FreshReading {
  let readMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  const readOnce = async () => {
    const askedMs = nowMs();
    await read();
    readMs = askedMs;
  };
  const refresh = () => {
    reading ??= readOnce().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const isOld = () => nowMs() - readMs > staleMs;
  return {
    refresh,
    async untilFresh() {
      if (isOld()) await refresh();
      // The first reading may have been under way, and have asked before this process was frozen.
      if (isOld()) await refresh();
    },
  };
}
