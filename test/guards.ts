/**
 * The index of what the engine promises and offers: each row has the test that goes red without its mechanism. Finer promises are
 * titles of tests, and `guards/mechanisms.ts` has the mechanism of each.
 * `test/unit/guards.test.ts` compares it with the API document, the commands, the console and the settings.
 */
import { ACCEPT } from './guards/accept.ts';
import { CONTROL } from './guards/control.ts';
import { EDGE } from './guards/edge.ts';
import { EVIDENCE } from './guards/evidence.ts';
import type { Guards } from './guards/guard.ts';
import { KEEP } from './guards/keep.ts';
import { PROMISES } from './guards/promises.ts';
import { REVIEW } from './guards/review.ts';
import { RULES } from './guards/rules.ts';
import { STORES } from './guards/stores.ts';
import { TOOLS } from './guards/tools.ts';
import { WORK } from './guards/work.ts';

/** Rows by area. */
export const GUARDS: Readonly<Record<string, Guards>> = {
  promises: PROMISES,
  accept: ACCEPT,
  edge: EDGE,
  work: WORK,
  stores: STORES,
  review: REVIEW,
  rules: RULES,
  control: CONTROL,
  keep: KEEP,
  evidence: EVIDENCE,
  tools: TOOLS,
};
