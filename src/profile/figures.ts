/** What every list holds of a transaction, in numbers: worked out once, for its account and its merchant. */
import { toMinorUnits } from '../domain/currency.ts';
import type { PastTransaction } from '../domain/history.ts';
import { packLetters } from './pack.ts';
import { type Place, placeOf } from './packed-list.ts';

export type Figures = {
  readonly place: Place;
  readonly amountMinor: number;
  /** 15 bits. */
  readonly currency: number;
};

export function figuresOf(transaction: PastTransaction): Figures {
  return {
    place: placeOf(transaction),
    amountMinor: toMinorUnits(transaction.amount, transaction.currency),
    currency: packLetters(transaction.currency),
  };
}
