/**
 * The inputs that a rule set reads beside the vector. A batch records them, and its score stores the record. Deciding, verifying
 * and explaining read the record alone, so all of them read the same.
 */

import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Query } from '../../../kit/database/pool.ts';
import type { Duty } from '../../../kit/duties/run-duties.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { valuesIn } from '../../domain/metadata.ts';
import type { RuleInputs } from '../../domain/score-record.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { CompiledRuleSet } from './compile-rule-set.ts';
import {
  CURRENCY_KEY,
  currencyOfKey,
  fieldKey,
  isFieldKey,
  listOfKey,
  rateKey,
} from './expression/catalogue.ts';
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

/** Asks for what rules read beside the vector: answers of lists, and exchange rates. */
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
