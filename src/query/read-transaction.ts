/**
 * `GET /v1/transactions/{id}`: one transaction with what became of it; undefined when unknown, a Failure when its month is
 * detached. For a client that sees its own alone another's is not there: each statement says so, so that the way to the
 * answer is that of an unknown id.
 */
import { createdAtMsOf } from '../domain/transaction-id.ts';
import type * as Partitions from '../store/partitions.ts';
import type * as TransactionSearch from '../store/transaction-search.ts';
import { type Databases, readFrom } from './choose-database.ts';
import { type StoredTransactionJson, toTransactionJson } from './transaction-json.ts';

export type ReadTransactionDependencies = {
  readonly databases: Databases;
  readonly readStoredTransaction: typeof TransactionSearch.readStoredTransaction;
  readonly refuseDetached: typeof Partitions.refuseDetached;
};

export async function readTransaction(
  { databases, readStoredTransaction, refuseDetached }: ReadTransactionDependencies,
  transactionId: string,
  client: string | null,
): Promise<StoredTransactionJson | undefined> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return undefined;
  const found = await readFrom(
    databases,
    createdAtMs,
    (database) => readStoredTransaction(database, transactionId, createdAtMs, client),
    // A replica may not know yet what became of one that waits, or of a dead letter.
    (answer) => answer?.status === 'scored',
  );
  if (found === undefined) await refuseDetached(databases.primary, createdAtMs);
  return found && toTransactionJson(found);
}
