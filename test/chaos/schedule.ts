/**
 * Which process dies when: a pure function of the seed, printed before it is carried out, so that a
 * run that fails can be run again.
 */
import { createRandom, integerBetween, pick } from '../../src/simulate/random.ts';

export const SCENARIOS = ['worker', 'api', 'redis-wipe'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** How one round ends its victim. */
export type Fault =
  /** The victim kills itself (SIGKILL) on its Nth pass of a point in the code. */
  | { readonly kind: 'failpoint'; readonly name: string; readonly pass: number }
  /** We kill it this long after it is ready. */
  | { readonly kind: 'sigkill'; readonly afterMs: number }
  /** Redis loses everything it holds, this long into the round. */
  | { readonly kind: 'flushall'; readonly afterMs: number };

export type Round = { readonly number: number; readonly fault: Fault };

/** Passes of one victim at the chaos load: a batch takes some 10 ms, a request some 30 ms. */
const WORKER_PASSES_MAX = 60;
const API_PASSES_MAX = 30;
const SIGKILL_MS_MAX = 2500;
const FLUSH_MS = { min: 2000, max: 6000 };

export function drawSchedule(scenario: ScenarioName, rounds: number, seed: string): Round[] {
  const random = createRandom(`${seed}/${scenario}`);
  const passes = (max: number) => integerBetween(random, 1, max);
  const draw = (): Fault => {
    switch (scenario) {
      case 'worker': {
        const point = pick(random, ['worker-after-read', 'worker-after-commit', 'anywhere']);
        return point === 'anywhere'
          ? { kind: 'sigkill', afterMs: integerBetween(random, 50, SIGKILL_MS_MAX) }
          : { kind: 'failpoint', name: point, pass: passes(WORKER_PASSES_MAX) };
      }
      case 'api':
        return { kind: 'failpoint', name: 'api-after-commit', pass: passes(API_PASSES_MAX) };
      case 'redis-wipe':
        return { kind: 'flushall', afterMs: integerBetween(random, FLUSH_MS.min, FLUSH_MS.max) };
    }
  };
  return Array.from({ length: rounds }, (_, index) => ({ number: index + 1, fault: draw() }));
}

export function describeFault(fault: Fault): string {
  return fault.kind === 'failpoint'
    ? `${fault.name}:${fault.pass}`
    : `${fault.kind} after ${fault.afterMs} ms`;
}
