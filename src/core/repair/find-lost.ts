/**
 * Finds which open rows are in no entry and no retry of their corridor: they are lost, whatever lost them.
 *
 * A row that moves while Redis is read is met before or after the move: an entry that failed goes on in the retries, which are
 * read after the streams, and a retry that is due goes to the end of its stream, which is read last. A row that is missed all
 * the same is appended a second time, which is harmless.
 */
import type { StreamKeys } from '../stream/keys.ts';
import type { HeadPage, HeadReader } from '../stream/status/heads.ts';

/** How far Redis' clock may be ahead of Postgres' so that the first look finds an entry. */
const EARLIER_MS = 60_000;

export type SoughtRow = {
  readonly rowId: string;
  readonly openedAtMs: number;
};

/**
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
