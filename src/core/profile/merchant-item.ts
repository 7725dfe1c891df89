/** A transaction as an item of a merchant's list: its place (packed-list.ts), amount, account and currency. */
import type { PackedList } from './packed-list.ts';

export const MERCHANT_ITEM_BYTES = 32;
/** Offsets in an item, after its place: amount (f64), account's hash (u32), currency (u16). */
export const AMOUNT_AT = 16;
export const ACCOUNT_AT = 24;
export const CURRENCY_AT = 30;

/** Minor units. */
export function amountAt({ items }: PackedList, index: number): number {
  return items.getFloat64(index * MERCHANT_ITEM_BYTES + AMOUNT_AT, true);
}

export function accountAt({ items }: PackedList, index: number): number {
  return items.getUint32(index * MERCHANT_ITEM_BYTES + ACCOUNT_AT, true);
}

export function currencyAt({ items }: PackedList, index: number): number {
  return items.getUint16(index * MERCHANT_ITEM_BYTES + CURRENCY_AT, true);
}
