/**
 * The core of scoring: a logged feature vector, a rule set and a model's opinion in, a decision out. It is
 * pure, so the same three always give the same bits. Without an opinion the rules that fire are combined as
 * independent causes (noisy or): risk = 1 - product of (1 - weight); the more fire, the higher, and never above
 * 1. With one the risk is its probability, to which only rules marked as policy add: others would count twice
 * what the model has learnt, and blur its ranking.
 */
import { featureOf } from '../../../src/core/domain/feature-schema.ts';
import {
  type Decision,
  type Reason,
  SCORE_MAX,
  type Verdict,
} from '../../../src/core/domain/score-record.ts';
import { factorSentence } from '../../../src/core/score/factor-sentence.ts';
import type { Factor, Opinion, OpinionBands } from '../../../src/core/score/judge.ts';
import { bandWeight } from '../../../src/core/score/rules/band.ts';
import type { CompiledRuleSet } from './compile-rule-set.ts';
import { lowered, textOf } from './derive-rule-set.ts';

type ScoreInput = {
  readonly vector: Float64Array;
  readonly ruleSet: CompiledRuleSet;
  /** The deciding model's judgement of the vector; null while the rules decide alone. */
  readonly opinion: Opinion | null;
};

/** Reason code of a model's probability as a whole. */
export const MODEL_REASON = 'MODEL_PROBABILITY';
/** Reason code of a review that people ordered for larger amounts. */
export const MANUAL_REASON = 'MANUAL_REVIEW';
const amountOf = featureOf('amount');
const NO_REASONS: readonly Reason[] = [];
const NO_CAUSES: readonly Cause[] = [];

/** A cause of risk: a rule that fired, or the model. Its sentence is rendered where it becomes a reason. */
type Cause = {
  readonly code: string;
  readonly weight: number;
  readonly detail: (vector: Float64Array) => string;
};

export function score(input: ScoreInput): Decision {
  const decision = scoreByRules(input);
  const { manualFrom } = input.ruleSet;
  if (manualFrom === null || decision.verdict !== 'approve') return decision;
  if (!(amountOf(input.vector) >= manualFrom.amount)) return decision;
  const detail = `Amounts from ${textOf(manualFrom, ' ')} on are reviewed by people for a time`;
  const reasons = [...decision.reasons, { code: MANUAL_REASON, detail, contribution: 0 }];
  return { ...decision, verdict: 'review', reasons };
}

function scoreByRules({ vector, ruleSet, opinion }: ScoreInput): Decision {
  let safe = 1;
  let causes: Cause[] | undefined;
  for (const compiled of ruleSet.rules) {
    const { rule, bounds, bands, from, isPolicy } = compiled;
    const value = rule.measure(vector, bounds);
    // Nearly all values lie below the bands, or are NaN.
    if (!(value >= from)) continue;
    const weight = bandWeight(bands, value);
    if (weight === 0) continue;
    const counts = opinion === null || isPolicy;
    if (counts) safe *= 1 - weight;
    const cause = { code: rule.reasonCode, weight: counts ? weight : 0, detail: rule.detail };
    if (causes === undefined) causes = [cause];
    else addCause(causes, cause);
  }
  if (opinion !== null) {
    return scoreByModel(1 - safe, causes ?? NO_CAUSES, opinion, ruleSet, vector);
  }
  const risk = 1 - safe;
  const points = Math.round(SCORE_MAX * risk);
  return {
    score: points,
    risk,
    probability: null,
    verdict: verdictOf(points, ruleSet),
    reasons: causes === undefined ? NO_REASONS : rankReasons(causes, points, vector),
  };
}

/**
 * Greatest weight first, equal ones in the order of the registry: for so few, `sort` would take five times the
 * memory.
 */
function addCause(causes: Cause[], cause: Cause): void {
  let at = causes.length;
  for (; at > 0; at--) {
    const before = causes[at - 1] as Cause;
    if (before.weight >= cause.weight) break;
    causes[at] = before;
  }
  causes[at] = cause;
}

/** @param causes rules that fired; those of weight 0 are reported and do not count */
function scoreByModel(
  policyRisk: number,
  causes: readonly Cause[],
  opinion: Opinion,
  ruleSet: CompiledRuleSet,
  vector: Float64Array,
): Decision {
  const { probability, bands } = opinion;
  // Not 1 - (1 - p) * ...: that would round small probabilities to the same risk.
  const risk = probability + (1 - probability) * policyRisk;
  const points = Math.round(SCORE_MAX * risk);
  const verdict = verdictOfModel(risk, bands, ruleSet);
  const ofModel =
    verdict === 'approve' ? [wholeCause(probability)] : toCauses(opinion.factors(), probability);
  const all = causes.filter(({ weight }) => weight > 0);
  for (const cause of ofModel) addCause(all, cause);
  const reasons = rankReasons(all, points, vector);
  for (const { code, weight, detail } of causes) {
    if (weight === 0) reasons.push({ code, detail: detail(vector), contribution: 0 });
  }
  return { score: points, risk, probability, verdict, reasons };
}

/** Reason code of a feature that a model weighs. */
export function factorReason(feature: string): string {
  return `MODEL_${feature.toUpperCase()}`;
}

function wholeCause(probability: number): Cause {
  return {
    code: MODEL_REASON,
    weight: probability,
    detail: () => `The model sees fraud with a probability of ${(probability * 100).toFixed(1)} %`,
  };
}

/** Shares the model's weight out among the features in proportion to their contributions to the log-odds. */
function toCauses(factors: readonly Factor[], probability: number): Cause[] {
  if (factors.length === 0) return [wholeCause(probability)];
  let total = 0;
  for (const factor of factors) total += factor.contribution;
  return factors.map((factor) => ({
    code: factorReason(factor.feature),
    weight: (probability * factor.contribution) / total,
    detail: () => factorSentence(factor),
  }));
}

/** Without bands of its own a model follows those of the rule set. */
export function verdictOfModel(
  risk: number,
  bands: OpinionBands | null,
  ruleSet: CompiledRuleSet,
): Verdict {
  if (bands === null) return verdictOf(Math.round(SCORE_MAX * risk), ruleSet);
  const by = ruleSet.tightenedBy / SCORE_MAX;
  if (risk >= lowered(bands.declineFrom, by)) return 'decline';
  return risk >= lowered(bands.reviewFrom, by) ? 'review' : 'approve';
}

function verdictOf(points: number, { verdicts }: CompiledRuleSet): Verdict {
  if (points >= verdicts.decline) return 'decline';
  return points >= verdicts.review ? 'review' : 'approve';
}

/**
 * Makes reasons of causes, the greatest first. The points are shared out in proportion to the weights and
 * rounded down; the remaining ones go to the greatest, so that contributions never rise and add up to the
 * score. A cause without a point is left out.
 */
function rankReasons(causes: readonly Cause[], points: number, vector: Float64Array): Reason[] {
  let total = 0;
  for (const cause of causes) total += cause.weight;
  let left = points;
  for (const cause of causes) left -= Math.floor((points * cause.weight) / total);
  const reasons: Reason[] = [];
  for (const { code, weight, detail } of causes) {
    const contribution = Math.floor((points * weight) / total) + (left-- > 0 ? 1 : 0);
    if (contribution > 0) reasons.push({ code, detail: detail(vector), contribution });
  }
  return reasons;
}
