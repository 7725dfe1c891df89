/** `GET /v1/transactions?…`: accepted transactions, newest first. */
import type { TransactionListParameters } from '../domain/list-parameters.ts';
import type * as MonthSlices from '../store/month-slice.ts';
import type * as TransactionSearch from '../store/transaction-search.ts';
import { chooseDatabase, type Databases } from './choose-database.ts';
import { toPageJson } from './page.ts';
import { type StoredTransactionJson, toTransactionJson } from './transaction-json.ts';
import { walkMonths } from './walk-months.ts';

export type SearchTransactionsDependencies = {
  readonly databases: Databases;
  readonly listMonths: typeof MonthSlices.listMonths;
  readonly searchStoredTransactions: typeof TransactionSearch.searchStoredTransactions;
};

export async function searchTransactions(
  { databases, listMonths, searchStoredTransactions }: SearchTransactionsDependencies,
  parameters: TransactionListParameters,
): Promise<{ items: StoredTransactionJson[]; next_cursor: string | null }> {
  const filter = {
    accountId: parameters.account_id,
    merchantId: parameters.merchant_id,
    corridor: parameters.corridor,
  };
  const page = await walkMonths({
    months: await listMonths(databases.primary, 'transactions'),
    fromMs: parameters.from,
    toMs: parameters.to,
    cursor: parameters.cursor,
    limit: parameters.limit,
    readSlice: (slice) =>
      searchStoredTransactions(chooseDatabase(databases, slice.upperMs), filter, slice),
  });
  return toPageJson(page, toTransactionJson);
}
