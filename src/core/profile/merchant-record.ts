/** A transaction as a record of a merchant's list: its key (packed-list.ts), amount, account and currency. */
import type { PackedList } from './packed-list.ts';

export const MERCHANT_RECORD_BYTES = 32;
/** Offsets in a record, after its key: amount (f64), account's hash (u32), currency (u16). */
export const AMOUNT_AT = 16;
export const ACCOUNT_AT = 24;
export const CURRENCY_AT = 30;

export function amountAt({ records }: PackedList, index: number): number {
  return records.getFloat64(index * MERCHANT_RECORD_BYTES + AMOUNT_AT, true);
}

export function accountAt({ records }: PackedList, index: number): number {
  return records.getUint32(index * MERCHANT_RECORD_BYTES + ACCOUNT_AT, true);
}

export function currencyAt({ records }: PackedList, index: number): number {
  return records.getUint16(index * MERCHANT_RECORD_BYTES + CURRENCY_AT, true);
}
