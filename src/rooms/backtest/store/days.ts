/** Counts a day of backtests, as JSON. */
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import type { DayCounts, Days } from '../count/report-schema.ts';

/** Days that are in memory at once: 20 corridors of all points have 20 MB. */
const READ_MAX = 20;
const EVER = 'infinity';

const readPage = rowsOf<
  { readonly day: string; readonly counts: string },
  [id: string, from: string, before: string]
>(
  'read-backtest-days',
  `select day::text, counts from market.backtest_days where backtest_id = $1 and day >= $2 and day < $3
    order by day limit ${READ_MAX}`,
);

const dayText = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);

/** For the statement that stores counts. */
export const daysText = (days: Days): string =>
  JSON.stringify(
    [...days].map(([day, counts]) => ({ day: dayText(day), counts: JSON.stringify(counts) })),
  );

/** The day that a run has begun to count; none before its first row. */
export async function readDay(query: Query, id: string, cursor: string | null): Promise<Days> {
  const atMs = cursor === null ? undefined : createdAtMsOf(cursor);
  if (atMs === undefined) return new Map();
  const day = Math.floor(atMs / DAY_MS);
  const found = await readPage(query, id, dayText(day), dayText(day + 1));
  return new Map(found.map(({ counts }) => [day, JSON.parse(counts)]));
}

/** Every counted day, the oldest first. */
export async function* eachDay(
  query: Query,
  id: string,
): AsyncGenerator<readonly [day: string, counts: DayCounts]> {
  let next = `-${EVER}`;
  for (let isWhole = false; !isWhole; ) {
    const found = await readPage(query, id, next, EVER);
    for (const { day, counts } of found) yield [day, JSON.parse(counts)];
    isWhole = found.length < READ_MAX;
    const last = found.at(-1)?.day;
    if (last !== undefined) next = dayText(Date.parse(last) / DAY_MS + 1);
  }
}
