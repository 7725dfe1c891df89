/**
 * The margin of a vector by the table of its day. It is stored with every score whatever decides, and is a function of the
 * vector and the table alone, so a stored margin can be computed again.
 */
import type { CompiledRuleSet } from '../rules/compile-rule-set.ts';
import type { Inputs } from '../rules/generate-program.ts';
import { findRuleSet } from '../rules/rule-sets.ts';
import { BUCKETS } from './cuts.ts';
import { type DayTable, type StoredTable, textOfDay } from './day-table.ts';
import { type LogOdds, logOddsOf, writeMeasures } from './measures.ts';
import { baseOf, marginOf, writeBuckets } from './scorecard.ts';

/** Members of a table by which a vector is judged: a stored table has them, and so has a table that a night is making. */
export type Judging = { readonly table: Pick<DayTable, 'ruleSet' | 'measures' | 'scorecard'> };

/** Id of the built-in rules whose log-odds are the margin where there is no table. */
const FIRST_RULE_SET = 'default@4';

const NO_INPUTS: readonly never[] = [];

/**
 * Log-odds of the built-in rules that the table names, whatever rule set decides.
 * @throws Error for a rule set that this version lacks
 */
function logOddsBy(table: Judging | null, vector: Float64Array): LogOdds {
  const id = table?.table.ruleSet ?? FIRST_RULE_SET;
  const ruleSet = findRuleSet(id);
  if (ruleSet === undefined) throw new Error(`this version lacks the rule set ${id}`);
  return logOddsByRules(ruleSet, vector);
}

export function logOddsByRules(ruleSet: CompiledRuleSet, vector: Float64Array): LogOdds {
  const { risk, ofOthers } = riskBy(ruleSet, vector);
  const logOdds = logOddsOf(risk);
  return { logOdds, labelLogOdds: logOdds - logOddsOf(ofOthers) };
}

/**
 * Noisy-or of the rules that fire where no model decides, and of those among them that read no labels. Built-in rules read the vector
 * alone.
 */
export function riskBy(
  { program, programRules }: CompiledRuleSet,
  vector: Float64Array,
  inputs: Inputs = NO_INPUTS,
): { readonly risk: number; readonly ofOthers: number } {
  const count = program.decide(vector, inputs, Number.NaN);
  let [safe, safeOfOthers] = [1, 1];
  for (let nth = 0; nth < count; nth++) {
    const rule = programRules[program.fired[nth] as number];
    if (rule === undefined) continue;
    safe *= 1 - (program.weights[nth] as number);
    if (!rule.readsLabels) safeOfOthers *= 1 - (program.weights[nth] as number);
  }
  return { risk: 1 - safe, ofOthers: 1 - safeOfOthers };
}

/** Codes of the built-in rules that fire. */
export function firedBy(
  { program, programRules }: CompiledRuleSet,
  vector: Float64Array,
): string[] {
  const count = program.decide(vector, NO_INPUTS, Number.NaN);
  const codes = Array.from(program.fired.subarray(0, count), (at) => programRules[at]?.code ?? []);
  return [...new Set(codes.flat())];
}

/** Name of the scorecard among models, whose names have a version. */
export const SCORECARD = 'scorecard';

/** Name by which people refuse the table. */
export const tableName = ({ day }: Pick<DayTable, 'day'>) => `${SCORECARD}@${textOfDay(day)}`;

let values = new Float64Array(0);
let buckets = new Uint8Array(0);

/** Log-odds of fraud by a vector alone. */
export function marginBy(by: Judging | null, vector: Float64Array): number {
  const logOdds = logOddsBy(by, vector);
  if (by === null) return logOdds.logOdds;
  const { scorecard, measures } = by.table;
  writeBucketsBy(scorecard.cuts, measures.length, vector, logOdds);
  return marginOf(scorecard, buckets, logOdds);
}

/** A vector with the table by which it was made. */
export type JudgedVector = {
  readonly vector: Float64Array;
  /** Null: no table judged. */
  readonly table: StoredTable | null;
  readonly createdAtMs: number;
  /** Log-odds of fraud by the table, computed once, when asked for. */
  readonly margin: () => number;
};

/** @param table undefined: the store lacks the table that the score names */
export function judgedVector(
  vector: Float64Array,
  table: StoredTable | null | undefined,
  createdAtMs: number,
): JudgedVector {
  const by = table ?? null;
  let known: number | undefined;
  return { vector, table: by, createdAtMs, margin: () => (known ??= marginBy(by, vector)) };
}

/** Parts of a margin: the base, then the points of each measure. Adding the parts in this order gives the bits of the margin. */
export function partsBy(by: Judging, vector: Float64Array) {
  const { scorecard, measures } = by.table;
  const logOdds = logOddsBy(by, vector);
  writeBucketsBy(scorecard.cuts, measures.length, vector, logOdds);
  const points = Float64Array.from(
    buckets,
    (bucket, measure) => scorecard.points[measure * BUCKETS + bucket] as number,
  );
  return { base: baseOf(scorecard, logOdds), points, values: values.slice() };
}

function writeBucketsBy(
  cuts: Float32Array,
  count: number,
  vector: Float64Array,
  { logOdds }: LogOdds,
): void {
  if (values.length !== count) {
    values = new Float64Array(count);
    buckets = new Uint8Array(count);
  }
  writeMeasures(vector, logOdds, values);
  writeBuckets(cuts, values, buckets);
}
