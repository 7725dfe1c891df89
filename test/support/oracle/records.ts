/** A transaction in numbers, as the oracle compares it with the records of lists. */
import { toMinorUnits } from '../../../src/core/domain/currency.ts';
import type { PastTransaction } from '../../../src/core/domain/history.ts';
import { hashText, packLetters } from '../../../src/core/profile/pack.ts';

export type Figures = {
  readonly createdAtMs: number;
  readonly amountMinor: number;
  /** 15 bits of the currency. */
  readonly currency: number;
};

export type AccountRecord = Figures & {
  readonly merchant: number;
  readonly device: number;
  /** Corridor (20 bits) above country (10 bits). */
  readonly route: number;
};

function figuresOf(transaction: PastTransaction): Figures {
  return {
    createdAtMs: transaction.createdAtMs,
    amountMinor: toMinorUnits(transaction.amount, transaction.currency),
    currency: packLetters(transaction.currency),
  };
}

export function accountRecord(transaction: PastTransaction): AccountRecord {
  return {
    ...figuresOf(transaction),
    merchant: hashText(transaction.merchantId),
    device: hashText(transaction.deviceId),
    route: (packLetters(transaction.corridor) << 10) | packLetters(transaction.country),
  };
}

export function merchantRecord(transaction: PastTransaction): Figures {
  return figuresOf(transaction);
}
