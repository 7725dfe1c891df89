/**
 * Points and verdict of a row without reasons and their sentences, for readers of millions of stored vectors. The same as
 * `score` gives, bit for bit (test/unit/core/score/weigh.test.ts).
 */
import { SCORE_MAX, type Verdict } from '../domain/score-record.ts';
import type { Opinion } from './opinion.ts';
import type { CompiledRule, CompiledRuleSet } from './rules/compile-rule-set.ts';
import type { Inputs } from './rules/generate-program.ts';
import { failedRules } from './rules-in-force.ts';
import {
  isManual,
  thresholdsOf,
  verdictForcedBy,
  verdictOf,
  verdictOfModel,
  verdictUnder,
} from './score.ts';

export type Weighed = {
  readonly points: number;
  readonly verdict: Verdict;
  /** A verdict that a rule forces, whatever the points are; a review where a rule threw and none forces one. */
  readonly forced: Verdict | null;
};

/** No rule has this index. */
const NONE = -1;
const NO_RULES: readonly CompiledRule[] = [];

/**
 * @param count rules that fired, as the program of the rule set has just answered for the row
 * @param without index in the program of a rule that is left out
 */
export function weigh(
  ruleSet: CompiledRuleSet,
  opinion: Pick<Opinion, 'probability' | 'bands'> | null,
  vector: Float64Array,
  inputs: Inputs,
  count: number,
  without = NONE,
): Weighed {
  const { program, programRules, manualFrom } = ruleSet;
  let safe = 1;
  let forced: CompiledRule[] | undefined;
  for (let nth = 0; nth < count; nth++) {
    const index = program.fired[nth] as number;
    const rule = programRules[index];
    if (rule === undefined || index === without) continue;
    if (rule.verdict !== null) {
      forced ??= [];
      forced.push(rule);
    } else if (opinion === null || rule.isPolicy) {
      safe *= 1 - (program.weights[nth] as number);
    }
  }
  const byRules = 1 - safe;
  const risk =
    opinion === null ? byRules : opinion.probability + (1 - opinion.probability) * byRules;
  const points = Math.round(SCORE_MAX * risk);
  const weighed =
    opinion === null
      ? verdictOf(points, thresholdsOf(ruleSet, inputs))
      : verdictOfModel(risk, opinion.bands, ruleSet, inputs);
  const order = verdictForcedBy(forced);
  const verdict = verdictUnder(order, weighed);
  const hasFailed = failedRules(ruleSet).length > 0;
  const isReviewed =
    (manualFrom !== null && isManual(manualFrom, verdict, forced ?? NO_RULES, vector)) ||
    (verdict === 'approve' && hasFailed);
  return {
    points,
    verdict: isReviewed ? 'review' : verdict,
    forced: order ?? (hasFailed ? 'review' : null),
  };
}
