/**
 * Verdicts: of points by the thresholds of a rule set, of a model by its bands, and under what rules and people order. `weigh` gives
 * points and verdict of a row without reasons and their sentences, for readers of millions of stored vectors: the same as `score`
 * gives, bit for bit (test/unit/core/score/weigh.test.ts). Pure.
 */
import type { ManualFrom } from '../domain/control.ts';
import { featureOf } from '../domain/feature-schema.ts';
import { SCORE_MAX, type Verdict } from '../domain/score-record.ts';
import type { Opinion, OpinionBands } from './opinion.ts';
import type { CompiledRule, CompiledRuleSet } from './rules/compile-rule-set.ts';
import { lowered } from './rules/derived-rule-set.ts';
import { CORRIDOR_KEY, type Inputs } from './rules/generate-program.ts';
import { FORCED_VERDICTS, type ForcedVerdict, type Thresholds } from './rules/rule-set-data.ts';
import { failedRules } from './rules-in-force.ts';

const amountOf = featureOf('amount');
const NO_INPUTS: Inputs = [];

const VERDICT_OF: Readonly<Record<ForcedVerdict, Verdict>> = {
  block: 'decline',
  allow: 'approve',
  decline: 'decline',
  review: 'review',
  approve: 'approve',
};

export function verdictForcedBy(rules: readonly CompiledRule[] | undefined): Verdict | null {
  if (rules === undefined) return null;
  const order = FORCED_VERDICTS.find((verdict) => forces(rules, verdict));
  return order === undefined ? null : VERDICT_OF[order];
}

/**
 * The verdict where rules may force one. A forced review makes nothing milder: one person changes the lists that it may ask, and
 * must not send a declined payment to people.
 */
export function verdictUnder(forced: Verdict | null, weighed: Verdict): Verdict {
  return forced === 'review' && weighed === 'decline' ? weighed : (forced ?? weighed);
}

const forces = (rules: readonly CompiledRule[], order: ForcedVerdict) =>
  rules.some(({ verdict }) => verdict === order);

/** Whether people review the amount for a time. An entry of the allow list goes before any review. */
export function isManual(
  { amount }: ManualFrom,
  verdict: Verdict,
  forced: readonly CompiledRule[],
  vector: Float64Array,
): boolean {
  return verdict === 'approve' && !forces(forced, 'allow') && amountOf(vector) >= amount;
}

/**
 * Risk and verdict by an opinion, to which rules marked as policy add. Bands of probabilities judge the probability alone, as any
 * policy rule would exceed them: policy rules are judged by the rule set's thresholds, and the stricter verdict stands.
 * @param policyRisk of the rules marked as policy that fire
 */
export function weighOpinion(
  { probability, bands }: Pick<Opinion, 'probability' | 'bands'>,
  policyRisk: number,
  ruleSet: CompiledRuleSet,
  inputs: Inputs,
): { readonly risk: number; readonly verdict: Verdict } {
  if (!bands?.isOfProbability) {
    // Not 1 - (1 - p) * ...: that would round small probabilities to the same risk.
    const risk = probability + (1 - probability) * policyRisk;
    return { risk, verdict: verdictOfModel(risk, bands, ruleSet, inputs) };
  }
  const own = verdictOfModel(probability, bands, ruleSet);
  const byPolicy = verdictOf(Math.round(SCORE_MAX * policyRisk), thresholdsOf(ruleSet, inputs));
  const isStricter = own === 'approve' || byPolicy === 'decline';
  return { risk: probability, verdict: isStricter ? byPolicy : own };
}

/** Without bands of its own a model follows those of the rule set. */
export function verdictOfModel(
  risk: number,
  bands: OpinionBands | null,
  ruleSet: CompiledRuleSet,
  inputs = NO_INPUTS,
): Verdict {
  if (bands === null) {
    return verdictOf(Math.round(SCORE_MAX * risk), thresholdsOf(ruleSet, inputs));
  }
  const by = ruleSet.tightenedBy / SCORE_MAX;
  if (risk >= lowered(bands.declineFrom, by)) return 'decline';
  return risk >= lowered(bands.reviewFrom, by) ? 'review' : 'approve';
}

export function verdictOf(points: number, { review, decline }: Thresholds): Verdict {
  if (points >= decline) return 'decline';
  return points >= review ? 'review' : 'approve';
}

/** Thresholds of the row's corridor, where the rule set has such. */
export function thresholdsOf(ruleSet: CompiledRuleSet, inputs: Inputs): Thresholds {
  const { verdicts, corridorVerdicts } = ruleSet;
  if (corridorVerdicts.size === 0) return verdicts;
  const corridor = inputs[ruleSet.inputs.indexOf(CORRIDOR_KEY)];
  return (typeof corridor === 'string' && corridorVerdicts.get(corridor)) || verdicts;
}

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
  const byModel = opinion && weighOpinion(opinion, 1 - safe, ruleSet, inputs);
  const points = Math.round(SCORE_MAX * (byModel?.risk ?? 1 - safe));
  const weighed = byModel?.verdict ?? verdictOf(points, thresholdsOf(ruleSet, inputs));
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
