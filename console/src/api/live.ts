/** The live figures of the pipeline and of the API. */
import type { LiveFigures } from '../../../src/kit/client/api-types.ts';
import { createLive } from './live-source.ts';

/** A point of the plots of the last hour. */
export type Point = {
  readonly at: string;
  readonly accepted: number;
  readonly scored: number;
  readonly dead_lettered: number;
  readonly pending: number | null;
  readonly lag_seconds: number | null;
  /** Null where nothing was scored in the last minute. */
  readonly latency_p50_ms: number | null;
  readonly latency_p95_ms: number | null;
};

const RECENT_MS = 60_000;

function toPoint({ status }: LiveFigures): Point {
  const { at, totals, corridors, latency_newest_at: newest } = status;
  const { accepted, scored, dead_lettered, pending } = totals;
  const ages = corridors?.map((one) => one.oldest_age_seconds);
  const isRecent = newest !== null && Date.parse(at) - Date.parse(newest) < RECENT_MS;
  return {
    ...{ at, accepted, scored, dead_lettered, pending },
    lag_seconds: ages === undefined ? null : Math.max(0, ...ages),
    latency_p50_ms: isRecent ? status.latency_p50_ms : null,
    latency_p95_ms: isRecent ? status.latency_p95_ms : null,
  };
}

export const useLive = createLive({ path: '/v1/live', toPoint, silentMsMax: 5000 });
