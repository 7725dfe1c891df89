/**
 * One page of a list that runs (created_at, id) descending: walks the months newest first, a bounded
 * slice at a time, until the page is full. A request reads at most SLICES_MAX slices and begins none
 * after WALK_MS_MAX; then the page may be short, even empty, and its cursor says where to go on.
 */
import { encodeCursor, type Position, positionBefore } from '../domain/cursor.ts';
import { lowestIdAt } from '../domain/transaction-id.ts';
import type { MonthRange, MonthSlice, SliceResult } from '../store/partitions/month-slice.ts';

export const SLICES_MAX = 24;
export const WALK_MS_MAX = 1500;

export type Page<Item> = { readonly items: Item[]; readonly nextCursor: string | null };

/** What every list of transactions or scores is ordered by. */
type TimedRow = { readonly createdAtMs: number; readonly transactionId: string };

export type Walk<Row extends TimedRow> = {
  /** Newest first. */
  readonly months: readonly MonthRange[];
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly cursor: Position | undefined;
  readonly limit: number;
  /** Monotonic; for tests. */
  readonly nowMs?: () => number;
  readonly readSlice: (slice: MonthSlice) => Promise<SliceResult<Row>>;
};

export async function walkMonths<Row extends TimedRow>(walk: Walk<Row>): Promise<Page<Row>> {
  const { limit, nowMs = () => performance.now() } = walk;
  const endMs = nowMs() + WALK_MS_MAX;
  const items: Row[] = [];
  let slices = 0;
  let position = startOf(walk);
  for (const month of walk.months) {
    const lowerMs = Math.max(month.fromMs, walk.fromMs ?? month.fromMs);
    const upperMs = Math.min(month.toMs, walk.toMs ?? month.toMs);
    if (lowerMs >= upperMs || isBefore(position, lowerMs)) continue;
    if (position.atMs >= upperMs) position = positionBefore(upperMs);
    for (let reached: Position | null = position; reached !== null; ) {
      position = reached;
      if (slices === SLICES_MAX || (slices > 0 && nowMs() > endMs)) {
        return { items, nextCursor: encodeCursor(position) };
      }
      slices += 1;
      const rows = limit + 1 - items.length;
      const slice = await walk.readSlice({
        lowerMs,
        upperMs: Math.min(upperMs, position.atMs + 1),
        before: position,
        rows,
      });
      items.push(...slice.rows);
      if (items.length > limit) return fullPage(items.slice(0, limit));
      reached = slice.reached;
    }
    position = positionBefore(lowerMs);
  }
  return { items, nextCursor: null };
}

function startOf<Row extends TimedRow>({ months, cursor, toMs }: Walk<Row>): Position {
  return cursor ?? positionBefore(toMs ?? months[0]?.toMs ?? 0);
}

/** True when nothing at or after a moment is still to come. */
function isBefore({ atMs, id }: Position, momentMs: number): boolean {
  return atMs < momentMs || (atMs === momentMs && id <= lowestIdAt(momentMs));
}

function fullPage<Row extends TimedRow>(items: Row[]): Page<Row> {
  const last = items.at(-1);
  const position = last && { atMs: last.createdAtMs, id: last.transactionId };
  return { items, nextCursor: position === undefined ? null : encodeCursor(position) };
}
