/** Postgres as the reconciler uses it; the simulation has a stand-in. */
import type { Database } from '../../kit/database/pool.ts';
import type { Writes } from '../../kit/duties/leadership.ts';
import type { OpenRow } from '../domain/transaction.ts';
import {
  closeUnreadLetters,
  findFinal,
  hasOnHold,
  hasUnreadLetters,
  type LeftQueue,
  listAged,
  listLeft,
  readOpenRows,
} from '../store/open-rows/lost-rows.ts';
import { type Final, resumeRows, setLeft, takeOutFinal } from '../store/open-rows/open-rows.ts';
import { loadUnscored } from '../store/transactions/read-transactions.ts';

export type RowStore = ReturnType<typeof createRowStore>;

/**
 * @param writes those of the leader
 * @param ageMs age of a row from which its entry may be missing
 */
export function createRowStore(database: Database, { query }: Writes, ageMs: number) {
  return {
    listAged: (after: string, rowsMax: number) => listAged(database, after, rowsMax, ageMs),
    readRows: (rowIds: readonly string[]): Promise<readonly OpenRow[]> =>
      readOpenRows(database, rowIds),
    listLeft: (queues: readonly LeftQueue[], rowsMax: number): Promise<readonly OpenRow[]> =>
      listLeft(database, queues, rowsMax),
    loadUnscored: (ids: readonly string[]) => loadUnscored(database, ids),
    findFinal: (ids: readonly string[]) => findFinal(database, ids),
    setLeft: (rowIds: readonly string[], isLeft: boolean) => setLeft(query, rowIds, isLeft),
    /** Lets rows whose control has ended be appended. */
    resumeRows: async () => {
      if (await hasOnHold(database.query)) await resumeRows(query);
    },
    takeOut: async (final: readonly Final[]): Promise<void> =>
      void (await takeOutFinal(query, final)),
    closeUnreadLetters: async (failedBefore: Date) => {
      if (await hasUnreadLetters(database.query, failedBefore))
        await closeUnreadLetters(query, failedBefore);
    },
  };
}

/** Takes ids out that are final after all, of those that are not `known` to be open. */
export async function takeFinal(
  store: RowStore,
  rows: readonly OpenRow[],
  known: { readonly has: (transactionId: string) => boolean },
): Promise<void> {
  const doubted = rows.flatMap(({ rowId, transactionIds }) =>
    transactionIds.flatMap((id) => (known.has(id) ? [] : { rowId, id })),
  );
  const final = await store.findFinal(doubted.map(({ id }) => id));
  if (final.size > 0) await store.takeOut(doubted.filter(({ id }) => final.has(id)));
}
