/** `GET /v1/transactions?…`: accepted transactions, newest first. */
import type { TransactionListParameters } from '../domain/list-parameters.ts';
import type * as MonthSlices from '../store/month-slice.ts';
import type * as TransactionSearch from '../store/transaction-search.ts';
import { type Databases, readFrom } from './choose-database.ts';
import { detachedWithin, type PageJson, toPageJson } from './page.ts';
import { type StoredTransactionJson, toTransactionJson } from './transaction-json.ts';
import { walkMonths } from './walk-months.ts';

export type SearchTransactionsDependencies = {
  readonly databases: Databases;
  readonly listWalkedMonths: typeof MonthSlices.listWalkedMonths;
  readonly searchStoredTransactions: typeof TransactionSearch.searchStoredTransactions;
};

export async function searchTransactions(
  { databases, listWalkedMonths, searchStoredTransactions }: SearchTransactionsDependencies,
  parameters: TransactionListParameters,
): Promise<PageJson<StoredTransactionJson>> {
  const filter = {
    accountId: parameters.account_id,
    merchantId: parameters.merchant_id,
    corridor: parameters.corridor,
  };
  const { months, detached } = await listWalkedMonths(databases.primary, 'transactions');
  const page = await walkMonths({
    months,
    fromMs: parameters.from,
    toMs: parameters.to,
    cursor: parameters.cursor,
    limit: parameters.limit,
    readSlice: (slice) =>
      readFrom(databases, slice.upperMs, (database) =>
        searchStoredTransactions(database, filter, slice),
      ),
  });
  return toPageJson(page, toTransactionJson, detachedWithin(detached, parameters));
}
