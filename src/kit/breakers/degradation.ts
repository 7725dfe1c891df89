/**
 * The degradation level of a process or a corridor, 0 to 4, from what its calls to the stores measured:
 *
 *   0 full · 1 slow · 2 scoring is queued · 3 no writes · 4 neither store works
 *
 * A measurement must last for two looks to raise the level, a breaker raises it at once, and the level
 * falls when all of the last looks were lower: one bad second neither raises it nor lowers it.
 */
import type { BreakerState, Tally } from './breaker.ts';

export type DegradationLevel = 0 | 1 | 2 | 3 | 4;

/** Measurements of a dependency since the last check. */
export type DependencyLook = {
  readonly tally: Tally;
  /** How long calls have been under way without one of them ending. */
  readonly stalledMs: number;
};

type Look = {
  readonly dependencies: readonly DependencyLook[];
  /** The worst state of the breakers since the last check. */
  readonly breakerLevel: DegradationLevel;
};

/** Checks for which the level is held after its cause has gone. */
export const HELD_LOOKS = 8;
/** With fewer calls a share of errors is not significant. */
const CALLS_MIN = 10;
const SLOW_MS = 500;
const SLOW_ERRORS = 0.05;
const QUEUE_MS = 1000;
const QUEUE_ERRORS = 0.1;

/** Makes a check and returns the level from now on. */
export function createDegradation(): (look: Look) => DegradationLevel {
  let before: DegradationLevel = 0;
  let recent: DegradationLevel[] = [];
  return (look) => {
    const measured = look.dependencies.map(measure).reduce(worse, 0);
    const confirmed = measured < before ? measured : before;
    before = measured;
    recent = [...recent, worse(look.breakerLevel, confirmed)].slice(-HELD_LOOKS);
    return recent.reduce(worse);
  };
}

export function levelOfBreakers(postgres: BreakerState, redis: BreakerState): DegradationLevel {
  if (postgres === 'closed') return redis === 'closed' ? 0 : 2;
  return redis === 'closed' ? 3 : 4;
}

/** The level of one look alone. */
export function measure({ tally, stalledMs }: DependencyLook): DegradationLevel {
  const latencyMs = Math.max(tally.meanMs, stalledMs);
  const errors = tally.calls < CALLS_MIN ? 0 : tally.failures / tally.calls;
  if (latencyMs > QUEUE_MS || errors > QUEUE_ERRORS) return 2;
  return latencyMs > SLOW_MS || errors > SLOW_ERRORS ? 1 : 0;
}

export function worse(left: DegradationLevel, right: DegradationLevel): DegradationLevel {
  return left > right ? left : right;
}
