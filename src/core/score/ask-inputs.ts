/** Asks for what rules read beside the vector: answers of lists, and exchange rates. */
import type { Transaction } from '../domain/transaction.ts';
import { type Rates, rateOfRows } from './exchange-rate.ts';
import { type Answers, NO_LISTS, type Parties } from './list-answers.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import { currencyOfKey, listOfKey } from './rules/expression/catalogue.ts';
import type { AnswerOf } from './rules/rule-inputs.ts';

export type InputSources = { readonly lists: Answers; readonly rates: Rates };

/** Sources without lists and rates: every list is missing, and amounts compare in the payment's currency alone. */
export const NO_SOURCES: InputSources = {
  lists: NO_LISTS.answers,
  rates: async () => rateOfRows([]),
};

type Asking = Parties & Pick<Transaction, 'currency' | 'createdAtMs'>;
const MISSING: AnswerOf = () => undefined;

/** Asks once for all that the rule sets read: nothing where they read neither lists nor rates. */
export async function askInputs(
  { lists, rates }: InputSources,
  transactions: readonly Asking[],
  ruleSets: readonly Pick<CompiledRuleSet, 'inputs' | 'lists'>[],
): Promise<AnswerOf> {
  const distinct = new Set(ruleSets);
  const wanted = new Set<string>();
  let wantsRates = false;
  for (const ruleSet of distinct) {
    for (const list of ruleSet.lists) wanted.add(list);
    wantsRates ||= ruleSet.inputs.some((key) => currencyOfKey(key) !== undefined);
  }
  if (wanted.size === 0 && !wantsRates) return MISSING;
  const [ofLists, rateOf] = await Promise.all([
    wanted.size === 0 ? MISSING : lists(transactions, [...wanted]),
    wantsRates ? rates() : undefined,
  ]);
  return (key, nth) => {
    const list = listOfKey(key);
    if (list !== undefined) return ofLists(list, nth);
    const currency = currencyOfKey(key);
    return currency === undefined ? undefined : rateOf?.(currency, transactions[nth] as Asking);
  };
}
