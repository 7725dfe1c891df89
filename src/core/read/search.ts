/**
 * `GET /v1/transactions?…` and `GET /v1/scores?…`: one search. It finds ids along its legs, a bounded number of rows a request,
 * and then reads what it lists by their ids.
 */
import { type Databases, RECENT_MS, readFrom } from '../../kit/database/replica/choose-database.ts';
import { InvalidFields } from '../../kit/words/field-error.ts';
import { TRANSACTION_LIMITS } from '../domain/transaction.ts';
import { createdAtMsOf } from '../domain/transaction-id.ts';
import { findHeldKeys } from '../store/idempotency-keys/idempotency-keys.ts';
import { listWalkedMonths, type MonthRange } from '../store/partitions/month-slice.ts';
import { type FoundTransaction, loadFound } from '../store/search/found-rows.ts';
import { needsScore, type SearchFilter } from '../store/search/search-filter.ts';
import { type Place, RISKY_SCORE_MIN } from '../store/search/search-slice.ts';
import { countMatches } from './count-matches.ts';
import { leaveOutDays } from './leave-out-days.ts';
import { type Leg, type LegResult, legsOf, runLeg } from './legs.ts';
import { detachedWithin } from './page.ts';
import { requireModel } from './require-known.ts';
import {
  digestQuestion,
  encodeSearchCursor,
  isScoreValue,
  type SearchPosition,
} from './search-cursor.ts';
import { type Found, toFoundScore, toFoundTransaction, toSearchPage } from './search-json.ts';
import type {
  ScoreSearchParameters,
  SearchQuestion,
  TransactionSearchParameters,
} from './search-parameters.ts';
import { createSliceReader } from './slice-reader.ts';
import { toFilter } from './to-filter.ts';
import { type Budget, createBudget } from './walk.ts';

/** @param newBudget of a page, and of a total; for tests */
export async function searchTransactions(
  databases: Databases,
  asked: TransactionSearchParameters,
  newBudget?: () => Budget,
) {
  return toSearchPage(await find(databases, 'transactions', asked, newBudget), toFoundTransaction);
}

export async function searchScores(
  databases: Databases,
  asked: ScoreSearchParameters,
  newBudget?: () => Budget,
) {
  return toSearchPage(await find(databases, 'scores', asked, newBudget), toFoundScore);
}

/** @param list scores: only what is scored */
export async function find(
  databases: Databases,
  list: 'transactions' | 'scores',
  asked: TransactionSearchParameters,
  newBudget: () => Budget = createBudget,
): Promise<Found> {
  const { limit, sort, order, cursor, total, ...rest } = asked;
  const digest = digestQuestion({ list, sort, order, ...rest });
  const isDescending = order === 'desc';
  await requireModel(databases, asked.model);
  const filter = await filterOf(databases, asked, list === 'scores');
  const legs = filter === undefined ? [] : legsOf(filter, sort, isDescending);
  const begin = cursor?.position ?? { leg: 0, after: null, stretch: null };
  if (cursor !== undefined && !(cursor.digest === digest && isOfLegs(begin, legs))) {
    const detail = 'must be the next_cursor of this list with the same parameters';
    throw new InvalidFields([{ pointer: '/cursor', detail }]);
  }
  const { months, detached } = await listWalkedMonths(databases.primary, list);
  const ranges = rangesOf(months, asked, filter, { isDescending, nowMs: databases.now() });
  const found = await runLegs(
    { databases, budget: newBudget() },
    { legs, begin, ranges, isDescending, limit },
  );
  const rows = filter === undefined ? [] : await loadListed(databases, filter, found.listed);
  const counted =
    total && filter ? await countMatches(databases, newBudget(), filter, ranges) : undefined;
  const { next, complete, searched } = found;
  return {
    ...{ rows, complete, searched },
    nextCursor: next === null ? null : encodeSearchCursor({ digest, position: next }),
    detachedMonths: detachedWithin(detached, asked),
    total: total ? (counted ?? { count: 0, more: false }) : undefined,
  };
}

/** A cursor of ours cannot name a leg that its question lacks; one that somebody made might. */
function isOfLegs({ leg, after, stretch }: SearchPosition, legs: readonly Leg[]): boolean {
  const one = legs[leg];
  if (one === undefined) return legs.length === 0;
  if (one.kind === 'stretch') {
    return (
      stretch === null ||
      (one.by === 'score' ? isScoreValue(stretch.listed.value) : stretch.listed.value !== null)
    );
  }
  return stretch === null && (one.kind === 'time' || after === null || isScoreValue(after.value));
}

/** Undefined where nothing can match: nobody has the idempotency key. */
export async function filterOf(
  { primary }: Databases,
  asked: SearchQuestion,
  isScored: boolean,
): Promise<SearchFilter | undefined> {
  const { client, idempotency_key: key } = asked;
  const filter = toFilter(asked, isScored);
  if (key === undefined || client === undefined) return filter;
  const [held] = await findHeldKeys(primary.query, client, [key]);
  // The client that holds a key has sent its transaction, also before transactions named their client.
  return held && { ...filter, transactionId: held.transactionId, client: undefined };
}

/** How much earlier than its receipt, by Postgres' clock, a transaction may be created, by its sender's: see createdAtAheadMsMax. */
const CLOCKS_APART_MS = 60 * 60 * 1000;
const AHEAD_MS = TRANSACTION_LIMITS.createdAtAheadMsMax + CLOCKS_APART_MS;

/** Months within what is asked, in the order of the search. Nothing is scored before it is received, nor created much later than now. */
export function rangesOf(
  months: readonly MonthRange[],
  { from = -Infinity, to = Infinity }: Pick<SearchQuestion, 'from' | 'to'>,
  filter: SearchFilter | undefined,
  { isDescending, nowMs }: { readonly isDescending: boolean; readonly nowMs: number },
): readonly MonthRange[] {
  const { receivedToMs = Infinity, scoredToMs = Infinity, transactionId } = filter ?? {};
  const atMs = createdAtMsOf(transactionId ?? '');
  const fromMs = Math.max(from, atMs ?? -Infinity);
  const knownMs = Math.min(receivedToMs, scoredToMs, nowMs) + AHEAD_MS;
  const toMs = Math.min(to, knownMs, atMs === undefined ? Infinity : atMs + 1);
  const within = months.flatMap((month) => {
    const range = { fromMs: Math.max(month.fromMs, fromMs), toMs: Math.min(month.toMs, toMs) };
    return range.fromMs < range.toMs ? [range] : [];
  });
  return isDescending ? within : within.reverse();
}

type Within = { readonly databases: Databases; readonly budget: Budget };

type Legs = {
  readonly legs: readonly Leg[];
  readonly begin: SearchPosition;
  readonly ranges: readonly MonthRange[];
  readonly isDescending: boolean;
  readonly limit: number;
};

type Listed = {
  readonly listed: readonly Place[];
  readonly next: SearchPosition | null;
  readonly complete: boolean;
  readonly searched: Found['searched'];
};

async function runLegs(
  { databases, budget }: Within,
  { legs, begin, ranges, isDescending, limit }: Legs,
) {
  const read = createSliceReader(databases);
  const listed: Place[] = [];
  for (const [at, leg] of legs.entries()) {
    if (at < begin.leg) continue;
    if (listed.length > 0 && budget.isSpent()) {
      const next = { leg: at, after: null, stretch: null };
      return { listed, next, complete: false, searched: betweenLegs(isDescending) };
    }
    const rows = limit - listed.length;
    const result = await runLeg({
      ...{ leg, isDescending, ranges, rows, budget, read },
      position: at === begin.leg ? begin : undefined,
      narrow: (left) => leaveOutDays(databases, leg.filter, left, isDescending),
    });
    const ours = result.places.slice(0, rows);
    listed.push(...ours);
    const next = result.next(ours);
    if (next !== null) return toListed(listed, { ...next, leg: at }, result, leg, limit);
    if (listed.length === limit && at + 1 < legs.length) {
      const nextLeg = { leg: at + 1, after: null, stretch: null };
      return { listed, next: nextLeg, complete: true, searched: betweenLegs(isDescending) };
    }
  }
  return { listed, next: null, complete: true, searched: { searched_to: null } };
}

/** Where risky scores and those below meet. */
const betweenLegs = (isDescending: boolean) => ({
  searched_to: null,
  searched_to_score: isDescending ? RISKY_SCORE_MIN : RISKY_SCORE_MIN - 1,
});

function toListed(
  listed: readonly Place[],
  next: SearchPosition,
  { stopped }: LegResult,
  { kind }: Leg,
  limit: number,
): Listed {
  const isFull = listed.length === limit;
  // A full page is what it should be, unless an index did not order it and something was left out.
  const complete = kind === 'stretch' ? stopped === null : isFull;
  const last = isFull && kind !== 'stretch' ? listed.at(-1) : undefined;
  const at = last ?? stopped;
  if (kind === 'scores' && next.after !== null) {
    return {
      ...{ listed, next, complete },
      searched: { searched_to: null, searched_to_score: Number(next.after.value) },
    };
  }
  const searched_to = at === null ? null : new Date(at.atMs).toISOString();
  return { listed, next, complete, searched: { searched_to } };
}

/**
 * What was listed, in order. Recent rows come from the primary, and so do rows of which a replica lacks what the primary found
 * them by: an old transaction may have got its score, or label, a moment ago.
 */
async function loadListed(
  databases: Databases,
  filter: SearchFilter,
  listed: readonly Place[],
): Promise<FoundTransaction[]> {
  const { label } = filter;
  const isScored = needsScore(filter);
  const isLabelled = label !== undefined && label !== 'none';
  const isWhole = (row: FoundTransaction) =>
    !(isScored && row.score === null) && !(isLabelled && row.label !== label);
  const recentMs = databases.now() - RECENT_MS;
  const isRecent = ({ atMs }: Place) => atMs + 1 > recentMs;
  const { true: recent = [], false: older = [] } = Object.groupBy(listed, (one) =>
    isRecent(one) ? 'true' : 'false',
  );
  const load = async (places: readonly Place[], newestMs: number) =>
    await readFrom(
      databases,
      newestMs,
      (database) => loadFound(database, places),
      (rows) => rows.size === places.length && [...rows.values()].every(isWhole),
    );
  const found = new Map([
    ...(recent.length > 0 ? await load(recent, Infinity) : []),
    ...(older.length > 0 ? await load(older, recentMs) : []),
  ]);
  return listed.flatMap(({ id }) => found.get(id) ?? []);
}
