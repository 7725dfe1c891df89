/** `GET /v1/transactions?…`: accepted transactions, newest first. */
import type { TransactionListParameters } from '../domain/list-parameters.ts';
import { listWalkedMonths } from '../store/partitions/month-slice.ts';
import { searchStoredTransactions } from '../store/transactions/transaction-search.ts';
import { type Databases, readFrom } from './choose-database.ts';
import { detachedWithin, type PageJson, toPageJson } from './page.ts';
import { type StoredTransactionJson, toTransactionJson } from './transaction-json.ts';
import { walkMonths } from './walk-months.ts';

export async function searchTransactions(
  databases: Databases,
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
