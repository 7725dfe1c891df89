/** A calibration finds these: processor time of each step, and waits that take no processor. */

/** Microseconds of a processor that nobody else disturbs. */
export type Costs = {
  readonly generator: {
    readonly request: number;
    readonly transaction: number;
    readonly read: number;
  };
  readonly api: {
    readonly request: number;
    readonly commit: number;
    readonly transaction: number;
    readonly read: number;
  };
  readonly worker: {
    readonly batch: number;
    readonly transaction: number;
    /** Share by which each further worker makes a transaction dearer, as it merges what the others appended to profiles. */
    readonly mergedShare: number;
  };
  readonly postgres: {
    readonly statement: number;
    readonly claimed: number;
    readonly scored: number;
    readonly read: number;
  };
  readonly redis: {
    /** A stream that a commit appends to, or a batch settles. */
    readonly stream: number;
    readonly appended: number;
    readonly folded: number;
    /** A stream that a worker looks at. */
    readonly look: number;
    readonly read: number;
  };
  /** Processors in use while nothing is sent. */
  readonly idle: Readonly<Record<'api' | 'worker' | 'postgres' | 'redis', number>>;
};

export type Waits = {
  /** Between two processes, one way. */
  readonly hopMs: number;
  readonly flushMs: number;
  /** Deviation of the logarithm of a service time. */
  readonly sigma: number;
  readonly busySpeed: number;
  /** Processors that other programs of the machine ask for, as so many threads, in bursts that begin so far apart. */
  readonly others: number;
  readonly othersThreads: number;
  readonly othersEveryMs: number;
};
