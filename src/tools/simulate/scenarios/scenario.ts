/**
 * A fraud scenario: the transactions of one episode. `begin` fixes the episode's victim or accomplices; the
 * function it returns makes one transaction at a time, in time order.
 */
import type { Random } from '../../../kit/random.ts';
import type { Draft, ScenarioName } from '../transaction.ts';
import type { World } from '../world.ts';

export type Scenario = {
  readonly name: Exclude<ScenarioName, 'none'>;
  /** Transactions of one episode, both ends included. */
  readonly size: readonly [min: number, max: number];
  readonly durationMs: readonly [min: number, max: number];
  readonly begin: (world: World, random: Random) => () => Draft;
};

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
