/**
 * Walks over all open rows, page by page, and looks for those of some age in Redis. A row that is nowhere is noted as left, and
 * appended with the others. Every pass looks at every row again, so nothing is believed about what an earlier look has found,
 * about clocks, or about which Redis it was.
 */
import { type AgedRow, FIRST_ROW } from '../store/open-rows/lost-rows.ts';
import type { FindRows } from '../stream/kafka/find-rows.ts';
import { type ShardsOf, streamsOf } from '../stream/keys.ts';
import type { HeadReader } from '../stream/status/heads.ts';
import { findLost } from './find-lost.ts';
import { type RowStore, takeFinal } from './row-store.ts';

/** Rows of a page: ten of them in a backlog of a full stream, each with one look through the stream at most. */
const PAGE_ROWS = 5000;

export type Walk = {
  /**
   * Works on one page.
   * @returns `isWhole`: whether the pass is at its end
   */
  readonly step: () => Promise<{ readonly lost: number; readonly isWhole: boolean }>;
  /** Starts over: another process may have worked meanwhile. */
  readonly forget: () => void;
};

export type WalkParts = {
  readonly market: string;
  readonly store: RowStore;
  readonly heads: HeadReader;
  /** Rows among these that another log than Streams still has; absent where there is none. */
  readonly findElsewhere?: FindRows | undefined;
  readonly listCorridors: () => Promise<readonly string[]>;
  readonly shardsOf: ShardsOf;
};

/** @param now by the clock of this process */
export function createWalk(
  { market, store, heads, findElsewhere, listCorridors, shardsOf }: WalkParts,
  now: () => Date = () => new Date(),
): Walk {
  let after = FIRST_ROW;
  let beganAt = now();
  const look = async (corridor: string, rows: readonly AgedRow[]): Promise<string[]> => {
    const streams = streamsOf(market, [corridor], shardsOf);
    const absentHere = await findLost(heads, streams, rows);
    const lost = await withoutFound(corridor, absentHere);
    if (lost.length === 0) return [];
    const found = await store.readRows(lost.map(({ rowId }) => rowId));
    const ids = found.flatMap(({ transactionIds }) => transactionIds);
    const unscored = new Set((await store.loadUnscored(ids)).map((one) => one.transactionId));
    await takeFinal(store, found, unscored);
    // A row of which nothing can be loaded waits for a month that is detached.
    const owed = found.filter((row) => row.transactionIds.some((id) => unscored.has(id)));
    return owed.map(({ rowId }) => rowId);
  };
  const withoutFound = async (corridor: string, rows: readonly AgedRow[]) => {
    if (rows.length === 0 || findElsewhere === undefined) return rows;
    const ids = rows.map(({ rowId }) => rowId);
    const found = await findElsewhere(corridor, ids);
    return rows.filter(({ rowId }) => !found.has(rowId));
  };
  return {
    async step() {
      if (after === FIRST_ROW) {
        beganAt = now();
        const streams = streamsOf(market, await listCorridors(), shardsOf);
        // Before rows are looked for, which are lost from here on.
        await heads.dropUnread(streams);
        // Scored transactions are in no row any more; their entries may still owe an event.
        await heads.adopt(streams);
      }
      const { rows, next } = await store.listAged(after, PAGE_ROWS);
      let lost = 0;
      for (const [corridor, group] of Map.groupBy(rows, (row) => row.corridor)) {
        const rowIds = await look(corridor, group);
        await store.setLeft(rowIds, true);
        lost += rowIds.length;
      }
      // Transactions of entries that could not be read were found by now.
      if (next === null) await store.closeUnreadLetters(beganAt);
      after = next ?? FIRST_ROW;
      return { lost, isWhole: next === null };
    },
    forget() {
      after = FIRST_ROW;
    },
  };
}
