/**
 * The statements that read the rows of parties around given points, and how the kinds of party differ. Bounds on created_at let
 * the planner skip the other months.
 */
import { textArray, timestampArray, unsized } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { epochMs } from '../../../kit/database/statement.ts';
import { DAY_MS, dayOf } from '../../../kit/words/range.ts';
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  FRAUDS_SEEN_MAX,
  merchantReachDays,
  type OldestRows,
  type PastTransaction,
  SHARED_ENTRIES,
  SHARED_HISTORY_DAYS,
  SHARED_LATE_DAYS,
  SHARED_OLDEST,
  SHARED_OLDEST_BEFORE,
} from '../../domain/history.ts';
import { partyOfAddress } from '../../domain/personal.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { ofMonths } from '../within-months.ts';
import { createLoadFrauds, type LoadFrauds, type PartyColumn } from './known-frauds.ts';

/**
 * Days of lateness up to which an account's rebuild is complete: each transaction that is later needs a rebuild of its own. More:
 * each month costs every rebuild an index probe.
 */
const ACCOUNT_LATE_DAYS = 30;
const ACCOUNT_REACH_DAYS = ACCOUNT_HISTORY_DAYS + ACCOUNT_LATE_DAYS;
/** A history may use the rows before a point; rows from the point on spare rebuilds while a backlog is worked off. */
const ACCOUNT_ROWS_BEFORE = ACCOUNT_HISTORY_ENTRIES;
const ACCOUNT_ROWS_AFTER = 64;
/** The two bounds add up to the most that a list keeps when it is cut (merchant-profile.ts). */
const MERCHANT_ROWS_BEFORE = 512;
const MERCHANT_ROWS_AFTER = 512;
/**
 * Most rows of one statement's result; the rest is requested again. Two merchants can have this many: with
 * 4,000 they outlive a young generation, 6 MiB of heap more for the same processor time, and with 1,100 the
 * client takes 15 % more.
 */
export const ROWS_MAX = 2 * (MERCHANT_ROWS_BEFORE + MERCHANT_ROWS_AFTER + 2);

/** A row around a point, and whatever else a statement reads beside it. */
export type PastRow = PastTransaction & { readonly point: number };

/** Columns of a PastTransaction in a row of `alias`. */
export const pastColumns = (alias: string) => `
  ${alias}.transaction_id as "transactionId", ${epochMs(`${alias}.created_at`)} as "createdAtMs",
  ${alias}.account_id as "accountId", ${alias}.merchant_id as "merchantId", ${alias}.amount, ${alias}.currency,
  ${alias}.corridor, ${alias}.device_id as "deviceId", ${alias}.country`;
/** A column: numbers of the metadata by their names, which are a parameter; NaN for a value of another type. */
export const numbersColumn = (alias: string, names: string) => `
  case when ${names}::text[] is not null then array(
    select coalesce(case jsonb_typeof(${alias}.metadata -> n) when 'number' then (${alias}.metadata ->> n)::float8 end, 'NaN')
      from unnest(${names}::text[]) n) end as numbers`;
const storedOf = (party: PartyColumn) => `
  t.created_at, t.transaction_id, t.account_id, t.merchant_id, t.amount, t.currency, t.corridor, t.device_id, t.country
  ${party === 'account_id' ? `, ${numbersColumn('t', '$6')}` : ''}`;

/** Whether a transaction `t` is of the party `p`. The first expression is that of the index, the second leaves out rows of 1.0.0. */
export const isOf = (party: PartyColumn, of = 'p.party') =>
  party === 'ip_party'
    ? `coalesce(t.ip_party, t.ip) = ${of} and t.ip_party is not null`
    : `t.${party} = ${of}`;

/**
 * The inner order is the index's own, so that the reading stops after the wanted rows however many a
 * party has; ties of created_at are read to the end and cut in the order of ids. `0 * p.point` hides the
 * number from the planner: it guesses few rows a party, would read and sort them all, and does not when
 * it must expect to stop early. Points are put in order first, so that a result which is cut off holds
 * all rows of every point but its last. A point has one row at least; where frauds are to be looked for ($5) and a
 * party has any, it has no more.
 */
const around = (party: PartyColumn, before: number, after: number) =>
  ofMonths(
    `past-around-${party}-${before}`,
    (within) => `
  select p.point::int, p.has_frauds as "hasFrauds", ${pastColumns('r')} ${party === 'account_id' ? ', r.numbers' : ''}
    from (select u.*, $5::boolean and exists (
                   select from market.labels l
                    where l.${party} = u.party and l.label = 'fraud' and l.created_at >= u.since and ${within('l')}) as has_frauds
            from unnest(${unsized('$1::text[]')}, $2::timestamptz[], $3::uuid[], $4::timestamptz[])
                 with ordinality as u (party, at, id, since, point) order by point) p
    left join lateral (
     (select older.* from (
        select ${storedOf(party)} from market.transactions t
         where not p.has_frauds and ${isOf(party)} and t.created_at >= p.since and t.created_at <= p.at and ${within('t')}
           and (t.created_at, t.transaction_id) < (p.at, p.id)
         order by t.created_at desc fetch first (${before} + 0 * p.point) rows with ties) older
      order by older.created_at desc, older.transaction_id desc limit ${before})
     union all
     (select newer.* from (
        select ${storedOf(party)} from market.transactions t
         where not p.has_frauds and ${isOf(party)} and t.created_at >= p.at and ${within('t')}
           and (t.created_at, t.transaction_id) >= (p.at, p.id)
         order by t.created_at fetch first (${after} + 0 * p.point) rows with ties) newer
      order by newer.created_at, newer.transaction_id limit ${after})
   ) r on true
   order by p.point limit ${ROWS_MAX + 1}`,
  );

/** The rows of parties with fewer are read at once. More: of parties with many rows so many are read in vain. */
export const FEW_ROWS = 16;

/** So many rows of each party at most, in any order: a third of the time of `around` where a party has none. */
const few = (party: PartyColumn) =>
  ofMonths(
    `few-of-${party}`,
    (within) => `
  select p.point::int, ${pastColumns('r')} ${party === 'account_id' ? ', r.numbers' : ''}
    from unnest(${unsized('$1::text[]')}, $2::timestamptz[]) with ordinality as p (party, since, point)
   cross join lateral (
     select ${storedOf(party).replaceAll('$6', '$3')} from market.transactions t
      where ${isOf(party)} and t.created_at >= p.since and ${within('t')} limit (${FEW_ROWS} + 0 * p.point)) r`,
  );

/** The differences between kinds of party. */
export type PastQuery = {
  readonly party: PartyColumn;
  readonly statement: ReturnType<typeof around>;
  readonly few: ReturnType<typeof few>;
  readonly before: number;
  readonly after: number;
  readonly loadFrauds: LoadFrauds;
  readonly sinceMs: (point: Transaction) => number;
  readonly partyOf: (point: Transaction) => string | null;
  /** Names of declared numbers that the rows have; absent where the statement reads none. */
  readonly numbers?: readonly string[];
};

/** The parameter of a statement that reads numbers: null without any. */
export const namesOf = ({ numbers }: Pick<PastQuery, 'numbers'>) =>
  numbers === undefined ? [] : [numbers.length === 0 ? null : textArray(numbers)];

/** A row more than needed shows whether there are more rows, and where the needed rows begin. */
export const ACCOUNTS: PastQuery = {
  party: 'account_id',
  statement: around('account_id', ACCOUNT_ROWS_BEFORE + 1, ACCOUNT_ROWS_AFTER + 1),
  few: few('account_id'),
  before: ACCOUNT_ROWS_BEFORE,
  after: ACCOUNT_ROWS_AFTER,
  // At most what a history uses, and no more behind a point than there are rows.
  loadFrauds: createLoadFrauds('account_id', ACCOUNT_ROWS_BEFORE, ACCOUNT_ROWS_AFTER + 1),
  sinceMs: (point) => point.createdAtMs - ACCOUNT_REACH_DAYS * DAY_MS,
  partyOf: (point) => point.accountId,
};

/** The same for readers that leave out one of the rows. */
export const ACCOUNTS_BUT_ONE: PastQuery = {
  ...ACCOUNTS,
  statement: around('account_id', ACCOUNT_ROWS_BEFORE + 2, ACCOUNT_ROWS_AFTER + 1),
  before: ACCOUNT_ROWS_BEFORE + 1,
  loadFrauds: createLoadFrauds('account_id', ACCOUNT_ROWS_BEFORE + 1, ACCOUNT_ROWS_AFTER + 1),
};

const aroundMerchants = around('merchant_id', MERCHANT_ROWS_BEFORE + 1, MERCHANT_ROWS_AFTER + 1);
const fewOfMerchants = few('merchant_id');
const loadFraudsOfMerchants = createLoadFrauds(
  'merchant_id',
  FRAUDS_SEEN_MAX + 1,
  MERCHANT_ROWS_AFTER + 1,
);

/** A row more than counts, as readers may leave out one of the rows. */
const SHARED_ROWS_BEFORE = SHARED_ENTRIES + 1;
export const SHARED_ROWS_AFTER = 64;
const SHARED_REACH_MS = (SHARED_HISTORY_DAYS + SHARED_LATE_DAYS) * DAY_MS;

const shared = <C extends PartyColumn>(party: C, partyOf: PastQuery['partyOf']) => ({
  party,
  partyOf,
  statement: around(party, SHARED_ROWS_BEFORE + 1, SHARED_ROWS_AFTER + 1),
  few: few(party),
  before: SHARED_ROWS_BEFORE,
  after: SHARED_ROWS_AFTER,
  loadFrauds: createLoadFrauds(party, FRAUDS_SEEN_MAX + 1, SHARED_ROWS_AFTER + 1),
  sinceMs: (point: Transaction) => point.createdAtMs - SHARED_REACH_MS,
});

/** Devices, and networks of addresses. */
export const SHARED = {
  device: shared('device_id', (point) => point.deviceId),
  address: shared('ip_party', (point) => partyOfAddress(point.ip)),
} as const;

/** Times of parties' rows around the oldest that counts. */
const oldestRows = (party: PartyColumn) =>
  ofMonths(
    `oldest-${party}`,
    (within) => `
    select p.point::int, ${epochMs('r.created_at')} as "createdAtMs"
      from unnest(${unsized('$1::text[]')}, $2::timestamptz[], $3::timestamptz[]) with ordinality as p (party, since, counting, point)
     cross join lateral (
      (select t.created_at from market.transactions t
        where ${isOf(party)} and t.created_at >= p.since and t.created_at < p.counting and ${within('t')}
          and t.transaction_id is distinct from $4::uuid
        order by t.created_at desc limit (${SHARED_OLDEST_BEFORE} + 0 * p.point))
      union all
      (select t.created_at from market.transactions t
        where ${isOf(party)} and t.created_at >= p.counting and ${within('t')} and t.transaction_id is distinct from $4::uuid
        order by t.created_at limit (${SHARED_OLDEST - SHARED_OLDEST_BEFORE} + 0 * p.point))
     ) r
     order by p.point, r.created_at`,
  );
const OLDEST = { device_id: oldestRows('device_id'), ip_party: oldestRows('ip_party') };

/** The oldest rows of each point's party that its features look at, and some that are too old. */
export async function loadOldest(
  query: Query,
  { party, partyOf, sinceMs }: (typeof SHARED)[keyof typeof SHARED],
  points: readonly Transaction[],
  except: Transaction | undefined,
): Promise<OldestRows[]> {
  if (points.length === 0) return [];
  const [since, times] = [points.map(sinceMs), points.map((point) => point.createdAtMs)];
  const counting = times.map((ms) => ms - SHARED_HISTORY_DAYS * DAY_MS + 1);
  const statement = OLDEST[party]({ fromMs: Math.min(...since), toMs: Math.max(...times) });
  const found = await query<{ point: number; createdAtMs: number }>(statement, [
    textArray(points.map(partyOf)),
    timestampArray(since),
    timestampArray(counting),
    except?.transactionId ?? null,
  ]);
  const byPoint = Map.groupBy(found, (row) => row.point);
  return points.map((_, at) => {
    const read = (byPoint.get(at + 1) ?? []).map((row) => row.createdAtMs);
    const before = read.filter((ms) => ms < (counting[at] as number)).length;
    const isWhole = read.length - before < SHARED_OLDEST - SHARED_OLDEST_BEFORE;
    return {
      sinceMs: (before < SHARED_OLDEST_BEFORE ? since[at] : read[0]) as number,
      times: read,
      toMs: isWhole ? Infinity : (read.at(-1) as number),
    };
  });
}

/** The part of a merchant's query that does not depend on the maturity of labels. */
export const MERCHANTS = {
  party: 'merchant_id',
  partyOf: (point: Transaction) => point.merchantId,
} as const;

export function merchantPast(maturityDays: number): PastQuery {
  const reachMs = merchantReachDays(maturityDays) * DAY_MS;
  return {
    ...MERCHANTS,
    statement: aroundMerchants,
    few: fewOfMerchants,
    before: MERCHANT_ROWS_BEFORE,
    after: MERCHANT_ROWS_AFTER,
    loadFrauds: loadFraudsOfMerchants,
    sinceMs: (point) => dayOf(point.createdAtMs) - reachMs,
  };
}
