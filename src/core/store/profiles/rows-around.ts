/** Readings of the rows around given points. */
import { textArray, timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { FIRST_ID } from '../../../kit/words/cursor.ts';
import type { PastTransaction } from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { comparePositions, type Position } from '../../domain/transaction.ts';
import { AHEAD_MS, windowOf } from '../within-months.ts';
import { AFTER_MS } from './known-frauds.ts';
import { FEW_ROWS, namesOf, type PastQuery, type PastRow, ROWS_MAX } from './past-queries.ts';

/** Rows around one point, in rising order, and where they end if there are more. */
export type Around = {
  readonly rows: PastTransaction[];
  /** The newest row before the point that is not in `rows`. */
  readonly floor: Position | null;
  /** The newest of `rows` or the end of the months that were read, where there may be more after it. */
  readonly ceiling: Position | null;
};

/** All rows of the parties that have few. */
export type FewRows = ReadonlyMap<Transaction, Around>;

/** Most parties that are rebuilt are new: one reading has all rows of each that has few. */
export async function loadFew(
  query: Query,
  pastQuery: PastQuery,
  points: readonly Transaction[],
): Promise<FewRows> {
  const { since, reach, end } = reachOf(pastQuery, points);
  const found = await query<PastRow>(pastQuery.few(reach), [
    textArray(points.map(pastQuery.partyOf)),
    timestampArray(since),
    ...namesOf(pastQuery),
  ]);
  const byPoint = Map.groupBy(found, (row) => row.point);
  const few = new Map<Transaction, Around>();
  for (const [at, point] of points.entries()) {
    const read = byPoint.get(at + 1) ?? [];
    if (read.length === FEW_ROWS) continue;
    const rows = read.map(({ point: _point, ...row }) => row).sort(comparePositions);
    few.set(point, { rows, floor: null, ceiling: end });
  }
  return few;
}

/** The oldest rows that points need, the times that are read, and their end where there may be rows after it. */
function reachOf(pastQuery: PastQuery, points: readonly Transaction[]) {
  const since = points.map(pastQuery.sinceMs);
  const newestMs = Math.max(...points.map(({ createdAtMs }) => createdAtMs));
  const reach = { fromMs: Math.min(...since), toMs: newestMs + AFTER_MS };
  const endMs = windowOf(reach.fromMs, reach.toMs).toMs;
  const end =
    endMs > Date.now() + AHEAD_MS ? null : { createdAtMs: endMs, transactionId: FIRST_ID };
  return { since, reach, end };
}

/**
 * Rows around the first points, as many as one result holds: one point at least. Null where frauds were checked
 * for and there are some.
 */
export async function loadArounds(
  query: Query,
  pastQuery: PastQuery,
  points: readonly Transaction[],
  looksForFrauds: boolean,
): Promise<Around[] | null> {
  if (points.length === 0) return [];
  const { since, reach, end } = reachOf(pastQuery, points);
  const values = [
    textArray(points.map(pastQuery.partyOf)),
    timestampArray(points.map((point) => point.createdAtMs)),
    uuidArray(points.map((point) => point.transactionId)),
    timestampArray(since),
    looksForFrauds,
    ...namesOf(pastQuery),
  ];
  const found = await query<AroundRow>(pastQuery.statement(reach), values);
  if (found.some(({ hasFrauds }) => hasFrauds)) return null;
  const complete = found.length > ROWS_MAX ? (found.at(-1)?.point ?? 0) - 1 : points.length;
  if (complete < 1) throw new Error('one point has more rows than it was asked for');
  const byPoint = Map.groupBy(found, (row) => row.point);
  return points.slice(0, complete).map((point, at) => {
    const around = arrange(pastQuery, point, byPoint.get(at + 1) ?? []);
    return { ...around, ceiling: around.ceiling ?? end };
  });
}

/** A row of a point that has none around it has no id. */
type AroundRow = PastRow & { readonly hasFrauds: boolean };

function arrange(pastQuery: PastQuery, at: Transaction, found: readonly AroundRow[]): Around {
  const rows = found.flatMap(({ point: _point, hasFrauds: _hasFrauds, ...row }) =>
    row.transactionId === null ? [] : row,
  );
  rows.sort(comparePositions);
  const split = rows.findIndex((row) => comparePositions(row, at) >= 0);
  const [older, newer] = split < 0 ? [rows, []] : [rows.slice(0, split), rows.slice(split)];
  const floor = older.length > pastQuery.before ? (older.shift() ?? null) : null;
  const isCut = newer.length > pastQuery.after;
  if (isCut) newer.pop();
  return { rows: [...older, ...newer], floor, ceiling: isCut ? (newer.at(-1) ?? null) : null };
}
