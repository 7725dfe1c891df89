/**
 * Walks over all open rows, page by page, and looks for those of some age in Redis. A row that is nowhere is noted as left, and
 * appended with the others. Every pass looks at every row again, so nothing is believed about what an earlier look has found,
 * about clocks, or about which Redis it was.
 */
import { FIRST_ID } from '../../kit/words/cursor.ts';
import type { AgedRow } from '../store/open-rows/lost-rows.ts';
import type { FindRows } from '../stream/kafka/find-rows.ts';
import { type ShardsOf, type StreamKeys, streamsOf } from '../stream/keys.ts';
import type { HeadPage, HeadReader } from '../stream/status/heads.ts';
import { type RowStore, takeFinal } from './row-store.ts';

/** Rows of a page: ten of them in a backlog of a full stream, each with one look through the stream at most. */
const PAGE_ROWS = 5000;

type WalkParts = {
  readonly market: string;
  readonly store: RowStore;
  readonly heads: HeadReader;
  /** Rows among these that another log than Streams still has; absent where there is none. */
  readonly findElsewhere?: FindRows | undefined;
  readonly listCorridors: () => Promise<readonly string[]>;
  readonly shardsOf: ShardsOf;
};

/** How far Redis' clock may be ahead of Postgres' so that the first look finds an entry. */
const EARLIER_MS = 60_000;

export type SoughtRow = Pick<AgedRow, 'rowId' | 'openedAtMs'>;

/** @param now by the clock of this process */
export function createWalk(
  { market, store, heads, findElsewhere, listCorridors, shardsOf }: WalkParts,
  now: () => Date = () => new Date(),
) {
  let after = FIRST_ID;
  let beganAt = now();
  const look = async (corridor: string, rows: readonly AgedRow[]): Promise<string[]> => {
    const streams = streamsOf(market, [corridor], shardsOf);
    const absentHere = await findLost(heads, streams, rows);
    const lost = await withoutFound(corridor, absentHere);
    if (lost.length === 0) return [];
    const found = await store.readRows(lost.map(({ rowId }) => rowId));
    const ids = found.flatMap(({ transactionIds }) => transactionIds);
    const unscored = new Set((await store.loadUnscored(ids)).map((row) => row.transactionId));
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
    /**
     * Works on one page.
     * @returns `isWhole`: whether the pass is at its end
     */
    async step(): Promise<{ readonly lost: number; readonly isWhole: boolean }> {
      if (after === FIRST_ID) {
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
      after = next ?? FIRST_ID;
      return { lost, isWhole: next === null };
    },
    /** Starts over: another process may have worked meanwhile. */
    forget() {
      after = FIRST_ID;
    },
  };
}

/**
 * Finds which open rows are in no entry and no retry of their corridor: they are lost, whatever lost them.
 *
 * A row that moves while Redis is read is met before or after the move: an entry that failed goes on in the retries, which are
 * read after the streams, and a retry that is due goes to the end of its stream, which is read last. A row that is missed all
 * the same is appended a second time, which is harmless.
 * Ends early where every row is found. Throws a Failure.
 * @param streams all of the corridor
 * @returns rows that no entry and no retry carries
 */
export async function findLost<Row extends SoughtRow>(
  heads: HeadReader,
  streams: readonly StreamKeys[],
  rows: readonly Row[],
): Promise<readonly Row[]> {
  const missing = new Set(rows.map(({ rowId }) => rowId));
  const strike = (page: HeadPage) => {
    for (const rowId of page.rowIds) missing.delete(rowId);
  };
  /** Reads entries until one is from `endMs` on; returns the last one. */
  const readEntries = async (
    stream: StreamKeys,
    from: string,
    endMs = Number.POSITIVE_INFINITY,
  ) => {
    let last: string | null = null;
    for (let at: string | null = from; at !== null && missing.size > 0; ) {
      const page: HeadPage = await heads.entries(stream, at);
      strike(page);
      last = page.last ?? last;
      at = page.last !== null && Number.parseInt(page.last, 10) >= endMs ? null : page.next;
    }
    return last;
  };
  const readRetries = async (stream: StreamKeys) => {
    let cursor: string | null = null;
    do {
      const page: HeadPage = await heads.retries(stream, cursor);
      strike(page);
      cursor = page.next;
    } while (cursor !== null && missing.size > 0);
  };
  // Ages only choose where to begin: the entries of these rows are mostly the first ones from there on.
  const startMs = Math.max(0, Math.min(...rows.map((row) => row.openedAtMs)) - EARLIER_MS);
  const start = `${startMs}-0`;
  const ends = await Promise.all(streams.map((stream) => readEntries(stream, start)));
  await Promise.all(streams.map((stream) => readEntries(stream, '-', startMs)));
  if (missing.size > 0) await Promise.all(streams.map(readRetries));
  await Promise.all(
    streams.map((stream, at) => readEntries(stream, ends[at] ? `(${ends[at]}` : start)),
  );
  return rows.filter(({ rowId }) => missing.has(rowId));
}
