/**
 * The legs of a search: how its rows are come by in the order that is asked for.
 *
 * - time: an index in the order of created_at.
 * - scores: the index of risky scores by score, over all months.
 * - stretch: no index has the order. Rows are read by time and ranked, as many as a request may look at: a stretch, whose rows
 *   are listed in order before those of the next stretch.
 */
import type { Position } from '../../kit/words/cursor.ts';
import { InvalidFields } from '../../kit/words/field-error.ts';
import type { MonthRange } from '../store/partitions/month-slice.ts';
import type { SearchFilter } from '../store/search/search-filter.ts';
import {
  isOfParty,
  isRiskyAlone,
  type Place,
  type RankedBy,
  RISKY_SCORE_MIN,
  type SearchSlice,
} from '../store/search/search-slice.ts';
import type { SearchPosition } from './search-cursor.ts';
import type { ReadSlice } from './slice-reader.ts';
import { type Budget, walkRanges } from './walk.ts';

export type Leg =
  | { readonly kind: 'time' | 'scores'; readonly filter: SearchFilter }
  | { readonly kind: 'stretch'; readonly filter: SearchFilter; readonly by: RankedBy };

export type Sort = 'created_at' | 'score' | 'amount';

export function legsOf(filter: SearchFilter, sort: Sort, isDescending: boolean): readonly Leg[] {
  if (sort === 'created_at') return [{ kind: 'time', filter }];
  const stretch: Leg = { kind: 'stretch', filter, by: sort };
  const isNarrow = isOfParty(filter) || filter.transactionId !== undefined;
  if (sort === 'amount' || isNarrow) return [stretch];
  if (isRiskyAlone(filter)) return [{ kind: 'scores', filter }];
  const { minScore = 0, maxScore = Infinity } = filter;
  const below = { ...filter, maxScore: Math.min(maxScore, RISKY_SCORE_MIN - 1) };
  const risky = { ...filter, minScore: Math.max(minScore, RISKY_SCORE_MIN) };
  const low: Leg = { kind: 'stretch', filter: below, by: 'score' };
  if (maxScore < RISKY_SCORE_MIN) return [low];
  const high: Leg = { kind: 'scores', filter: risky };
  return isDescending ? [high, low] : [low, high];
}

export type LegRun = {
  readonly leg: Leg;
  readonly isDescending: boolean;
  /** In the order of the walk; each within a month. */
  readonly ranges: readonly MonthRange[];
  /** Where it goes on; undefined: from the beginning. */
  readonly position: Omit<SearchPosition, 'leg'> | undefined;
  readonly rows: number;
  readonly budget: Budget;
  readonly narrow: (ranges: readonly MonthRange[]) => Promise<readonly MonthRange[]>;
  readonly read: ReadSlice;
};

export type LegResult = {
  /** One more than `rows` where there are more. */
  readonly places: readonly Place[];
  /** Where the leg goes on after these places, of which only the first `rows` are listed; null: it is at its end. */
  readonly next: (listed: readonly Place[]) => Omit<SearchPosition, 'leg'> | null;
  /** How far it looked; null: all of it. */
  readonly stopped: Position | null;
};

export async function runLeg(run: LegRun): Promise<LegResult> {
  switch (run.leg.kind) {
    case 'time':
      return await runTime(run);
    case 'scores':
      return await runScores(run);
    case 'stretch':
      return await runStretch(run, run.leg.by);
  }
}

const toPlace = (position: Position): Place => ({ ...position, value: null });

async function runTime(run: LegRun): Promise<LegResult> {
  const { isDescending, rows, budget, read, leg, position } = run;
  const places: Place[] = [];
  const stopped = await walkRanges({
    ...run,
    after: position?.after ?? null,
    readSlice: async ({ fromMs, toMs, after }) => {
      const asked: SearchSlice = {
        ...{ filter: leg.filter, lowerMs: fromMs, upperMs: toMs, follows: 'time', isDescending },
        ...{ after: toPlace(after), until: undefined, ranked: undefined },
        ...{ examinedMax: budget.rowsMax(), rows: rows + 1 - places.length },
      };
      const slice = await read(asked, budget.isFirst());
      if (slice === null) return { reached: after, isEnough: true };
      budget.noteRows(slice.examined);
      places.push(...slice.rows);
      return { reached: slice.reached, isEnough: places.length > rows };
    },
  });
  return { places, stopped, next: (listed) => goOn(places, listed, stopped) };
}

/** A leg that finds its rows in order goes on after the last listed one, or after what it has looked at. */
function goOn(
  places: readonly Place[],
  listed: readonly Place[],
  stopped: Position | null,
): Omit<SearchPosition, 'leg'> | null {
  const last = listed.at(-1);
  if (places.length > listed.length && last !== undefined) return { after: last, stretch: null };
  return stopped === null ? null : { after: { value: null, ...stopped }, stretch: null };
}

async function runScores(run: LegRun): Promise<LegResult> {
  const { isDescending, rows, budget, read, leg, position, ranges } = run;
  const places: Place[] = [];
  const lowerMs = Math.min(...ranges.map(({ fromMs }) => fromMs));
  const upperMs = Math.max(...ranges.map(({ toMs }) => toMs));
  let after = position?.after ?? undefined;
  let isAtEnd = ranges.length === 0;
  while (!isAtEnd && places.length <= rows && !budget.isSpent()) {
    budget.count();
    const asked: SearchSlice = {
      ...{ filter: leg.filter, lowerMs, upperMs, follows: 'score', isDescending },
      ...{ after, until: undefined, ranked: undefined },
      ...{ examinedMax: budget.rowsMax(), rows: rows + 1 - places.length },
    };
    // Without a place there is nothing to go on after.
    const slice = await read(asked, budget.isFirst() || after === undefined);
    if (slice === null) break;
    budget.noteRows(slice.examined);
    places.push(...slice.rows);
    isAtEnd = slice.reached === null;
    after = slice.reached ?? undefined;
  }
  const stopped = isAtEnd ? null : (after ?? null);
  return { places, stopped, next: (listed) => goOn(places, listed, stopped) };
}

/**
 * Reads the slices of a stretch and keeps the best. A stretch that was begun is read to its end again, beyond the budget where
 * rows have arrived meanwhile, as its next one begins there, or nothing is left.
 */
async function runStretch(run: LegRun, by: RankedBy): Promise<LegResult> {
  const { isDescending, rows, budget, read, leg, position } = run;
  const stretch = position?.stretch ?? null;
  const until = stretch?.until ?? undefined;
  const begin = position?.after ?? null;
  const inOrder = byRank(isDescending);
  let places: Place[] = [];
  const beyond = stretch?.listed;
  const walked = await walkRanges({
    ...run,
    budget: stretch === null ? budget : { ...budget, isSpent: budget.isOverdrawn },
    ranges: clip(run.ranges, until, isDescending),
    after: begin,
    readSlice: async ({ fromMs, toMs, after }) => {
      const asked: SearchSlice = {
        ...{ filter: leg.filter, lowerMs: fromMs, upperMs: toMs, follows: 'time', isDescending },
        ...{ after: toPlace(after), until, ranked: { by, beyond } },
        ...{ examinedMax: stretch === null ? budget.rowsMax() : Infinity, rows: rows + 1 },
      };
      const slice = await read(asked, stretch !== null || budget.isFirst());
      if (slice === null) return { reached: after, isEnough: true };
      budget.noteRows(slice.examined);
      // A slice begins with rows of the one before where others have arrived between.
      const listed = new Set(places.map(({ id }) => id));
      const fresh = slice.rows.filter(({ id }) => !listed.has(id));
      places = [...places, ...fresh].sort(inOrder).slice(0, rows + 1);
      return { reached: slice.reached, isEnough: false };
    },
  });
  if (stretch !== null && walked !== null) {
    const detail = 'is too old: more rows have arrived since than a page reads again; begin anew';
    throw new InvalidFields([{ pointer: '/cursor', detail }]);
  }
  const stopped = until ?? walked;
  return {
    places,
    stopped,
    next: (listed) => {
      const last = listed.at(-1);
      if (places.length > listed.length && last !== undefined) {
        return { after: begin && toPlace(begin), stretch: { until: stopped, listed: last } };
      }
      return stopped === null ? null : { after: toPlace(stopped), stretch: null };
    },
  };
}

/** Ranges up to the end of a stretch. */
function clip(
  ranges: readonly MonthRange[],
  until: Position | undefined,
  isDescending: boolean,
): readonly MonthRange[] {
  if (until === undefined) return ranges;
  return ranges.flatMap(({ fromMs, toMs }) => {
    const from = isDescending ? Math.max(fromMs, until.atMs) : fromMs;
    const to = isDescending ? toMs : Math.min(toMs, until.atMs + 1);
    return from < to ? [{ fromMs: from, toMs: to }] : [];
  });
}

const byRank = (isDescending: boolean) => (one: Place, other: Place) => {
  const difference =
    compareDecimals(one.value, other.value) || (one.id < other.id ? -1 : Number(one.id > other.id));
  return isDescending ? -difference : difference;
};

const PLACES_MAX = 4;

/** Scores, or amounts of at most four decimal places, exactly. */
function compareDecimals(one: string | null, other: string | null): number {
  const [left, right] = [toUnits(one), toUnits(other)];
  return left < right ? -1 : Number(left > right);
}

function toUnits(value: string | null): bigint {
  const [whole = '0', fraction = ''] = (value ?? '0').split('.');
  return BigInt(whole + fraction.padEnd(PLACES_MAX, '0'));
}
