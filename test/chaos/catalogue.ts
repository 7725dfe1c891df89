/** All scenarios, in the order in which `npm run chaos` runs them. */
import { bounces } from './scenarios/bounce.ts';
import type { Scenario } from './support/scenario.ts';

export const SCENARIOS: readonly Scenario[] = [...bounces];
