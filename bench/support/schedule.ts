/**
 * When requests are due. At a rate they are due whether or not earlier ones were answered (an open loop),
 * and a request that must wait for its turn counts from when it was due: a server that stalls for a second
 * is then seen by all that came in that second, not only by the one that hit it (coordinated omission).
 * Times are milliseconds of one clock.
 */
export type Schedule = {
  readonly startedAt: number;
  /** When the request is due; in a closed loop from the beginning on. */
  dueAt(index: number): number;
  /** Milliseconds until the request may be sent; 0 or less when it is due. */
  untilDueMs(index: number, now: number): number;
  /**
   * Start of the latency: when the request was due, or when it was sent if that was earlier by a timer's grain.
   */
  beganAt(index: number, sentAt: number): number;
};

/** @param requestsPerSecond 0: each is due when there is a connection for it (a closed loop) */
export function createSchedule(startedAt: number, requestsPerSecond: number): Schedule {
  if (requestsPerSecond === 0) {
    return {
      startedAt,
      dueAt: () => startedAt,
      untilDueMs: () => 0,
      beganAt: (_, sentAt) => sentAt,
    };
  }
  const dueAt = (index: number) => startedAt + (index * 1000) / requestsPerSecond;
  return {
    startedAt,
    dueAt,
    untilDueMs: (index, now) => dueAt(index) - now,
    beganAt: (index, sentAt) => Math.min(dueAt(index), sentAt),
  };
}
