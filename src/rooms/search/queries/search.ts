/**
 * `GET /v1/transactions?…` and `GET /v1/scores?…`: one search. It finds ids along its passes, a bounded number of rows a request,
 * and then reads what it lists by their ids.
 */
import { listWalkedMonths, type MonthRange } from '../../../core/store/partitions/month-slice.ts';
import { readBoundary } from '../../../core/store/search/read-slice.ts';
import { requireModel, requireReasons } from '../../../core/store/search/require-known.ts';
import {
  filterOf,
  needsScore,
  rangesOf,
  type SearchFilter,
} from '../../../core/store/search/search-filter.ts';
import {
  RISKY_SCORE_MIN,
  type RowPosition,
  type SearchSlice,
  searchSlice,
} from '../../../core/store/search/search-slice.ts';
import { type Budget, createBudget, walkRanges } from '../../../core/store/search/walk.ts';
import type { Database } from '../../../kit/database/pool.ts';
import {
  type Databases,
  RECENT_MS,
  readFrom,
} from '../../../kit/database/replica/choose-database.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { missingWithin, type PageJson } from '../../../kit/words/page.ts';
import { type FoundPart, type FoundTransaction, loadFound } from '../store/found-rows.ts';
import { partsOf } from './fields.ts';
import {
  type ScoreSearchParameters,
  TOTAL_MAX,
  type TransactionSearchParameters,
} from './parameters.ts';
import { type Pass, type PassResult, passesOf, runPass } from './passes.ts';
import {
  digestQuestion,
  encodeSearchCursor,
  isScoreValue,
  type SearchPosition,
} from './search-cursor.ts';
import { toFoundScore, toFoundTransaction } from './search-json.ts';
import { createSliceReader, leaveOutDays, readInTime } from './slice-reader.ts';

/** How many rows match on all pages; `more`: `count` is what the request could find. */
type Total = { readonly count: number; readonly more: boolean };

/** @param newBudget of a page, and of a total; for tests */
export async function searchTransactions(
  databases: Databases,
  asked: TransactionSearchParameters,
  newBudget?: () => Budget,
) {
  const { rows, page } = await find(databases, 'transactions', asked, newBudget);
  return { items: rows.map(toFoundTransaction), ...page };
}

export async function searchScores(
  databases: Databases,
  asked: ScoreSearchParameters,
  newBudget?: () => Budget,
) {
  const { rows, page } = await find(databases, 'scores', asked, newBudget);
  return { items: rows.map(toFoundScore), ...page };
}

/** How far the request looked. */
type SearchedTo = { readonly searched_to: string | null; readonly searched_to_score?: number };
type Looked = { readonly complete: boolean; readonly searched: SearchedTo };

type Found = {
  readonly rows: readonly FoundTransaction[];
  /** The page without its items. */
  readonly page: Omit<PageJson<never>, 'items'> &
    SearchedTo & { readonly complete: boolean; readonly total?: Total };
};

/** @param list scores: only what is scored */
export async function find(
  databases: Databases,
  list: 'transactions' | 'scores',
  asked: TransactionSearchParameters,
  newBudget: () => Budget = createBudget,
): Promise<Found> {
  const { limit, sort, order, cursor, total, fields, ...rest } = asked;
  const digest = digestQuestion({ list, sort, order, ...rest });
  const isDescending = order === 'desc';
  await requireModel(databases, asked.model);
  await requireReasons(databases, asked.reason ?? [], (index) => `/reason/${index}`);
  const filter = await filterOf(databases, asked, list === 'scores' || sort === 'score');
  const passes = filter === undefined ? [] : passesOf(filter, sort, isDescending);
  const begin = cursor?.position ?? { pass: 0, after: null, window: null };
  if (cursor !== undefined && !(cursor.digest === digest && isOfPasses(begin, passes))) {
    const detail = 'must be the next_cursor of this list with the same parameters';
    throw new InvalidFields([{ pointer: '/cursor', detail }]);
  }
  const walked = await listWalkedMonths(databases.primary, list);
  const ranges = rangesOf(walked.months, asked, filter, { isDescending, nowMs: databases.now() });
  const page = { passes, begin, ranges, isDescending, limit };
  const { listed, next, complete, searched } = await runPasses(databases, newBudget(), page);
  const parts = partsOf(list, fields);
  const rows = filter === undefined ? [] : await loadListed(databases, filter, listed, parts);
  const counted = filter && total && (await countMatches(databases, newBudget(), filter, ranges));
  return {
    rows,
    page: {
      next_cursor: next && encodeSearchCursor({ digest, position: next }),
      ...missingWithin(walked, asked),
      complete,
      ...searched,
      ...(total && { total: counted || { count: 0, more: false } }),
    },
  };
}

/** A cursor of ours cannot name a pass that its question lacks; one that somebody made might. */
function isOfPasses({ pass, after, window }: SearchPosition, passes: readonly Pass[]): boolean {
  const search = passes[pass];
  if (search === undefined) return passes.length === 0;
  if (search.kind !== 'window') {
    const isPosition = search.kind === 'time' || after === null || isScoreValue(after.value);
    return window === null && isPosition;
  }
  if (window === null) return true;
  const { value } = window.listed;
  return search.by === 'score' ? isScoreValue(value) : value !== null;
}

type PageOfPasses = {
  readonly passes: readonly Pass[];
  readonly begin: SearchPosition;
  readonly ranges: readonly MonthRange[];
  readonly isDescending: boolean;
  readonly limit: number;
};

type Listed = Looked & {
  readonly listed: readonly RowPosition[];
  readonly next: SearchPosition | null;
};

async function runPasses(
  databases: Databases,
  budget: Budget,
  { passes, begin, ranges, isDescending, limit }: PageOfPasses,
): Promise<Listed> {
  const read = createSliceReader(databases, budget);
  const listed: RowPosition[] = [];
  /** Ends the page before a pass: risky scores and those below meet there. */
  const endBefore = (pass: number, complete: boolean): Listed => {
    const searched_to_score = isDescending ? RISKY_SCORE_MIN : RISKY_SCORE_MIN - 1;
    const next = { pass, after: null, window: null };
    return { listed, next, complete, searched: { searched_to: null, searched_to_score } };
  };
  for (const [at, pass] of passes.entries()) {
    if (at < begin.pass) continue;
    if (listed.length > 0 && budget.isSpent()) return endBefore(at, false);
    const rows = limit - listed.length;
    const result = await runPass({
      pass,
      isDescending,
      ranges,
      rows,
      budget,
      read,
      position: at === begin.pass ? begin : undefined,
      narrow: (left) => leaveOutDays(databases, pass.filter, left, isDescending),
    });
    const ours = result.found.slice(0, rows);
    listed.push(...ours);
    const next = result.next(ours);
    if (next !== null) {
      const last = listed.length === limit ? listed.at(-1) : undefined;
      return { listed, next: { ...next, pass: at }, ...searchedBy(pass, result, next.after, last) };
    }
    if (listed.length === limit && at + 1 < passes.length) return endBefore(at + 1, true);
  }
  return { listed, next: null, complete: true, searched: { searched_to: null } };
}

/** @param last the last row of a full page */
function searchedBy(
  { kind }: Pass,
  { stopped }: PassResult,
  after: RowPosition | null,
  last: RowPosition | undefined,
): Looked {
  // A full page is what it should be, unless no index ordered its rows and some were left out.
  const complete = kind === 'window' ? stopped === null : last !== undefined;
  if (kind === 'scores' && after !== null) {
    const searched = { searched_to: null, searched_to_score: Number(after.value) };
    return { complete, searched };
  }
  const at = (kind === 'window' ? undefined : last) ?? stopped;
  return { complete, searched: { searched_to: at && new Date(at.atMs).toISOString() } };
}

/**
 * The listed rows, in order. Recent rows come from the primary, and so do rows of which a replica lacks what the primary found
 * them by: an old transaction may have got its score, or label, a moment ago.
 */
async function loadListed(
  databases: Databases,
  filter: SearchFilter,
  listed: readonly RowPosition[],
  asked: readonly FoundPart[],
): Promise<FoundTransaction[]> {
  const { label } = filter;
  const isScored = needsScore(filter);
  const isLabelled = label !== undefined && label !== 'none';
  const parts = new Set(asked);
  if (isScored) parts.add('score');
  if (isLabelled) parts.add('label');
  const isWhole = (row: FoundTransaction) =>
    !(isScored && row.score === null) && !(isLabelled && row.label !== label);
  const load = async (rows: readonly RowPosition[], newestMs: number) => {
    if (rows.length === 0) return [];
    const isFinal = (found: ReadonlyMap<string, FoundTransaction>) =>
      found.size === rows.length && [...found.values()].every(isWhole);
    return await readFrom(
      databases,
      newestMs,
      (database) => loadFound(database, rows, parts),
      isFinal,
    );
  };
  const recentMs = databases.now() - RECENT_MS;
  const isRecent = ({ atMs }: RowPosition) => atMs + 1 > recentMs;
  const found = new Map([
    ...(await load(listed.filter(isRecent), Infinity)),
    ...(await load(
      listed.filter((row) => !isRecent(row)),
      recentMs,
    )),
  ]);
  return listed.flatMap(({ id }) => found.get(id) ?? []);
}

/**
 * Counts what a search finds, along the index, in whatever order is asked for, within a budget of its own.
 */
async function countMatches(
  databases: Databases,
  budget: Budget,
  filter: SearchFilter,
  ranges: readonly MonthRange[],
): Promise<Total> {
  let counted = 0;
  const stopped = await walkRanges({
    ranges: [...ranges].sort((left, right) => right.fromMs - left.fromMs),
    isDescending: true,
    after: null,
    budget,
    narrow: (left) => leaveOutDays(databases, filter, left, true),
    readSlice: async ({ fromMs, toMs, after }) => {
      const read = await readInTime(databases, toMs, (database) =>
        countSlice(database, {
          filter,
          lowerMs: fromMs,
          upperMs: toMs,
          follows: 'time',
          isDescending: true,
          after: { ...after, value: null },
          examinedMax: budget.rowsMax(),
          rows: TOTAL_MAX + 1 - counted,
        }),
      );
      if (read === null) return { reached: after, isEnough: true };
      budget.noteRows(read.examined);
      counted += read.count;
      return { reached: read.reached, isEnough: counted > TOTAL_MAX };
    },
  });
  return { count: Math.min(counted, TOTAL_MAX), more: counted > TOTAL_MAX || stopped !== null };
}

/** How many match, up to `slice.rows`, and the last row that was looked at. */
async function countSlice({ query }: Pick<Database, 'query'>, slice: SearchSlice) {
  const { page, boundary, examined } = searchSlice(slice);
  const text = `select count(*)::int4 as count from (${page.text}) found`;
  const [row] = await query<{ count: number }>({ text }, page.values);
  return { count: row?.count ?? 0, reached: await readBoundary(query, boundary), examined };
}
