/** Reads the ids of an entry without decoding it: an undecodable entry offers no more, whatever its version. */
import { Failure } from '../../../kit/words/failure.ts';
import { formatUuid, UUID_BYTES } from '../../domain/delivered.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import { type Columns, openColumns, uuidsAt } from './columns.ts';
import { ID } from './entry.ts';

/** Throws as decodeEntry. */
export function readIds(value: Buffer): string[] {
  return idsOf(openColumns(value));
}

/** Its transactions, as far as they can be read. */
export function identify(value: Buffer): string[] {
  try {
    return readIds(value).filter((id) => createdAtMsOf(id) !== undefined);
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
