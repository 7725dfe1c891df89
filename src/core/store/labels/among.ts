/** How statements about labels reach the rows of many transactions at once. */
import { uuidArray } from '../../../kit/database/binary-array.ts';
import { WRITTEN_MS_MAX, WRITTEN_MS_MIN } from '../../../kit/words/wire-time.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';

/**
 * Rows of some transactions, in the partitions of their months. One scan of the primary key for all ids takes a fifth of the time
 * of a lookup for each.
 */
export const AMONG = 'transaction_id = any($1::uuid[]) and created_at >= $2 and created_at <= $3';

export type AmongValues = [ids: Buffer, from: Date, to: Date];

/** The values of AMONG; without any id that names a time it finds nothing. */
export function amongValues(transactionIds: readonly string[]): AmongValues {
  const times = transactionIds.flatMap((id) => createdAtMsOf(id) ?? []);
  return [
    uuidArray(transactionIds),
    new Date(Math.min(...times, WRITTEN_MS_MAX)),
    new Date(Math.max(...times, WRITTEN_MS_MIN)),
  ];
}
