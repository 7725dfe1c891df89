/**
 * Reads what an entry says without decoding it: the reconciler needs no more of a backlog, and an undecodable
 * entry offers no more. Two columns suffice, whatever the version.
 */
import { Failure } from '../../../kit/words/failure.ts';
import { formatUuid, UUID_BYTES } from '../../domain/delivered.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import { type Columns, float64sAt, openColumns, uuidsAt } from './columns.ts';
import { ID, RECEIVED_AT, TIME_BYTES } from './entry.ts';

/** Throws as decodeEntry. */
export function readReceived(
  value: Buffer,
): { readonly transactionId: string; readonly receivedAtMs: number }[] {
  const columns = openColumns(value);
  const receivedAt = float64sAt(columns, RECEIVED_AT, 'received_at');
  return idsOf(columns).map((transactionId, row) => ({
    transactionId,
    receivedAtMs: columns.view.getFloat64(receivedAt + row * TIME_BYTES, true),
  }));
}

/** Its transactions, as far as they can be read. */
export function identify(value: Buffer): string[] {
  try {
    return idsOf(openColumns(value)).filter((id) => createdAtMsOf(id) !== undefined);
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

function idsOf(columns: Columns): string[] {
  const start = uuidsAt(columns, ID, 'transaction_id');
  return Array.from({ length: columns.count }, (_, row) =>
    formatUuid(columns.bytes, start + row * UUID_BYTES),
  );
}
