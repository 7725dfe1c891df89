/** Confidence interval of a share. */

/** A 95 % interval. */
export type Interval = { readonly low: number; readonly high: number };

/** Standard deviations that hold 95 % of a normal distribution. */
const Z = 1.959964;

/** The 95 % score interval of a share (Wilson, 1927): inside [0, 1] for any count. `rows` above 0. */
export function wilsonInterval(hits: number, rows: number): Interval {
  const share = hits / rows;
  const shrink = 1 + (Z * Z) / rows;
  const centre = (share + (Z * Z) / (2 * rows)) / shrink;
  const spread = Math.sqrt((share * (1 - share)) / rows + (Z * Z) / (4 * rows * rows));
  const half = (Z * spread) / shrink;
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
