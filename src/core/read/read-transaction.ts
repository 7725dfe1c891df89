/**
 * `GET /v1/transactions/{id}`: one transaction and its outcome; undefined when unknown, a Failure when its
 * month is detached. For a client that may see only its own transactions, another's is unknown: the statement
 * names the client, so both take the same path.
 */
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { createdAtMsOf } from '../domain/transaction-id.ts';
import { refuseDetached } from '../store/partitions/partitions.ts';
import { readStoredTransaction } from '../store/transactions/read-transactions.ts';
import { type TransactionDetailJson, toDetailJson } from './transaction-json.ts';

export async function readTransaction(
  databases: Databases,
  transactionId: string,
  client: string | null,
): Promise<TransactionDetailJson | undefined> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return undefined;
  const found = await readFrom(
    databases,
    createdAtMs,
    (database) => readStoredTransaction(database, transactionId, createdAtMs, client),
    // Any other status may have changed since; a scored transaction changes by a decision of people alone, which may lag.
    (answer) => answer?.status === 'scored',
  );
  if (found === undefined) await refuseDetached(databases.primary, createdAtMs);
  return found && toDetailJson(found);
}
