/** Asks for what rules read beside the vector: answers of lists, and exchange rates. */

import type { Changes } from '../../kit/database/follow-changes.ts';
import type { Query } from '../../kit/database/pool.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import { currencyOfKey, listOfKey } from './rules/expression/catalogue.ts';
import type { AnswerOf } from './rules/rule-inputs.ts';

export type InputSources = { readonly lists: Answers; readonly rates: Rates };

const NO_ANSWER = () => undefined;
export const NO_LISTS: Lists = { answers: async () => NO_ANSWER, duties: [] };

const DOLLAR = 'USD';

type Asking = Parties & Pick<Transaction, 'currency' | 'createdAtMs'>;

/**
 * How many units of the payment's currency one unit of the named currency buys: by the newest rates up to the day of the payment,
 * or by the oldest in memory for a payment from before them. Undefined where one of the two has no rate.
 */
export type RateOf = (
  currency: string,
  payment: Pick<Transaction, 'currency' | 'createdAtMs'>,
) => number | undefined;
export type Rates = () => Promise<RateOf>;

/** US dollars for one unit, from a day on; days since 1970 rise. */
export type Rate = { readonly currency: string; readonly day: number; readonly usd: number };

/**
 * The seam `lists`: whether lists have the parties of a batch. A room gives the answers; without such a room every answer is
 * missing, as are answers of lists that do not exist.
 * Whether the list has a party of the nth transaction; undefined: there is no such list.
 */
export type ListAnswerOf = (list: string, nth: number) => boolean | undefined;

export type Parties = Pick<Transaction, 'accountId' | 'merchantId' | 'deviceId' | 'ip' | 'country'>;

/** @throws Failure `unavailable` where Postgres does not answer */
type Answers = (
  transactions: readonly Parties[],
  lists: readonly string[],
) => Promise<ListAnswerOf>;

export type Lists = {
  /** As of 1.5 s ago at most. */
  readonly answers: Answers;
  /** Keep in memory what is asked for; a process that runs no duty asks Postgres for each answer. */
  readonly duties: readonly Duty[];
};

export type OpenLists = (
  database: { readonly query: Query },
  changes: Pick<Changes, 'follow'>,
) => Promise<Lists>;

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

/** Exchange rates by which rules compare amounts of several currencies. */
export function rateOfRows(rows: readonly Rate[]): RateOf {
  const days = Map.groupBy(rows, ({ currency }) => currency);
  const dollarsOf = (currency: string, day: number) => {
    if (currency === DOLLAR) return 1;
    const rates = days.get(currency);
    return (rates?.findLast((rate) => rate.day <= day) ?? rates?.[0])?.usd;
  };
  return (currency, payment) => {
    if (currency === payment.currency) return 1;
    const day = Math.floor(payment.createdAtMs / DAY_MS);
    const [its, own] = [currency, payment.currency].map((code) => dollarsOf(code, day));
    return its === undefined || own === undefined ? undefined : its / own;
  };
}
