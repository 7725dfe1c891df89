/**
 * The seam `lists`: whether lists have the parties of a batch. A room gives the answers; without such a room every answer is
 * missing, as are answers of lists that do not exist.
 */
import type { Changes } from '../../kit/database/follow-changes.ts';
import type { Query } from '../../kit/database/pool.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { Transaction } from '../domain/transaction.ts';

/** Whether the list has a party of the nth transaction; undefined: there is no such list. */
export type ListAnswerOf = (list: string, nth: number) => boolean | undefined;

export type Parties = Pick<Transaction, 'accountId' | 'merchantId' | 'deviceId' | 'ip' | 'country'>;

/** @throws Failure `unavailable` where Postgres does not answer */
export type Answers = (
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

const MISSING: ListAnswerOf = () => undefined;
export const NO_LISTS: Lists = { answers: async () => MISSING, duties: [] };
