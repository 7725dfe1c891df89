/**
 * The seam `lists`: whether lists have the parties of a batch. A room gives the answers; without such a room every answer is
 * missing, as are answers of lists that do not exist.
 */
import type { Query } from '../../kit/database/pool.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { CompiledRuleSet } from './rules/compile-rule-set.ts';
import type { AnswerOf } from './rules/rule-inputs.ts';

export type Parties = Pick<Transaction, 'accountId' | 'merchantId' | 'deviceId' | 'ip' | 'country'>;

/** @throws Failure `unavailable` where Postgres does not answer */
export type Answers = (
  transactions: readonly Parties[],
  lists: readonly string[],
) => Promise<AnswerOf>;

export type Lists = {
  /** As of 1.5 s ago at most. */
  readonly answers: Answers;
  /** Keep in memory what is asked for; a process that runs no duty asks Postgres for each answer. */
  readonly duties: readonly Duty[];
};

export type OpenLists = (database: { readonly query: Query }) => Promise<Lists>;

const MISSING: AnswerOf = () => undefined;
export const NO_LISTS: Lists = { answers: async () => MISSING, duties: [] };

/** Asks once for all that the rule sets read: nothing where they read no list. */
export async function askLists(
  answers: Answers,
  transactions: readonly Parties[],
  ruleSets: readonly Pick<CompiledRuleSet, 'lists'>[],
): Promise<AnswerOf> {
  const wanted = new Set<string>();
  for (const { lists } of ruleSets) for (const list of lists) wanted.add(list);
  return wanted.size === 0 ? MISSING : await answers(transactions, [...wanted]);
}
