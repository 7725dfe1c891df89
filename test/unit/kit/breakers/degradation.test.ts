/** Levels by measurement: what raises them, what does not, and how long they are held. */
import { describe, expect, test } from 'vitest';
import {
  createDegradation,
  type DependencyLook,
  HELD_LOOKS,
  levelOfBreakers,
} from '../../../../src/kit/breakers/degradation.ts';

const FINE: DependencyLook = {
  tally: { calls: 100, failures: 0, meanMs: 2 },
  stalledMs: 0,
};
const slow = (meanMs: number): DependencyLook => ({
  ...FINE,
  tally: { ...FINE.tally, meanMs },
});
const failing = (failures: number, calls = 100): DependencyLook => ({
  ...FINE,
  tally: { calls, failures, meanMs: 2 },
});
const fine = { dependencies: [FINE, FINE], breakerLevel: 0 } as const;

/** The level after two equal checks. */
function levelOf(postgres: DependencyLook, redis: DependencyLook): number {
  const take = createDegradation();
  take({ dependencies: [postgres, redis], breakerLevel: 0 });
  return take({ dependencies: [postgres, redis], breakerLevel: 0 });
}

describe('the degradation level', () => {
  test.each([
    [FINE, FINE, 0],
    [slow(500), FINE, 0],
    [slow(501), FINE, 1],
    [FINE, slow(501), 1],
    [slow(1001), FINE, 2],
    [failing(5), FINE, 0],
    [failing(6), FINE, 1],
    [failing(11), FINE, 2],
    [FINE, failing(11), 2],
    [failing(9, 9), FINE, 0],
    [{ ...FINE, stalledMs: 1001 }, FINE, 2],
  ] as const)('%j and %j: %i', (postgres, redis, level) => {
    expect(levelOf(postgres, redis)).toBe(level);
  });

  test.each([
    ['closed', 'closed', 0],
    ['closed', 'open', 2],
    ['closed', 'half-open', 2],
    ['open', 'closed', 3],
    ['half-open', 'open', 4],
  ] as const)('breakers of Postgres %s and Redis %s: %i', (postgres, redis, level) => {
    expect(levelOfBreakers(postgres, redis)).toBe(level);
  });

  test('one bad look raises nothing, a breaker raises at once', () => {
    const take = createDegradation();
    expect(take({ ...fine, dependencies: [slow(2000), FINE] })).toBe(0);
    expect(take(fine)).toBe(0);
    expect(take({ ...fine, dependencies: [slow(2000), FINE] })).toBe(0);
    expect(take({ ...fine, breakerLevel: 3 })).toBe(3);
  });

  test('is held until all of the last looks were better, and falls to the worst of them', () => {
    const take = createDegradation();
    take({ ...fine, breakerLevel: 3 });
    const breakerLevels = [0, 0, 3, 0, 0, 2, 0, 0] as const;
    const after = breakerLevels.map((breakerLevel) => take({ ...fine, breakerLevel }));
    expect(after).toHaveLength(HELD_LOOKS);
    expect(new Set(after)).toEqual(new Set([3]));
    const next = Array.from({ length: HELD_LOOKS }, () => take(fine));
    expect(next).toEqual([3, 3, 2, 2, 2, 0, 0, 0]);
  });
});
