/**
 * Rows and tallies of accounts and merchants around given transactions: the source of every rebuilt profile.
 * Every committed row counts, scored or not. One indexed statement serves many points; bounds on created_at let
 * the planner skip the other months.
 */
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  type AccountPast,
  comparePositions,
  FRAUDS_SEEN_MAX,
  type MerchantPast,
  merchantReachDays,
  type PastTransaction,
  type Position,
} from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { DAY_MS, dayOf } from '../../domain/utc-bucket.ts';
import { textArray, timestampArray, unsized, uuidArray } from '../database/binary-array.ts';
import type { Query, Statement } from '../database/pool.ts';
import { loadTallies } from '../tallies/merchant-tallies.ts';
import {
  createLoadFrauds,
  type FraudsAround,
  type LoadFrauds,
  NONE_AROUND,
  type PartyColumn,
} from './known-frauds.ts';

/**
 * A rebuild reaches this much further back than a history, so that older arrivals still fit, as each one that
 * does not needs a rebuild of its own. Months without rows of the account cost an index probe each.
 */
const ACCOUNT_REACH_DAYS = 2 * ACCOUNT_HISTORY_DAYS;
/** One history may use the rows before a point; rows from it on spare rebuilds while a backlog is worked off. */
const ACCOUNT_ROWS_BEFORE = ACCOUNT_HISTORY_ENTRIES;
const ACCOUNT_ROWS_AFTER = 64;
/** Their sum is what a list keeps when it is cut (MERCHANT_KEPT_ENTRIES). */
const MERCHANT_ROWS_BEFORE = 512;
const MERCHANT_ROWS_AFTER = 512;
/** Points of one statement: a round trip costs as much as a dozen of them. */
const POINTS_MAX = 512;
/**
 * Up to this many points, the statement that reads the rows also returns whether a party has frauds; with more
 * points, frauds are read before.
 */
const FEW_POINTS = 16;
/**
 * Most rows of one statement's result; the rest is requested again. Two merchants can have this many: with
 * 4,000 they outlive a young generation, 6 MiB of heap more for the same processor time, and with 1,100 the
 * client takes 15 % more.
 */
const ROWS_MAX = 2 * (MERCHANT_ROWS_BEFORE + MERCHANT_ROWS_AFTER + 2);

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Columns of a row of `alias`: all that a past needs except the party's own id, which the point has. */
const columnsOf = (alias: string, other: PartyColumn) =>
  ['transaction_id', other, 'amount', 'currency', 'corridor', 'device_id', 'country']
    .map((column) => `${alias}.${column}`)
    .join(', ');

/**
 * The inner order is the index's own, so that the reading stops after the wanted rows however many a
 * party has; ties of created_at are read to the end and cut in the order of ids. `0 * p.point` hides the
 * number from the planner: it guesses few rows a party, would read and sort them all, and does not when
 * it must expect to stop early. Points are put in order first, so that a result which is cut off holds
 * all rows of every point but its last. A point has one row at least; where frauds are to be looked for ($5) and a
 * party has any, it has no more.
 */
const around = (party: PartyColumn, other: PartyColumn, before: number, after: number) => `
  select p.point::int, p.has_frauds, date_part('epoch', r.created_at) * 1000 as created_at_ms, ${columnsOf('r', other)}
    from (select u.*, $5::boolean and exists (
                   select from market.labels l
                    where l.${party} = u.party and l.label = 'fraud' and l.created_at >= u.since) as has_frauds
            from unnest(${unsized('$1::text[]')}, $2::timestamptz[], $3::uuid[], $4::timestamptz[])
                 with ordinality as u (party, at, id, since, point) order by point) p
    left join lateral (
     (select older.* from (
        select t.created_at, ${columnsOf('t', other)} from market.transactions t
         where not p.has_frauds and t.${party} = p.party and t.created_at >= p.since and t.created_at <= p.at
           and (t.created_at, t.transaction_id) < (p.at, p.id)
         order by t.created_at desc fetch first (${before} + 0 * p.point) rows with ties) older
      order by older.created_at desc, older.transaction_id desc limit ${before})
     union all
     (select newer.* from (
        select t.created_at, ${columnsOf('t', other)} from market.transactions t
         where not p.has_frauds and t.${party} = p.party and t.created_at >= p.at
           and (t.created_at, t.transaction_id) >= (p.at, p.id)
         order by t.created_at fetch first (${after} + 0 * p.point) rows with ties) newer
      order by newer.created_at, newer.transaction_id limit ${after})
   ) r on true
   order by p.point limit ${ROWS_MAX + 1}`;

/** The differences between accounts and merchants. */
type Side = {
  readonly statement: Statement;
  readonly before: number;
  readonly after: number;
  readonly loadFrauds: LoadFrauds;
  readonly sinceMs: (point: Transaction) => number;
  readonly partyOf: (point: Transaction) => string;
  /** @param other the account or merchant on the other side */
  readonly idsOf: (point: Transaction, other: string) => { accountId: string; merchantId: string };
};

/** One row more than needed shows whether there are more, and where the needed ones begin. */
const ACCOUNTS: Side = {
  statement: {
    name: 'past-around-accounts',
    text: around('account_id', 'merchant_id', ACCOUNT_ROWS_BEFORE + 1, ACCOUNT_ROWS_AFTER + 1),
  },
  before: ACCOUNT_ROWS_BEFORE,
  after: ACCOUNT_ROWS_AFTER,
  // At most what a history uses, and no more behind a point than there are rows.
  loadFrauds: createLoadFrauds('account_id', ACCOUNT_ROWS_BEFORE, ACCOUNT_ROWS_AFTER + 1),
  sinceMs: (point) => point.createdAtMs - ACCOUNT_REACH_DAYS * DAY_MS,
  partyOf: (point) => point.accountId,
  idsOf: ({ accountId }, merchantId) => ({ accountId, merchantId }),
};

const aroundMerchants: Statement = {
  name: 'past-around-merchants',
  text: around('merchant_id', 'account_id', MERCHANT_ROWS_BEFORE + 1, MERCHANT_ROWS_AFTER + 1),
};
const loadFraudsOfMerchants = createLoadFrauds(
  'merchant_id',
  FRAUDS_SEEN_MAX + 1,
  MERCHANT_ROWS_AFTER + 1,
);

function merchantSide(maturityDays: number): Side {
  const reachMs = merchantReachDays(maturityDays) * DAY_MS;
  return {
    statement: aroundMerchants,
    before: MERCHANT_ROWS_BEFORE,
    after: MERCHANT_ROWS_AFTER,
    loadFrauds: loadFraudsOfMerchants,
    sinceMs: (point) => dayOf(point.createdAtMs) - reachMs,
    partyOf: (point) => point.merchantId,
    idsOf: ({ merchantId }, accountId) => ({ accountId, merchantId }),
  };
}

/** Rows around one point, in rising order, and where they end if there are more. */
type Around = {
  readonly rows: PastTransaction[];
  /** The newest row before the point that is not in `rows`. */
  readonly floor: Position | null;
  /** The newest of `rows`, if there are more after it. */
  readonly ceiling: Position | null;
};

/** A point with what is around it. */
type Surrounded = Around & { readonly point: Transaction; readonly frauds: FraudsAround };

/** One past a transaction, in their order: its account's rows around it. At most ROWS_MAX rows at a time. */
export async function* loadAccountPasts(
  query: Query,
  transactions: readonly Transaction[],
): AsyncGenerator<AccountPast> {
  for await (const page of loadPages(query, ACCOUNTS, transactions)) {
    for (const { point, rows, floor, ceiling, frauds } of page) {
      const start = { createdAtMs: ACCOUNTS.sinceMs(point), transactionId: FIRST_ID };
      // However many there are: those of the rows are included, and an account uses no others.
      yield { rows, floor: floor ?? start, ceiling, frauds: frauds.known };
    }
  }
}

/**
 * One past a transaction, in their order: its merchant's rows around it and the tallies of those before. At most
 * ROWS_MAX rows at a time.
 */
export async function* loadMerchantPasts(
  query: Query,
  transactions: readonly Transaction[],
  maturityDays: number,
): AsyncGenerator<MerchantPast> {
  const side = merchantSide(maturityDays);
  for await (const page of loadPages(query, side, transactions)) {
    const tallies = await loadTallies(
      query,
      page.map(({ point, floor }) => ({
        merchantId: point.merchantId,
        sinceMs: side.sinceMs(point),
        horizon: floor,
      })),
      maturityDays,
    );
    for (const [index, { point, rows, floor: horizon, ceiling, frauds }] of page.entries()) {
      const window = { horizon, knownFromMs: side.sinceMs(point) };
      const end = frauds.isCut ? point : ceiling;
      yield { rows, tallies: tallies[index] ?? [], ...window, ceiling: end, frauds: frauds.known };
    }
  }
}

/** All points in their order. Frauds are read before the rows or together with them, so that each is among them. */
async function* loadPages(
  query: Query,
  side: Side,
  points: readonly Transaction[],
): AsyncGenerator<Surrounded[]> {
  const fraudPoints = points.map((point) => ({
    party: side.partyOf(point),
    atMs: point.createdAtMs,
    sinceMs: side.sinceMs(point),
  }));
  const loadFrauds = () => side.loadFrauds(query, fraudPoints);
  let frauds = points.length > FEW_POINTS ? await loadFrauds() : undefined;
  for (let done = 0; done < points.length; ) {
    const asked = points.slice(done, done + POINTS_MAX);
    const arounds = await loadArounds(query, side, asked, frauds === undefined);
    if (arounds === null) {
      frauds = await loadFrauds();
      continue;
    }
    const first = done;
    done += arounds.length;
    yield arounds.map((around, index) => ({
      ...around,
      point: asked[index] as Transaction,
      frauds: frauds?.[first + index] ?? NONE_AROUND,
    }));
  }
}

/**
 * Rows around the first points, as many as one result holds: one point at least. Null where frauds were checked
 * for and there are some.
 */
async function loadArounds(
  query: Query,
  side: Side,
  points: readonly Transaction[],
  looksForFrauds: boolean,
): Promise<Around[] | null> {
  const pasts = points.map((): Unordered => ({ older: [], newer: [] }));
  let rows = 0;
  let last = 0;
  let hasFrauds = false;
  const values = [
    textArray(points.map(side.partyOf)),
    timestampArray(points.map((point) => point.createdAtMs)),
    uuidArray(points.map((point) => point.transactionId)),
    timestampArray(points.map(side.sinceMs)),
    looksForFrauds,
  ];
  // Rows are used as they arrive: 2.6 µs a row, where the driver's objects cost 3.6 and more memory.
  const onRow: Statement['onRow'] = (texts) => {
    rows++;
    last = Number(texts[POINT]);
    hasFrauds ||= texts[HAS_FRAUDS] === 't';
    const point = points[last - 1];
    if (point === undefined || texts[CREATED_AT] === null) return;
    const past = toPast(texts as readonly string[], side, point);
    const { older, newer } = pasts[last - 1] as Unordered;
    (comparePositions(past, point) < 0 ? older : newer).push(past);
  };
  await query({ ...side.statement, onRow }, values);
  if (hasFrauds) return null;
  const complete = rows > ROWS_MAX ? last - 1 : points.length;
  if (complete < 1) throw new Error('one point has more rows than it was asked for');
  return pasts.slice(0, complete).map((past) => arrange(side, past));
}

/** Postgres returns each side separately, in no order. */
type Unordered = { readonly older: PastTransaction[]; readonly newer: PastTransaction[] };

function arrange(side: Side, { older, newer }: Unordered): Around {
  older.sort(comparePositions);
  newer.sort(comparePositions);
  const floor = older.length > side.before ? (older.shift() ?? null) : null;
  const isCut = newer.length > side.after;
  if (isCut) newer.pop();
  return { rows: [...older, ...newer], floor, ceiling: isCut ? (newer.at(-1) ?? null) : null };
}

/** Indexes of the columns. All from CREATED_AT on are null where a point has no rows. */
const [POINT, HAS_FRAUDS, CREATED_AT] = [0, 1, 2];

function toPast(texts: readonly string[], side: Side, point: Transaction): PastTransaction {
  const [, , createdAtMs, transactionId, other, amount, currency, corridor, deviceId, country] =
    texts;
  const { accountId, merchantId } = side.idsOf(point, other as string);
  return {
    transactionId: transactionId as string,
    createdAtMs: Math.round(Number(createdAtMs)),
    accountId,
    merchantId,
    amount: amount as string,
    currency: currency as string,
    corridor: corridor as string,
    deviceId: deviceId as string | null,
    country: country as string | null,
  };
}
