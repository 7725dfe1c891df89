/**
 * Rows and tallies of parties around given transactions: the source of every rebuilt profile.
 * Every committed row counts, scored or not. One indexed statement serves many points (past-queries.ts).
 */
import type { Query } from '../../../kit/database/pool.ts';
import { FIRST_ID } from '../../../kit/words/cursor.ts';
import { DAY_MS, dayOf, hourOf } from '../../../kit/words/range.ts';
import { subtractDecimals } from '../../domain/currency.ts';
import type { AccountPast, MerchantPast, MerchantTally, SharedPast } from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { comparePositions } from '../../domain/transaction.ts';
import { loadTallies } from '../tallies/merchant-tallies.ts';
import { type FraudsAround, NONE_AROUND } from './known-frauds.ts';
import {
  ACCOUNTS,
  ACCOUNTS_BUT_ONE,
  FEW_ROWS,
  loadOldest,
  merchantPast,
  type PastQuery,
  ROWS_MAX,
  SHARED,
} from './past-queries.ts';
import { type Around, type FewRows, loadArounds, loadFew } from './rows-around.ts';

/** Points of one statement, so that the few rows of each fit into a result. A round trip costs as much as a dozen points. */
const POINTS_MAX = Math.floor(ROWS_MAX / FEW_ROWS);
/**
 * Up to this many points, the statement that reads the rows also returns whether a party has frauds; with more
 * points, frauds are read before.
 */
const FEW_POINTS = 16;
/** Most time from the first point of a statement to another. More: it locks more months; less: old and new points take more statements. */
const APART_MS = 92 * DAY_MS;

/** A point with what is around it. */
type Surrounded = Around & { readonly point: Transaction; readonly frauds: FraudsAround };

/**
 * A past for each transaction, in the order of the transactions: its account's rows around it. At most ROWS_MAX rows at a time.
 * @param numbers declared ones, which the rows have
 * @param except a stored transaction that is left out
 */
export async function* loadAccountPasts(
  query: Query,
  transactions: readonly Transaction[],
  numbers: readonly string[] = [],
  except?: Transaction,
): AsyncGenerator<AccountPast> {
  const pastQuery = { ...(except === undefined ? ACCOUNTS : ACCOUNTS_BUT_ONE), numbers };
  for await (const page of loadPages(query, pastQuery, transactions, except)) {
    for (const { point, rows, floor, ceiling, frauds } of page) {
      const start = { createdAtMs: ACCOUNTS.sinceMs(point), transactionId: FIRST_ID };
      // All known frauds are read, however many there are: frauds of the rows are included, and an account uses no other frauds.
      yield { rows, floor: floor ?? start, ceiling, frauds: frauds.known };
    }
  }
}

/**
 * A past for each transaction, in the order of the transactions: the rows of its device or its network around it.
 * @param except a stored transaction that is left out
 */
export async function* loadSharedPasts(
  query: Query,
  kind: keyof typeof SHARED,
  transactions: readonly Transaction[],
  except?: Transaction,
): AsyncGenerator<SharedPast> {
  const pastQuery = SHARED[kind];
  for await (const page of loadPages(query, pastQuery, transactions, except)) {
    const cut = page.flatMap(({ point, floor }) => (floor === null ? [] : point));
    const oldest = (await loadOldest(query, pastQuery, cut, except)).values();
    for (const { point, rows, floor, ceiling, frauds } of page) {
      const sinceMs = pastQuery.sinceMs(point);
      const start = { createdAtMs: sinceMs, transactionId: FIRST_ID };
      const none = { sinceMs, times: [], toMs: Infinity };
      yield {
        ...{ rows, floor: floor ?? start, ceiling: frauds.isCut ? point : ceiling },
        frauds: frauds.known,
        oldest: floor === null ? none : (oldest.next().value ?? none),
      };
    }
  }
}

/**
 * A past for each transaction, in the order of the transactions: its merchant's rows around it and the tallies of the rows
 * before. At most ROWS_MAX rows at a time.
 * @param except a stored transaction that is left out
 */
export async function* loadMerchantPasts(
  query: Query,
  transactions: readonly Transaction[],
  maturityDays: number,
  except?: Transaction,
): AsyncGenerator<MerchantPast> {
  const pastQuery = merchantPast(maturityDays);
  for await (const page of loadPages(query, pastQuery, transactions, except)) {
    const tallies = await loadTallies(
      query,
      page.map(({ point, floor }) => ({
        merchantId: point.merchantId,
        sinceMs: pastQuery.sinceMs(point),
        horizon: floor,
      })),
      maturityDays,
    );
    for (const [index, { point, rows, floor: horizon, ceiling, frauds }] of page.entries()) {
      const window = { horizon, knownFromMs: pastQuery.sinceMs(point) };
      const end = frauds.isCut ? point : ceiling;
      const all = tallies[index] ?? [];
      const ours =
        except?.merchantId === point.merchantId ? takeFromTallies(all, window, except) : all;
      yield { rows, tallies: ours, ...window, ceiling: end, frauds: frauds.known };
    }
  }
}

/** All points in their order. */
async function* loadPages(
  query: Query,
  pastQuery: PastQuery,
  points: readonly Transaction[],
  except: Transaction | undefined,
): AsyncGenerator<Surrounded[]> {
  for (let [begin, end] = [0, 0]; begin < points.length; begin = end) {
    const firstMs = points[begin]?.createdAtMs ?? 0;
    while (Math.abs((points[end]?.createdAtMs ?? Infinity) - firstMs) <= APART_MS) end++;
    yield* loadNear(query, pastQuery, points.slice(begin, end), except);
  }
}

/** Frauds are read before the rows or together with them, so that each is among them. */
async function* loadNear(
  query: Query,
  pastQuery: PastQuery,
  points: readonly Transaction[],
  except: Transaction | undefined,
): AsyncGenerator<Surrounded[]> {
  const exceptId = except?.transactionId;
  const fraudPoints = points.map((point) => ({
    party: pastQuery.partyOf(point) ?? '',
    atMs: point.createdAtMs,
    sinceMs: pastQuery.sinceMs(point),
    exceptId,
  }));
  const loadFrauds = () => pastQuery.loadFrauds(query, fraudPoints);
  let frauds = points.length > FEW_POINTS ? await loadFrauds() : undefined;
  let few: FewRows = new Map();
  for (let done = 0; done < points.length; ) {
    const pageAt = done - (done % POINTS_MAX);
    const asked = points.slice(done, pageAt + POINTS_MAX);
    if (frauds !== undefined && done === pageAt) few = await loadFew(query, pastQuery, asked);
    const others = asked.filter((point) => !few.has(point));
    const read = await loadArounds(query, pastQuery, others, frauds === undefined);
    if (read === null) {
      frauds = await loadFrauds();
      continue;
    }
    const first = done;
    const arounds = inOrder(asked, few, read);
    done += arounds.length;
    yield arounds.map((around, index) => ({
      ...around,
      ...(except && { rows: around.rows.filter((row) => row.transactionId !== exceptId) }),
      point: asked[index] as Transaction,
      frauds: frauds?.[first + index] ?? NONE_AROUND,
    }));
  }
}

/** The first points, up to one that was not read yet. */
function inOrder(asked: readonly Transaction[], few: FewRows, read: readonly Around[]): Around[] {
  const others = read.values();
  const arounds: Around[] = [];
  for (const point of asked) {
    const around = few.get(point) ?? others.next().value;
    if (around === undefined) break;
    arounds.push(around);
  }
  return arounds;
}

/**
 * Takes one transaction out of the tallies that count it. Tallies count what lies at or before the horizon and from `knownFromMs`
 * on; all else is in none of them.
 */
function takeFromTallies(
  tallies: readonly MerchantTally[],
  { horizon, knownFromMs }: Pick<MerchantPast, 'horizon' | 'knownFromMs'>,
  transaction: Transaction,
): readonly MerchantTally[] {
  const { createdAtMs, currency, amount } = transaction;
  if (horizon === null || comparePositions(transaction, horizon) > 0) return tallies;
  if (createdAtMs < knownFromMs) return tallies;
  return tallies.flatMap((tally) => {
    const bucketMs = tally.daily ? dayOf(createdAtMs) : hourOf(createdAtMs);
    if (tally.bucketMs !== bucketMs || tally.currency !== currency) return tally;
    if (tally.count === 1) return [];
    return { ...tally, count: tally.count - 1, sum: subtractDecimals(tally.sum, amount) };
  });
}
