/**
 * Goes through ranges of time, newest or oldest first, a bounded slice at a time. A request has one budget: it reads at most
 * SLICES_MAX slices and begins none after WALK_MS_MAX.
 */
import { type Position, positionBefore } from '../../domain/cursor.ts';
import { lowestIdAt } from '../../domain/transaction-id.ts';
import type { MonthRange } from '../../store/partitions/month-slice.ts';

export const SLICES_MAX = 24;
export const WALK_MS_MAX = 1500;

export type Budget = {
  /** Slices that were read. */
  readonly slices: () => number;
  readonly isSpent: () => boolean;
  /** Twice as many slices were read, in whatever time: for what a request has to read again, and to its end. */
  readonly isOverdrawn: () => boolean;
  readonly count: () => void;
};

/** @param nowMs monotonic; as slicesMax, another one in tests */
export function createBudget(nowMs = () => performance.now(), slicesMax = SLICES_MAX): Budget {
  const endMs = nowMs() + WALK_MS_MAX;
  let slices = 0;
  return {
    slices: () => slices,
    isSpent: () => slices >= slicesMax || (slices > 0 && nowMs() > endMs),
    isOverdrawn: () => slices >= 2 * slicesMax,
    count: () => {
      slices += 1;
    },
  };
}

/** A part of a range in one month, of which rows after a position are still to come. */
export type WalkedSlice = MonthRange & { readonly after: Position };

export type Walk = {
  /** In the order of the walk; each within a month. */
  readonly ranges: readonly MonthRange[];
  readonly isDescending: boolean;
  readonly after: Position | null;
  readonly budget: Budget;
  /** Leaves out parts of ranges that cannot have a match. It is asked once a slice has not been enough. */
  readonly narrow?: (ranges: readonly MonthRange[]) => Promise<readonly MonthRange[]>;
  /** `reached` is null where nothing is left of the slice; `isEnough` ends the walk. */
  readonly readSlice: (
    slice: WalkedSlice,
  ) => Promise<{ readonly reached: Position | null; readonly isEnough: boolean }>;
};

/** Where the walk stopped; null: nothing is left. */
export async function walkRanges(walk: Walk): Promise<Position | null> {
  const { isDescending, budget, readSlice, narrow } = walk;
  let queue = [...walk.ranges];
  let { after } = walk;
  let isNarrowed = narrow === undefined;
  for (let range = queue[0]; range !== undefined; range = queue[0]) {
    const begin = furthest(after, positionBefore(isDescending ? range.toMs : range.fromMs), walk);
    const end = positionBefore(isDescending ? range.fromMs : range.toMs);
    if (isPast(begin, end, isDescending)) {
      queue.shift();
      continue;
    }
    if (budget.isSpent()) return begin;
    budget.count();
    const { reached, isEnough } = await readSlice({
      fromMs: isDescending ? range.fromMs : Math.max(range.fromMs, begin.atMs),
      toMs: isDescending ? Math.min(range.toMs, begin.atMs + 1) : range.toMs,
      after: begin,
    });
    if (isEnough) return reached;
    after = reached ?? end;
    if (isNarrowed || narrow === undefined) continue;
    isNarrowed = true;
    queue = [...(await narrow(leftOf(queue, after, isDescending)))];
  }
  return null;
}

function furthest(after: Position | null, edge: Position, { isDescending }: Walk): Position {
  if (after === null) return edge;
  return after.id < edge.id === isDescending ? after : edge;
}

/** True when nothing between a position and the end of its range is still to come. */
function isPast(begin: Position, end: Position, isDescending: boolean): boolean {
  return isDescending ? begin.id <= end.id : begin.id >= end.id;
}

function leftOf(queue: readonly MonthRange[], after: Position, isDescending: boolean) {
  const left = queue.map(({ fromMs, toMs }) =>
    isDescending
      ? { fromMs, toMs: Math.min(toMs, after.atMs + (after.id > lowestIdAt(after.atMs) ? 1 : 0)) }
      : { fromMs: Math.max(fromMs, after.atMs), toMs },
  );
  return left.filter(({ fromMs, toMs }) => fromMs < toMs);
}

/** The parts of ranges that lie in some days, in the order of the ranges; days in a row are one part. */
export function withinDays(
  ranges: readonly MonthRange[],
  days: readonly number[],
  dayMs: number,
  isDescending: boolean,
): MonthRange[] {
  const runs: { fromMs: number; toMs: number }[] = [];
  for (const fromMs of days) {
    const last = runs.at(-1);
    if (last?.toMs === fromMs) last.toMs += dayMs;
    else runs.push({ fromMs, toMs: fromMs + dayMs });
  }
  if (isDescending) runs.reverse();
  return ranges.flatMap((range) =>
    runs.flatMap((run) => {
      const fromMs = Math.max(range.fromMs, run.fromMs);
      const toMs = Math.min(range.toMs, run.toMs);
      return fromMs < toMs ? [{ fromMs, toMs }] : [];
    }),
  );
}
