/** Percentiles of a sample by nearest rank, so that every one is a value that was measured. */
export type Percentiles = {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
};

/** NaN throughout when the sample is empty. */
export function percentiles(sample: ArrayLike<number>): Percentiles {
  const sorted = Float64Array.from(sample).sort();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
