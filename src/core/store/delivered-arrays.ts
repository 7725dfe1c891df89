/** Postgres arrays of columns as they were delivered, without a text or an object a value. */
import { allocateArray, HEADER_BYTES, OID } from '../../kit/database/binary-array.ts';
import type { DeliveredTransaction } from '../domain/delivered.ts';

/** uuid[] of delivered ids. */
export function deliveredUuidArray(transactions: readonly DeliveredTransaction[]): Buffer {
  const buffer = allocateArray(OID.uuid, transactions.length, false, transactions.length * 20);
  let at = HEADER_BYTES;
  for (const { rows, idAt } of transactions) {
    at = buffer.writeInt32BE(16, at);
    at += rows.bytes.copy(buffer, at, idAt, idAt + 16);
  }
  return buffer;
}

/** text[] of a delivered column that is never null. */
export function deliveredTextArray(
  transactions: readonly DeliveredTransaction[],
  column: 'account' | 'corridor',
): Buffer {
  let bytes = 0;
  for (const { rows, row } of transactions)
    bytes += 4 + rows[column].to(row) - rows[column].from(row);
  const buffer = allocateArray(OID.text, transactions.length, false, bytes);
  let at = HEADER_BYTES;
  for (const { rows, row } of transactions) {
    const texts = rows[column];
    const [from, to] = [texts.from(row), texts.to(row)];
    at = buffer.writeInt32BE(to - from, at);
    // A loop is faster than a call for this length.
    for (let byte = from; byte < to; byte++) buffer[at++] = texts.bytes[byte] as number;
  }
  return buffer;
}
