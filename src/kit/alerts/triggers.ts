/**
 * When processes of a role should become more or fewer. `risk supervise` reads this table; a test compares the alerts and the
 * manifests with it, so that all of them act on the same value. A measure is a mean over `windowSeconds`, so that one batch or one request moves nothing.
 */

type ScaledRole = 'api' | 'worker';

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

export type Trigger = {
  readonly name: string;
  readonly role: ScaledRole;
  /** Where the measure is of a process, the mean over the processes of the role counts. */
  readonly measure: Measure;
  /** Larger values ask for more processes where `add` is true, smaller ones for fewer where it is false. */
  readonly add: boolean;
  /** In the unit of the measure. The value itself triggers nothing. */
  readonly threshold: number;
  /** The measure is the mean of so many seconds. */
  readonly windowSeconds: number;
  /** For so long the mean must be beyond the threshold without a pause. */
  readonly forSeconds: number;
};

const MINUTE = 60;

export const TRIGGERS = [
  {
    name: 'HighQueueDepth',
    role: 'worker',
    measure: 'queue_depth_transactions',
    add: true,
    threshold: 1000,
    windowSeconds: MINUTE,
    forSeconds: 5 * MINUTE,
  },
  // The alert tells people of a depth that lasts; processes that scale themselves need not wait for it.
  {
    name: 'DeepQueue',
    role: 'worker',
    measure: 'queue_depth_transactions',
    add: true,
    threshold: 1000,
    windowSeconds: MINUTE,
    forSeconds: 0,
  },
  {
    name: 'LowQueueDepth',
    role: 'worker',
    measure: 'queue_depth_transactions',
    add: false,
    threshold: 10,
    windowSeconds: MINUTE,
    forSeconds: 30 * MINUTE,
  },
  {
    name: 'HighQueueAge',
    role: 'worker',
    measure: 'queue_age_seconds',
    add: true,
    threshold: 30,
    windowSeconds: MINUTE,
    forSeconds: 0,
  },
  {
    name: 'BusyWorkers',
    role: 'worker',
    measure: 'processor_ratio',
    add: true,
    threshold: 0.7,
    windowSeconds: MINUTE,
    forSeconds: 5 * MINUTE,
  },
  {
    name: 'HighAPILatency',
    role: 'api',
    measure: 'api_p95_seconds',
    add: true,
    threshold: 0.3,
    windowSeconds: MINUTE,
    forSeconds: 5 * MINUTE,
  },
  {
    name: 'SlowAPI',
    role: 'api',
    measure: 'api_p95_seconds',
    add: true,
    threshold: 0.2,
    windowSeconds: 5 * MINUTE,
    forSeconds: 0,
  },
  {
    name: 'BusyAPI',
    role: 'api',
    measure: 'processor_ratio',
    add: true,
    threshold: 0.7,
    windowSeconds: MINUTE,
    forSeconds: 5 * MINUTE,
  },
  {
    name: 'LargeAPI',
    role: 'api',
    measure: 'memory_ratio',
    add: true,
    threshold: 0.8,
    windowSeconds: MINUTE,
    forSeconds: MINUTE,
  },
  {
    name: 'CrowdedAPI',
    role: 'api',
    measure: 'requests_in_flight',
    add: true,
    threshold: 100,
    windowSeconds: MINUTE,
    forSeconds: 0,
  },
] as const satisfies readonly Trigger[];

export type TriggerName = (typeof TRIGGERS)[number]['name'];
