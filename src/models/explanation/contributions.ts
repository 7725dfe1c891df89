/** A margin taken apart: a base that all rows share and what each feature's value adds to it. */

export type Contributions = {
  /**
   * One a row: the mean margin of the training rows, and with it what rounding to float32 left between
   * the margin and the exact sum of its leaves. base + all values of a row = margin.
   */
  readonly base: Float64Array;
  /** Row after row, one value a feature; above 0 raises the risk. */
  readonly values: Float64Array;
};

/** Moves into the base what a row's values do not add up to. */
export function settleBase({ base, values }: Contributions, margins: Float64Array): void {
  const features = values.length / base.length;
  for (let row = 0; row < base.length; row++) {
    let sum = 0;
    for (let at = row * features; at < (row + 1) * features; at++) sum += values[at] ?? 0;
    base[row] = (margins[row] ?? 0) - sum;
  }
}
