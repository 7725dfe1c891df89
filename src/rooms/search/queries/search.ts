/**
 * `GET /v1/transactions?…`: the search looks at rows along the index of its list, a bounded number a page, and reads what it lists by id.
 */
import { compareDecimals } from '../../../core/domain/currency.ts';
import { toScoreJson } from '../../../core/domain/score-record.ts';
import {
  type FoundTransactionJson,
  toTransactionJson,
} from '../../../core/domain/transaction-record.ts';
import type { MonthRange } from '../../../core/store/partitions/month-slice.ts';
import { toStoredScore } from '../../../core/store/scores/stored-scores.ts';
import {
  needsScore,
  prepareSearch,
  rangesBehind,
  type SearchFilter,
} from '../../../core/store/search/search-filter.ts';
import {
  countRows,
  findRows,
  isRanked,
  LOOKED_AT_MAX,
  partyOf,
  type RowPosition,
  type SearchList,
} from '../../../core/store/search/search-rows.ts';
import {
  type Databases,
  inIndexOrder,
  readFrom,
} from '../../../kit/database/replica/choose-database.ts';
import { isPrimaryAway } from '../../../kit/process/primary-away.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { missingWithin } from '../../../kit/words/page.ts';
import { type FoundTransaction, loadFound } from '../store/found-rows.ts';
import {
  digestQuestion,
  encodeSearchCursor,
  TOTAL_MAX,
  type TransactionSearchParameters,
} from './parameters.ts';

/** Months of one statement behind the first month, in which most pages end: a statement takes a millisecond, also where it finds no row. */
const GROUP_MONTHS = 6;
const STATEMENTS_MAX = 5;
/** Months that a page looks at. */
export const MONTHS_MAX = 1 + (STATEMENTS_MAX - 1) * GROUP_MONTHS;

/** How many rows match on all pages; `more`: `count` is what the request could find. */
type Total = { readonly count: number; readonly more: boolean };

/** @param lookedAtMax fewer in tests */
export async function searchTransactions(
  databases: Databases,
  asked: TransactionSearchParameters,
  lookedAtMax?: number,
) {
  const { rows, page } = await find(databases, asked, lookedAtMax);
  return { items: rows.map(toFoundTransaction), ...page };
}

const toFoundTransaction = (row: FoundTransaction): FoundTransactionJson => ({
  ...toTransactionJson(row),
  score: row.score === null ? null : toScoreJson(toStoredScore(row)),
  label: row.label,
});

/** `page` is the page without its items. */
export async function find(
  databases: Databases,
  asked: TransactionSearchParameters,
  lookedAtMax = LOOKED_AT_MAX,
) {
  const { limit, sort, order, cursor, total, fields: _, ...rest } = asked;
  const digest = digestQuestion({ sort, order, ...rest });
  const list = listOf(asked);
  const after = cursor?.after ?? null;
  const isOrdered = after === null || (after.value !== null) === (list === 'riskiest');
  if (cursor !== undefined && !(cursor.digest === digest && isOrdered)) {
    const detail = 'must be the next_cursor of this list with the same parameters';
    throw new InvalidFields([{ pointer: '/cursor', detail }]);
  }
  const isDescending = order === 'desc';
  const isNewestFirst = isRanked(list) || isDescending;
  const { filter, walked, ranges } = await prepareSearch(databases, asked, isNewestFirst);
  const question = { filter, list, isDescending, ranges, after, limit, lookedAtMax };
  const { listed, next, stopped } = await listRows(databases, question);
  const counted = total && (await countMatches(databases, question));
  return {
    rows: await loadListed(databases, question, listed),
    page: {
      next_cursor: next && encodeSearchCursor({ digest, after: next }),
      ...missingWithin(walked, asked),
      complete: stopped === null && !isPrimaryAway(),
      searched_to: stopped && list !== 'riskiest' ? new Date(stopped.atMs).toISOString() : null,
      ...(counted && { total: counted }),
    },
  };
}

/** An index has the riskiest scores of all parties; the scores of a single party are ranked. */
function listOf(asked: TransactionSearchParameters): SearchList {
  const { sort } = asked;
  if (sort === 'created_at') return 'time';
  return sort === 'score' && partyOf(asked) === undefined ? 'riskiest' : sort;
}

type Question = {
  readonly filter: SearchFilter;
  readonly list: SearchList;
  readonly isDescending: boolean;
  /** Months in the order of the list. */
  readonly ranges: readonly MonthRange[];
  readonly after: RowPosition | null;
  readonly limit: number;
  readonly lookedAtMax: number;
};

/**
 * `next` is the position after which the list goes on, null where nothing is left, or the list is ranked. `stopped` is how far the page
 * looked, where a bound ended the page before the page was full.
 */
async function listRows(databases: Databases, question: Question) {
  const { list, isDescending, limit, lookedAtMax } = question;
  const found: RowPosition[] = [];
  const ranked = isRanked(list);
  let looked = 0;
  const end = (next: RowPosition | null) => {
    if (ranked) found.sort(byRank(isDescending));
    const isShort = next !== null && (ranked || found.length < limit);
    return {
      listed: found.slice(0, limit),
      next: ranked ? null : next,
      stopped: isShort ? next : null,
    };
  };
  for (const [nth, range] of rangesLeft(question).entries()) {
    if (nth === STATEMENTS_MAX) return end(edgeOf(range, ranked || isDescending));
    const rows = ranked ? limit : limit + 1 - found.length;
    const search = { ...question, range, rows, lookedAtMax: lookedAtMax - looked };
    const read = await readFrom(inIndexOrder(databases), range.toMs, (database) =>
      findRows(database, search),
    );
    found.push(...read.found);
    const last = found[limit - 1];
    if (!ranked && found.length > limit && last !== undefined) return end(last);
    looked += read.last?.looked ?? 0;
    if (looked === lookedAtMax) return end(read.last?.at ?? null);
  }
  return end(null);
}

/** The ranges that are left, a statement each; the riskiest scores are merged from all months. */
function rangesLeft({ list, ranges, after, isDescending }: Question): readonly MonthRange[] {
  if (list === 'riskiest') return spanOf(ranges);
  const left = rangesBehind(ranges, after, isDescending);
  const groups = Array.from({ length: Math.ceil(left.length / GROUP_MONTHS) }, (_, nth) =>
    left.slice(1 + nth * GROUP_MONTHS, 1 + (nth + 1) * GROUP_MONTHS),
  );
  return [left.slice(0, 1), ...groups].flatMap(spanOf);
}

/** The range from the first of the months to the last. */
function spanOf(months: readonly MonthRange[]): readonly MonthRange[] {
  const fromMs = Math.min(...months.map((month) => month.fromMs));
  const toMs = Math.max(...months.map((month) => month.toMs));
  return months.length === 0 ? [] : [{ fromMs, toMs }];
}

/** The position before all rows of a range. */
function edgeOf({ fromMs, toMs }: MonthRange, isDescending: boolean): RowPosition {
  const atMs = isDescending ? toMs : fromMs;
  return { atMs, id: lowestIdAt(atMs), value: null };
}

const byRank = (isDescending: boolean) => (first: RowPosition, second: RowPosition) => {
  const difference = compareDecimals(first.value ?? '0', second.value ?? '0');
  const isLess = difference === 0 ? first.id < second.id : difference < 0;
  return isLess === isDescending ? 1 : -1;
};

/** The listed rows, in order. The primary reads what a replica lacks: an old transaction may have got its score, or label, a moment ago. */
async function loadListed(
  databases: Databases,
  { filter, list }: Pick<Question, 'filter' | 'list'>,
  listed: readonly RowPosition[],
): Promise<FoundTransaction[]> {
  if (listed.length === 0) return [];
  const { label } = filter;
  const isScored = list === 'riskiest' || list === 'score' || needsScore(filter);
  const isLabelled = label !== undefined && label !== 'none';
  const newestMs = Math.max(...listed.map(({ atMs }) => atMs)) + 1;
  const found = await readFrom(
    databases,
    newestMs,
    (database) => loadFound(database, listed),
    (rows) =>
      rows.size === listed.length &&
      [...rows.values()].every(
        (row) => !(isScored && row.score === null) && !(isLabelled && row.label !== label),
      ),
  );
  return listed.flatMap(({ id }) => found.get(id) ?? []);
}

/** Counts what a list has, from its beginning. */
async function countMatches(databases: Databases, question: Question): Promise<Total> {
  const { lookedAtMax } = question;
  let count = 0;
  let looked = 0;
  for (const [nth, range] of rangesLeft({ ...question, after: null }).entries()) {
    if (nth === STATEMENTS_MAX) return { count, more: true };
    const left = lookedAtMax - looked;
    const search = { ...question, after: null, range, rows: 0, lookedAtMax: left };
    const read = await readFrom(inIndexOrder(databases), range.toMs, (database) =>
      countRows(database, search),
    );
    count += read.count;
    looked += read.looked;
    if (count > TOTAL_MAX) return { count: TOTAL_MAX, more: true };
    if (looked === lookedAtMax) return { count, more: true };
  }
  return { count, more: false };
}
