/** Points of live figures, from which plots of the last hour are drawn. */

export const POINT_EVERY_MS = 10_000;
/** Points of an hour. */
export const POINTS_MAX = 360;

export type Point = { readonly at: string };

/** Points that outlive the process. */
export type StoredPoints = {
  /** Oldest first. */
  readonly load: () => Promise<Point[]>;
  readonly save: (point: Point) => Promise<unknown>;
};
