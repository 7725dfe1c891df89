/**
 * Triggers say when processes of a role should become more or fewer. `risk supervise` reads this table, and a test compares alerts and
 * manifests with the table. A measure is a mean over `windowSeconds`, so that a single batch or request moves nothing.
 */

/** Measures that triggers compare. */
export type Measure =
  /** Transactions of all streams of the market that no worker has read yet, and that this release reads. */
  | 'queue_depth_transactions'
  /** Age of the oldest entry of the market that this release reads and that is not acknowledged. */
  | 'queue_age_seconds'
  /** Duration within which 95 % of the requests of all API processes of a role were answered. */
  | 'api_p95_seconds'
  /** Requests that an API process has admitted and not answered, its request queue. */
  | 'requests_in_flight'
  /** Share that a process uses of the processor that it may have, one thread or the quota of its container. */
  | 'processor_ratio'
  /** Resident memory of a process as a share of what the process may have. */
  | 'memory_ratio';

const MINUTE = 60;

/**
 * @param add larger values ask for more processes where `add` is true, smaller values for fewer where it is false
 * @param measure of a process: the mean over the processes of the role counts
 * @param threshold in the unit of the measure; the value itself triggers nothing
 * @param windowSeconds the measure is the mean of so many seconds
 * @param forSeconds for so long the mean must be beyond the threshold without a pause
 */
const compared =
  (add: boolean) =>
  <Name extends string>(
    name: Name,
    role: 'api' | 'worker',
    measure: Measure,
    threshold: number,
    windowSeconds: number,
    forSeconds: number,
  ) => ({ name, role, measure, add, threshold, windowSeconds, forSeconds });
const above = compared(true);
const below = compared(false);

export const TRIGGERS = [
  above('HighQueueDepth', 'worker', 'queue_depth_transactions', 1000, MINUTE, 5 * MINUTE),
  // The alert tells people of a depth that lasts; processes that scale themselves need not wait for it.
  above('DeepQueue', 'worker', 'queue_depth_transactions', 1000, MINUTE, 0),
  below('LowQueueDepth', 'worker', 'queue_depth_transactions', 10, MINUTE, 30 * MINUTE),
  above('HighQueueAge', 'worker', 'queue_age_seconds', 30, MINUTE, 0),
  above('BusyWorkers', 'worker', 'processor_ratio', 0.7, MINUTE, 5 * MINUTE),
  above('HighAPILatency', 'api', 'api_p95_seconds', 0.3, MINUTE, 5 * MINUTE),
  above('SlowAPI', 'api', 'api_p95_seconds', 0.2, 5 * MINUTE, 0),
  above('BusyAPI', 'api', 'processor_ratio', 0.7, MINUTE, 5 * MINUTE),
  above('LargeAPI', 'api', 'memory_ratio', 0.8, MINUTE, MINUTE),
  above('CrowdedAPI', 'api', 'requests_in_flight', 100, MINUTE, 0),
];

export type Trigger = (typeof TRIGGERS)[number];
