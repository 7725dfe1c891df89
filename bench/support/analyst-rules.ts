/** Rule sets with the expressions that analysts write, and vectors of simulated traffic to decide by them. */
import { FEATURE_COUNT } from '../../src/core/domain/feature-schema.ts';
import { vectorOf } from '../../src/core/score/feature-rows.ts';
import {
  type CompiledRuleSet,
  compileRuleSet,
} from '../../src/core/score/rules/compile-rule-set.ts';
import type { RuleData } from '../../src/core/score/rules/rule-set-data.ts';
import { foldAll, makeParties, makeTransaction } from './pure-core.ts';

/** Sizes of rule sets, in rules. */
export const SIZES = [10, 50, 200];
/** Vectors of a batch. */
export const ROWS = 2000;
/** Transactions before those of the vectors, so that accounts have a history. */
const PAST = 40_000;

export function makeVectors(): readonly Float64Array[] {
  const parties = makeParties();
  let sequence = 0;
  const nextBatch = (count: number) =>
    Array.from({ length: count }, () => makeTransaction(sequence++));
  for (let done = 0; done < PAST; done += ROWS) foldAll(nextBatch(ROWS), parties);
  const batch = nextBatch(ROWS);
  const rows = foldAll(batch, parties);
  return batch.map((_, index) => vectorOf(rows, index).slice(0, FEATURE_COUNT));
}

/** Rules as analysts write them, with another number in each copy; at most a tenth of transactions fire a rule. */
const EXPRESSIONS: readonly ((nth: number, list: string) => Partial<RuleData>)[] = [
  (nth) => ({ when: `count_24h >= 5 && amount_to_mean > ${1.7 + nth / 50}`, weight: 0.2 }),
  (nth) => ({ measure: 'amount_to_median', bands: [{ from: 2 + nth / 20, weight: 0.1 }] }),
  (nth) => ({ when: `amount >= money(${100 + nth}, "USD") && first_merchant == 1`, weight: 0.3 }),
  (nth) => ({
    when: `metadata.tier != "gold" && currency in ["USD", "EUR"] && sum_24h_to_usual > ${1.2 + nth / 50}`,
    weight: 0.2,
  }),
  (nth, list) => ({ when: `in_list("${list}") && gap_hours > ${3 + nth}`, verdict: 'review' }),
  (nth) => ({
    when: '(is_missing(amount_zscore) || amount_zscore >= 1.5) && amounts >= 20',
    measure: 'amount_to_p90',
    bands: [
      { from: 1.1 + nth / 50, weight: 0.1 },
      { from: 1.3 + nth / 50, weight: 0.4 },
    ],
  }),
  (nth) => ({
    when: `!(night_share > 0.45) && amount / mean_30d > ${1.7 + nth / 50}`,
    corridors: ['US-EG', 'US-MX'],
    weight: 0.1,
  }),
];

/** @param list of accounts, which a seventh of the rules ask */
export function makeRuleSet(size: number, list = 'watched'): CompiledRuleSet {
  const rules = Array.from({ length: size }, (_, index) => ({
    ...{ id: `rule-${index}`, code: `RULE_${index}`, sentence: 'A sentence.' },
    ...EXPRESSIONS[index % EXPRESSIONS.length]?.(Math.floor(index / EXPRESSIONS.length), list),
  }));
  const verdicts = {
    all: { review: 500, decline: 800 },
    corridors: { 'US-MX': { review: 400, decline: 700 } },
  };
  const compiled = compileRuleSet({
    ...{ version: 2, id: 'bench@1', feature_schema: 3 },
    ...{ metadata: { tier: 'text' }, rules, verdicts },
  });
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  return compiled.ruleSet;
}
