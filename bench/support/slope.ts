/** How fast a series rises: the median of the slopes between all pairs (Theil-Sen), which a few outliers do not move. */
import { spreadOf } from './spread.ts';

export type Point = { readonly x: number; readonly y: number };

/** y by x; NaN for fewer than two points of different x. */
export const slopeOf = (points: readonly Point[]): number => slopeWithin([points]);

/** The slope that parts of a series have in common: pairs of points of one part are compared, so steps between parts are none. */
export function slopeWithin(parts: readonly (readonly Point[])[]): number {
  const slopes = parts.flatMap((points) =>
    points.flatMap((one, at) =>
      points
        .slice(at + 1)
        .filter(({ x }) => x !== one.x)
        .map(({ x, y }) => (y - one.y) / (x - one.x)),
    ),
  );
  return spreadOf(slopes).median;
}
