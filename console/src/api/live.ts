/** The live figures of the pipeline and of the API. */
import type { LiveFigures } from '../../../src/client/api-types.ts';
import { createLive } from './live-source.ts';

/** What plots of the last hour are made of. */
export type Point = {
  readonly at: string;
  readonly accepted: number;
  readonly scored: number;
  readonly dead_lettered: number;
  readonly pending: number | null;
  readonly lag_seconds: number | null;
};

function toPoint({ status: { at, totals, corridors } }: LiveFigures): Point {
  const { accepted, scored, dead_lettered, pending } = totals;
  const ages = corridors?.map((one) => one.oldest_age_seconds);
  const lag_seconds = ages === undefined ? null : Math.max(0, ...ages);
  return { at, accepted, scored, dead_lettered, pending, lag_seconds };
}

export const useLive = createLive('/v1/live', toPoint);
