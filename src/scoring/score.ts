/**
 * The heart: a logged feature vector, a rule set and a model in, a decision out. Pure, so the same
 * three give the same bits for ever. Rules that fire are combined as independent causes (noisy or):
 * risk = 1 - product of (1 - weight); the more fire, the higher, and never above 1.
 */
import { type Decision, type Reason, SCORE_MAX, type Verdict } from '../domain/score-record.ts';
import { bandWeight } from './band.ts';
import type { CompiledRule, CompiledRuleSet } from './compile-rule-set.ts';

/** A scoring model; null while scores are made by rules alone. Its probability is one more cause. */
export type Model = {
  /** `name@version`, as stored. */
  readonly id: string;
  /** Calibrated probability of fraud, 0..1. */
  probability(vector: Float64Array): number;
};

export type ScoreInput = {
  readonly vector: Float64Array;
  readonly ruleSet: CompiledRuleSet;
  readonly model: Model | null;
};

const MODEL_REASON = 'MODEL_PROBABILITY';
const NO_REASONS: readonly Reason[] = [];

/** A cause of risk: a rule that fired, or the model. */
type Cause = { readonly code: string; readonly weight: number; readonly detail: string };

export function score({ vector, ruleSet, model }: ScoreInput): Decision {
  let safe = 1;
  let causes: Cause[] | undefined;
  for (const compiled of ruleSet.rules) {
    const weight = ruleWeight(compiled, vector);
    if (weight === 0) continue;
    safe *= 1 - weight;
    causes ??= [];
    causes.push({ code: compiled.rule.reasonCode, weight, detail: compiled.rule.detail(vector) });
  }
  const probability = model === null ? null : model.probability(vector);
  if (probability !== null && probability > 0) {
    safe *= 1 - probability;
    const detail = `The model sees fraud with a probability of ${(probability * 100).toFixed(1)} %`;
    causes ??= [];
    causes.push({ code: MODEL_REASON, weight: probability, detail });
  }
  const risk = 1 - safe;
  const points = Math.round(SCORE_MAX * risk);
  return {
    score: points,
    risk,
    probability,
    verdict: verdictOf(points, ruleSet),
    reasons: causes === undefined ? NO_REASONS : rankReasons(causes, points),
  };
}

/** Weight of one rule on a vector; 0 when it does not fire. */
export function ruleWeight({ rule, bounds, bands }: CompiledRule, vector: Float64Array): number {
  return bandWeight(bands, rule.measure(vector, bounds));
}

function verdictOf(points: number, { verdicts }: CompiledRuleSet): Verdict {
  if (points >= verdicts.decline) return 'decline';
  return points >= verdicts.review ? 'review' : 'approve';
}

/**
 * Heaviest first, equal ones in the order of the registry. The points are shared out in proportion to
 * the weights and rounded down; the few left over go to the heaviest, so that contributions never rise
 * and add up to the score. A cause worth no point is left out.
 */
function rankReasons(causes: Cause[], points: number): Reason[] {
  causes.sort((a, b) => b.weight - a.weight);
  let total = 0;
  for (const cause of causes) total += cause.weight;
  let left = points;
  for (const cause of causes) left -= Math.floor((points * cause.weight) / total);
  const reasons: Reason[] = [];
  for (const { code, weight, detail } of causes) {
    const contribution = Math.floor((points * weight) / total) + (left-- > 0 ? 1 : 0);
    if (contribution > 0) reasons.push({ code, detail, contribution });
  }
  return reasons;
}
