/**
 * Recomputes a stored score from what was stored with it, and returns the fields in which the two differ.
 * Numbers are compared by their bits, reasons as canonical JSON; there is no tolerance.
 */
import { FEATURE_COUNT, featuresOf } from '../domain/feature-schema.ts';
import type { Decision, LoggedField, Reason, ScoreRecord } from '../domain/score-record.ts';
import type { Opinion } from './opinion.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import { inputsOf } from './rules/rule-inputs.ts';
import { score } from './score.ts';
import type { StoredTable } from './scorecard/day-table.ts';
import { marginBy } from './scorecard/judge-by-table.ts';

/** The fields of a stored score that its verification reads. */
export type ScoreEvidence = Pick<ScoreRecord, keyof Decision> &
  Pick<ScoreRecord, LoggedField | 'ruleSet' | 'model' | 'corridor'>;

/**
 * @param ruleSet the one that the score names; undefined where it is unknown
 * @param opinion the model's judgement of the vector; null where there is none, undefined where the model is
 * unknown
 * @param table the one that the margin names; null where it names none, undefined where the table is unknown
 * @returns names of the fields that differ; empty when the score is confirmed
 */
export function verifyScore(
  stored: ScoreEvidence,
  ruleSet: CompiledRuleSet | undefined,
  opinion: Opinion | null | undefined,
  table: StoredTable | null | undefined,
): string[] {
  if (ruleSet?.id !== stored.ruleSet) return ['rule_set'];
  if (featuresOf(stored.featureSchema) === undefined) return ['feature_schema'];
  if (stored.features.length < FEATURE_COUNT) return ['features'];
  if (opinion === undefined || (opinion === null) !== (stored.model === null)) return ['model'];
  const { features: vector } = stored;
  const made = score({
    vector,
    ruleSet,
    opinion,
    inputs: inputsOf(ruleSet, stored, stored.ruleInputs),
  });
  const differing: string[] = [];
  for (const field of ['score', 'risk', 'probability', 'verdict'] as const) {
    if (!Object.is(made[field], stored[field])) differing.push(field);
  }
  if (canonical(made.reasons) !== canonical(stored.reasons)) differing.push('reasons');
  // A score without a margin was made by 1.0.0, which stored no points of the rules alone.
  if (stored.margin !== null && made.byRules !== stored.byRules) differing.push('by_rules');
  return [...differing, ...verifyMargin(stored, table)];
}

/** Scores of feature schema 3 have no margin. */
function verifyMargin(
  { margin, features, scorecard }: ScoreEvidence,
  table: StoredTable | null | undefined,
): string[] {
  if (margin === null) return [];
  if (table === undefined || (table?.serial ?? null) !== scorecard) return ['scorecard'];
  return Object.is(marginBy(table, features), margin) ? [] : ['margin'];
}

/** Postgres may return the keys of an object in another order. */
function canonical(reasons: readonly Reason[]): string {
  return JSON.stringify(
    reasons.map(({ code, detail, contribution }) => [code, detail, contribution]),
  );
}
