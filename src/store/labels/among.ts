/** How statements about labels reach the rows of many transactions at once, and how they answer. */
import type { Label } from '../../domain/label.ts';
import { WRITTEN_MS_MAX, WRITTEN_MS_MIN } from '../../domain/transaction-id.ts';
import { uuidArray } from '../database/binary-array.ts';

/**
 * Rows of some transactions, in the partitions of their months. One scan of the primary key for all ids takes a fifth of the time
 * of a lookup for each.
 */
export const AMONG = 'transaction_id = any($1::uuid[]) and created_at >= $2 and created_at <= $3';

type Dated = Pick<Label, 'transactionId' | 'createdAtMs'>;

export function amongValues(some: readonly Dated[]): readonly unknown[] {
  const times = some.map(({ createdAtMs }) => createdAtMs);
  return [
    uuidArray(some.map(({ transactionId }) => transactionId)),
    new Date(Math.min(...times, WRITTEN_MS_MAX)),
    new Date(Math.max(...times, WRITTEN_MS_MIN)),
  ];
}

/** One row with a JSON array a column takes the reading thread a third of the time of a row each. */
export type Columns<Row> = { readonly [Field in keyof Row]: readonly Row[Field][] };
