/** Transactions as folds read them. */
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { idAt } from './stored-rows.ts';

/** @param nth orders transactions of one time */
export function transactionAt(
  createdAtMs: number,
  nth: number,
  more: Partial<Transaction> = {},
): Transaction {
  return {
    transactionId: idAt(createdAtMs, nth),
    createdAtMs,
    receivedAtMs: createdAtMs,
    accountId: 'acc_1',
    merchantId: 'm_1',
    amount: '10',
    currency: 'USD',
    corridor: 'US-EG',
    type: null,
    ip: null,
    deviceId: null,
    country: 'US',
    channel: null,
    declared: null,
    ...more,
  };
}
