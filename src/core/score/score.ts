/**
 * The core of scoring: a logged feature vector, a rule set and a model's opinion in, a decision out. It is
 * pure, so the same three always give the same bits. Without an opinion the rules that fire are combined as
 * independent causes (noisy or): risk = 1 - product of (1 - weight); the more fire, the higher, and never above
 * 1. With one the risk is its probability, to which only rules marked as policy add: others would count twice
 * what the model has learnt, and blur its ranking. A verdict that a rule forces stands in any case, and leaves the risk as it is.
 * Rules marked as policy add nothing to a probability with bands of probabilities: the stricter verdict of both stands.
 */

import { type Decision, type Reason, SCORE_MAX, type Verdict } from '../domain/score-record.ts';
import { factorSentence } from './factor-sentence.ts';
import type { Factor, Opinion } from './opinion.ts';
import type { CompiledRule, CompiledRuleSet } from './rules/compile-rule-set.ts';
import { textOf } from './rules/derived-rule-set.ts';
import type { Inputs } from './rules/generate-program.ts';
import { FORCED_VERDICTS } from './rules/rule-set-data.ts';
import { failedRules, failureOf } from './rules-in-force.ts';
import { riskBy } from './scorecard/judge-by-table.ts';
import {
  isManual,
  thresholdsOf,
  verdictForcedBy,
  verdictOf,
  verdictUnder,
  weighOpinion,
} from './weigh.ts';

type ScoreInput = {
  readonly vector: Float64Array;
  readonly ruleSet: CompiledRuleSet;
  /** The deciding model's judgement of the vector; null while the rules decide alone. */
  readonly opinion: Opinion | null;
  /** Values that the rule set reads beside the vector, in the order of its `inputs`; a value that is not given is missing. */
  readonly inputs?: Inputs | undefined;
};

/** Reason code of a model's probability as a whole. */
export const MODEL_REASON = 'MODEL_PROBABILITY';
/** Reason code of a review that people ordered for larger amounts. */
export const MANUAL_REASON = 'MANUAL_REVIEW';
const NO_REASONS: readonly Reason[] = [];
const NO_CAUSES: readonly Cause[] = [];
const NO_INPUTS: Inputs = [];

/** A cause of risk: a rule that fired, or the model. Its sentence is rendered where it becomes a reason. */
type Cause = {
  readonly code: string;
  readonly weight: number;
  readonly detail: CompiledRule['detail'];
};

/** The values that a sentence is rendered of, and the points of the rules alone. */
type Row = {
  readonly vector: Float64Array;
  readonly inputs: Inputs;
  /** The deciding model's; NaN where rules decide alone. */
  readonly probability: number;
  readonly byRules: Decision['byRules'];
};

export function score({ vector, ruleSet, opinion, inputs = NO_INPUTS }: ScoreInput): Decision {
  const { program, programRules, manualFrom } = ruleSet;
  const probability = opinion === null ? Number.NaN : opinion.probability;
  // Goes first, as the program has the failures of its last call.
  const byRules = opinion && Math.round(SCORE_MAX * riskBy(ruleSet, vector, inputs).risk);
  const count = program.decide(vector, inputs, probability);
  const failed = failedRules(ruleSet);
  let safe = 1;
  let causes: Cause[] | undefined;
  let forced: CompiledRule[] | undefined;
  for (let nth = 0; nth < count; nth++) {
    const rule = programRules[program.fired[nth] as number];
    if (rule === undefined) continue;
    if (rule.verdict !== null) {
      forced ??= [];
      forced.push(rule);
      continue;
    }
    const weight = program.weights[nth] as number;
    const counts = opinion === null || rule.isPolicy;
    if (counts) safe *= 1 - weight;
    const cause = { code: rule.code, weight: counts ? weight : 0, detail: rule.detail };
    if (causes === undefined) causes = [cause];
    else addCause(causes, cause);
  }
  const row = { vector, inputs, probability, byRules };
  const verdict = verdictForcedBy(forced);
  const decision =
    opinion === null
      ? scoreByRules(1 - safe, causes, ruleSet, row, verdict)
      : scoreByModel(1 - safe, causes ?? NO_CAUSES, opinion, ruleSet, row, verdict);
  if (forced === undefined && manualFrom === null && failed.length === 0) return decision;
  return addOrders(decision, forced ?? [], failed, ruleSet, row);
}

/**
 * Reasons without points: verdicts that rules force, the review of larger amounts for a time, and rules that threw. What such a
 * rule would have said is unknown, so people look at what the others approve.
 */
function addOrders(
  decision: Decision,
  forced: readonly CompiledRule[],
  failed: readonly CompiledRule[],
  { manualFrom }: CompiledRuleSet,
  { vector, inputs, probability }: Row,
): Decision {
  const reasons = [...decision.reasons];
  for (const order of FORCED_VERDICTS) {
    for (const { code, detail, verdict } of forced) {
      if (verdict !== order) continue;
      reasons.push({ code, detail: detail(vector, inputs, probability), contribution: 0 });
    }
  }
  let { verdict } = decision;
  if (manualFrom !== null && isManual(manualFrom, verdict, forced, vector)) {
    const detail = `Amounts from ${textOf(manualFrom, ' ')} on are reviewed by people for a time`;
    reasons.push({ code: MANUAL_REASON, detail, contribution: 0 });
    verdict = 'review';
  }
  if (failed.length > 0) {
    reasons.push(failureOf(failed));
    if (verdict === 'approve') verdict = 'review';
  }
  return { ...decision, verdict, reasons };
}

function scoreByRules(
  risk: number,
  causes: readonly Cause[] | undefined,
  ruleSet: CompiledRuleSet,
  row: Row,
  forced: Verdict | null,
): Decision {
  const points = Math.round(SCORE_MAX * risk);
  return {
    score: points,
    risk,
    probability: null,
    verdict: verdictUnder(forced, verdictOf(points, thresholdsOf(ruleSet, row.inputs))),
    reasons: causes === undefined ? NO_REASONS : rankReasons(causes, points, row),
    byRules: row.byRules,
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
  row: Row,
  forced: Verdict | null,
): Decision {
  const { probability, bands } = opinion;
  const { risk, verdict: weighed } = weighOpinion(opinion, policyRisk, ruleSet, row.inputs);
  const points = Math.round(SCORE_MAX * risk);
  const verdict = verdictUnder(forced, weighed);
  const ofModel =
    verdict === 'approve' ? [wholeCause(probability)] : toCauses(opinion.factors(), probability);
  const all = bands?.isOfProbability ? [] : causes.filter(({ weight }) => weight > 0);
  const pointless = causes.filter((cause) => !all.includes(cause));
  for (const cause of ofModel) addCause(all, cause);
  const reasons = rankReasons(all, points, row);
  const isUnexplained = verdict !== 'approve' && reasons.length + pointless.length === 0;
  if (isUnexplained && bands?.isOfProbability) pointless.push(wholeCause(probability));
  for (const { code, detail } of pointless) {
    reasons.push({ code, detail: detail(row.vector, row.inputs, probability), contribution: 0 });
  }
  return { score: points, risk, probability, verdict, reasons, byRules: row.byRules };
}

/** Reason code of a feature that a model weighs. */
export function factorReason(feature: string): string {
  return `MODEL_${feature.toUpperCase().replaceAll(/\W/g, '_')}`;
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
    detail: () => factor.sentence ?? factorSentence(factor),
  }));
}

/**
 * Makes reasons of causes, the greatest first. The points are shared out in proportion to the weights and
 * rounded down; the remaining ones go to the greatest, so that contributions never rise and add up to the
 * score. A cause without a point is left out.
 */
function rankReasons(
  causes: readonly Cause[],
  points: number,
  { vector, inputs, probability }: Row,
): Reason[] {
  let total = 0;
  for (const cause of causes) total += cause.weight;
  let left = points;
  for (const cause of causes) left -= Math.floor((points * cause.weight) / total);
  const reasons: Reason[] = [];
  for (const { code, weight, detail } of causes) {
    const contribution = Math.floor((points * weight) / total) + (left-- > 0 ? 1 : 0);
    if (contribution > 0) {
      reasons.push({ code, detail: detail(vector, inputs, probability), contribution });
    }
  }
  return reasons;
}
