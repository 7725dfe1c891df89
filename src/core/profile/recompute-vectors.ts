/**
 * Feature vectors of stored transactions from Postgres alone: each from profiles that are rebuilt around it, by the
 * fold that workers use. What was logged is the same to the bit where everything arrived in order; otherwise it
 * lacks siblings, or labels, that came later.
 */
import type { Database } from '../../kit/database/pool.ts';
import { rowAt, vectorOf } from '../domain/feature-rows.ts';
import type { Transaction } from '../domain/transaction.ts';
import { readSlots } from '../store/metadata-fields/metadata-fields.ts';
import { loadAccountPasts, loadMerchantPasts, loadSharedPasts } from '../store/profiles/history.ts';
import { numbersOf } from './account-numbers.ts';
import { beginDayRows, type DayParts } from './day-features.ts';
import type { BegunRows, LoadPasts } from './fold-batch.ts';
import { createAccountKind, createMerchantKind } from './kinds.ts';
import { type Profile, type ProfileKind, partyIn } from './profile.ts';
import { SHARED_KINDS } from './shared-profile.ts';

export function createRecomputeVectors({ query }: Pick<Database, 'query'>, maturityDays: number) {
  const merchantKind = createMerchantKind(maturityDays);
  /**
   * Returns one vector of today's schema per transaction, in their order.
   * @param tables of the transactions' days
   * @param except a stored transaction that no vector sees
   */
  return async (
    transactions: readonly Transaction[],
    tables: DayParts['tables'],
    except?: Transaction,
  ) => {
    const slots = await readSlots(query);
    const numbers = numbersOf(slots);
    const begun = { tables, ...beginDayRows(transactions, { tables, slots }, numbers) };
    await fillRows(createAccountKind(maturityDays, numbers), transactions, begun, (points) =>
      loadAccountPasts(query, points, numbers.fields, except),
    );
    await fillRows(merchantKind, transactions, begun, (points) =>
      loadMerchantPasts(query, points, maturityDays, except),
    );
    for (const kind of SHARED_KINDS) {
      await fillRows(kind, transactions, begun, (points) =>
        loadSharedPasts(query, kind.party, points, except),
      );
    }
    return transactions.map((_, index) => vectorOf(begun.rows, index));
  };
}

/** Each transaction has a profile of its own, so that none sees another one's fold. */
async function fillRows<P extends Profile, Past>(
  kind: ProfileKind<P, Past>,
  transactions: readonly Transaction[],
  { arrivals, rows, tables }: BegunRows & Pick<DayParts, 'tables'>,
  loadPasts: LoadPasts<Past>,
): Promise<void> {
  const having = transactions.flatMap((transaction, index) => {
    const { party, isCrowded } = partyIn(kind, transaction, tables[index]);
    return party === null || isCrowded ? [] : index;
  });
  const indices = having.values();
  for await (const past of loadPasts(having.map((index) => transactions[index] as Transaction))) {
    const index = indices.next().value as number;
    const isFolded = kind.fold(
      kind.rebuild(past),
      arrivals,
      index,
      rows.values,
      rowAt(rows, index),
    );
    if (!isFolded) throw new Error('a rebuilt profile folds its own point');
  }
}
