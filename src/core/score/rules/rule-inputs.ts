/**
 * The inputs that a rule set reads beside the vector. A batch records them, and its score stores the record. Deciding, verifying
 * and explaining read the record alone, so all of them read the same.
 */
import { valuesIn } from '../../domain/metadata.ts';
import type { RuleInputs } from '../../domain/score-record.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { CompiledRuleSet } from './compile-rule-set.ts';
import { CURRENCY_KEY, fieldKey, isFieldKey, rateKey } from './expression/catalogue.ts';
import { CORRIDOR_KEY, type Inputs } from './generate-program.ts';

/** The value of an input of the nth transaction; undefined: it is missing. */
export type AnswerOf = (key: string, nth: number) => RuleInputs[string] | undefined;

type Reading = Pick<CompiledRuleSet, 'inputs'>;
const NOTHING: Inputs = [];

/** Values in the order of the rule set's inputs; an input that was not recorded is missing. */
export function inputsOf(
  { inputs }: Reading,
  row: { readonly corridor: string },
  recorded: RuleInputs | null,
): Inputs {
  if (inputs.length === 0) return NOTHING;
  return inputs.map((key) => (key === CORRIDOR_KEY ? row.corridor : (recorded?.[key] ?? null)));
}

/** Inputs of a stored row: those that its score recorded, its currency, and the rate of that currency to itself. */
export const knownInputs = (recorded: RuleInputs | null, currency: string): RuleInputs => ({
  ...recorded,
  [CURRENCY_KEY]: currency,
  [rateKey(currency)]: 1,
});

/**
 * Gives the values that a score stores beside its vector and corridor: what the rule set reads, and every declared metadata field,
 * so that later rule sets are tried on it. Null where there is none.
 * @param nth of the transactions that the answers are about
 */
export function recordInputs(
  { inputs }: Reading,
  transaction: Pick<Transaction, 'currency' | 'declared'>,
  answerOf: AnswerOf,
  nth = 0,
): RuleInputs | null {
  const { declared } = transaction;
  let recorded: Record<string, RuleInputs[string]> | null = null;
  if (declared !== null) {
    const values = Object.entries(valuesIn(declared));
    recorded = Object.fromEntries(values.map(([name, value]) => [fieldKey(name), value]));
  }
  for (const key of inputs) {
    if (isFieldKey(key)) continue;
    const value = key === CURRENCY_KEY ? transaction.currency : answerOf(key, nth);
    if (value === undefined) continue;
    recorded ??= {};
    recorded[key] = value;
  }
  return recorded;
}
