/** Logged vectors with what became known of their transactions, on the way from the store to a trainer. */

/** One item a row, in time order. */
export type TrainingPage = {
  readonly rows: number;
  /** Row after row, all features of the schema; NaN is missing. */
  readonly vectors: Float64Array;
  readonly accountIds: readonly string[];
  /** Since 1970-01-01, UTC. */
  readonly days: Int32Array;
  /** 1 for fraud. */
  readonly labels: Uint8Array;
  /** 1 where there is no label. */
  readonly unlabelled: Uint8Array;
  readonly corridors: readonly string[];
  /** Null where none was given; absent unless asked for. */
  readonly countries?: readonly (string | null)[];
};
