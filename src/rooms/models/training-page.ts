/** Logged vectors with the labels of their transactions, on the way from the store to a trainer. */

/** Each array has one item per row, in time order. */
export type TrainingPage = {
  readonly rows: number;
  /** Row after row, all features of the schema; NaN is missing. */
  readonly vectors: Float64Array;
  readonly accountIds: readonly string[];
  /** UTC days since 1970-01-01. */
  readonly days: Int32Array;
  /** 1 for fraud. */
  readonly labels: Uint8Array;
  /** 1 where there is no label. */
  readonly unlabelled: Uint8Array;
  readonly corridors: readonly string[];
  /** Null where the transaction has none; absent unless asked for. */
  readonly countries?: readonly (string | null)[];
};
