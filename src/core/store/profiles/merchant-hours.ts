/**
 * Sums of merchants' rows by the hour, and the rows of given hours, whatever the order in which rows are stored. Every committed row
 * counts, scored or not.
 */
import { textArray, timestampArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { epochMs } from '../../../kit/database/statement.ts';
import { currencyScale } from '../../domain/currency.ts';
import { hourOf } from '../tallies/merchant-tallies.ts';
import { ofMonths, type Within } from '../within-months.ts';

/** A stored row, or with a null id what the rows of an hour and currency sum up to: `createdAtMs` is the hour. */
export type HourRow = {
  readonly merchantId: string;
  readonly transactionId: string | null;
  readonly createdAtMs: number;
  readonly accountId: string;
  readonly currency: string;
  readonly count: number;
  /** Amount in minor units. */
  readonly minor: number;
  /** Decimal amount of a stored row. */
  readonly amount: string;
  /** Whether a later reading, which begins at the mark, leaves the row out. */
  readonly isSettled: boolean;
};

/** The columns of a row that the list of an hour has. */
type ListedRow = Pick<HourRow, 'createdAtMs' | 'accountId' | 'currency' | 'amount'> & {
  readonly transactionId: string;
};

/** A row as Postgres returns it: `hours` packs all sums of a merchant, as a row for each sum would take most of the time of a reading. */
type ReadRow = Omit<HourRow, 'merchantId' | 'minor'> & {
  readonly merchantId: string | null;
  readonly xid: string;
  readonly months: number;
  readonly hours: Buffer | null;
};

/**
 * Attached months up to which rows are looked for by database transaction alone. In a month that was never analyzed a bound of time has
 * Postgres read the index of all its times as well: 32 ms a reading of 288,000 rows in place of 0.5. Without the bound a reading locks
 * every attached month with its indexes.
 */
const MONTHS_MAX = 48;

/** A merchant with no more rows is read row by row: its durable hours lack what all merchants stored since these were folded. */
const FEW_ROWS = 20_000;

const NOW = `
  select pg_snapshot_xmin(pg_current_snapshot()) as open_from, pg_snapshot_xmax(pg_current_snapshot()) as end_at, folded_to,
         (select count(*)::int4 from pg_inherits where inhparent = 'market.transactions'::regclass) as months
    from market.tally_checkpoint limit 1`;

/** `in (select …) is true` keeps the planner from looking for stored rows by merchant. */
const knownRows = (withinStored: Within) => `
  select t.merchant_id, t.transaction_id, t.created_at as at, t.account_id, t.currency, 1 as count, t.amount as sum,
         t.inserted_xid < open_from as is_settled, null::bytea as hours
    from market.transactions t
   where cardinality($2::text[]) > 0 and ${withinStored('t')} and t.inserted_xid >= $1::xid8 and t.inserted_xid < end_at
     and (t.merchant_id in (select unnest($2::text[]))) is true`;

const outOf = (rows: string) => `
  select open_from::text as xid, months, x.merchant_id as "merchantId", x.transaction_id as "transactionId",
         ${epochMs('x.at')} as "createdAtMs", x.account_id as "accountId", x.currency, x.count::float8 as count,
         x.sum::text as amount, x.is_settled as "isSettled", x.hours
    from now left join lateral (${rows}) x on true`;

/**
 * A single statement, hence one snapshot: the rows stored since the last reading, and the whole past of merchants that the reader
 * does not know, from their durable hours where these are complete and spare more than the reading of all rows that they lack. Rows
 * ahead of the server's own ids came with a dump, and are as settled as rows can be.
 */
const hoursText = (within: Within, withinStored: Within) => `
    with now as materialized (${NOW}), fresh as materialized (
      select u.id, u.since,
             m.merchant_id is not null and now.folded_to <= now.end_at
               and (select sum(h.count) > ${FEW_ROWS} from market.merchant_hours h
                     where h.merchant_id = u.id and h.hour_at >= u.since) is true as is_tallied
        from unnest($3::text[], $4::timestamptz[]) as u (id, since)
       cross join now
        left join market.tallied_merchants m on m.merchant_id = u.id and m.tallied_to = 'infinity'
    ), past as (
      select t.merchant_id, t.created_at, t.currency, t.amount, t.inserted_xid
        from market.transactions t
       where exists (select from fresh where is_tallied) and ${withinStored('t')}
         and t.inserted_xid >= (select folded_to from now) and t.inserted_xid < (select end_at from now)
         and (t.merchant_id in (select id from fresh where is_tallied and t.created_at >= since)) is true
       union all
      select t.merchant_id, t.created_at, t.currency, t.amount, t.inserted_xid
        from fresh cross join lateral (
          select * from market.transactions t where t.merchant_id = fresh.id and t.created_at >= fresh.since and ${within('t')}) t
       where not fresh.is_tallied
    ), hours as (
      select merchant_id, ${hourOf('created_at')} as at, currency, count(*) as count, sum(amount) as sum,
             (inserted_xid < open_from or inserted_xid >= end_at) as is_settled
        from past cross join now group by 1, 2, 3, 6
       union all
      select h.merchant_id, h.hour_at, h.currency, h.count, h.sum, true
        from fresh join market.merchant_hours h on h.merchant_id = fresh.id and h.hour_at >= fresh.since
       where fresh.is_tallied
    ) ${outOf(`
      select merchant_id, null::uuid as transaction_id, null::timestamptz as at, '' as account_id, '' as currency, 0 as count,
             0::numeric as sum, is_settled,
             string_agg(float8send(${epochMs('at')}) || float8send(sum::float8) || float8send(count::float8) || convert_to(currency, 'UTF8'),
                        ''::bytea order by at, currency) as hours
        from hours group by merchant_id, is_settled
       union all ${knownRows(withinStored)}`)}`;

/** @param isBounded whether rows are looked for by time as well, of which the plan then locks the months alone */
function statementsOf(isBounded: boolean) {
  const [storedBy, ending] = isBounded
    ? [(within: Within) => within, '']
    : [() => () => 'true', '-of-all-months'];
  return {
    known: ofMonths(
      `rows-of-known-merchants${ending}`,
      (within) => `with now as materialized (${NOW}) ${outOf(knownRows(storedBy(within)))}`,
    ),
    hours: ofMonths(`merchant-hours${ending}`, (within) => hoursText(within, storedBy(within))),
  };
}
const [BOUNDED, UNBOUNDED] = [statementsOf(true), statementsOf(false)];

/** How far a reading has come: database transactions before `xid` have ended. With the months that were attached. */
export type Mark = { readonly xid: string; readonly months: number };

/**
 * Rows of known merchants that were created at `fromMs` or later and stored since `mark`, and hourly sums of all rows of the other
 * merchants since their times, which begin an hour. Every database transaction before the new mark has ended, so that no row of such a
 * transaction can appear any more.
 */
export async function readHours(
  query: Query,
  fromMs: number,
  mark: Mark | undefined,
  known: readonly string[],
  others: readonly { readonly merchantId: string; readonly sinceMs: number }[],
) {
  const ofKnown = [mark?.xid ?? '0', textArray(known)];
  const ofOthers = [
    textArray(others.map(({ merchantId }) => merchantId)),
    timestampArray(others.map(({ sinceMs }) => sinceMs)),
  ];
  // Planning the whole statement takes 2.4 ms, which live transactions would wait for.
  const isKnown = others.length === 0;
  const statements = (mark?.months ?? Infinity) > MONTHS_MAX ? BOUNDED : UNBOUNDED;
  const rows = await query<ReadRow>(
    statements[isKnown ? 'known' : 'hours']({ fromMs, toMs: Date.now() }),
    isKnown ? ofKnown : [...ofKnown, ...ofOthers],
  );
  const [first] = rows;
  if (first === undefined) throw new Error('tally_checkpoint has lost its row');
  const { xid, months } = first;
  return { mark: { xid, months }, rows: rows.flatMap(toHourRows) };
}

/** Bytes of a packed sum: the hour, the sum and the count (f64 each, big-endian), and the currency. */
const [SUM_AT, COUNT_AT, CURRENCY_AT, SUM_BYTES] = [8, 16, 24, 27];

const minorOf = (sum: number, currency: string) =>
  Math.round(sum * 10 ** (currencyScale(currency) ?? 2));

function toHourRows({ merchantId, xid, months, hours, ...row }: ReadRow): HourRow[] {
  if (merchantId === null) return [];
  if (hours === null) {
    return [{ ...row, merchantId, minor: minorOf(Number(row.amount), row.currency) }];
  }
  return Array.from({ length: hours.length / SUM_BYTES }, (_, nth) => {
    const at = nth * SUM_BYTES;
    const currency = hours.toString('latin1', at + CURRENCY_AT, at + SUM_BYTES);
    return {
      ...{ merchantId, transactionId: null, accountId: '', amount: '', isSettled: row.isSettled },
      ...{
        createdAtMs: hours.readDoubleBE(at),
        count: hours.readDoubleBE(at + COUNT_AT),
        currency,
      },
      minor: minorOf(hours.readDoubleBE(at + SUM_AT), currency),
    };
  });
}

/** `offset 0` keeps the planner from joining all rows of a busy merchant with its hours: an hour at a time comes from the index. */
const rowsStatement = ofMonths(
  'rows-of-merchant-hours',
  (within) => `
    select p.nth::int, x.*
      from unnest($1::text[], $2::timestamptz[]) with ordinality as p (party, hour_at, nth)
     cross join lateral (
       select t.transaction_id as "transactionId", ${epochMs('t.created_at')} as "createdAtMs", t.account_id as "accountId", t.amount, t.currency
         from market.transactions t
        where t.merchant_id = p.party and t.created_at >= p.hour_at and t.created_at < p.hour_at + interval '1 hour'
          and ${within('t')}
       offset 0) x`,
);

/** The rows of hours, each with the number of its hour, from 1 on. */
export async function readHourRows(
  query: Query,
  hours: readonly { readonly merchantId: string; readonly hourMs: number }[],
): Promise<(ListedRow & { readonly nth: number })[]> {
  const times = hours.map(({ hourMs }) => hourMs);
  const range = { fromMs: Math.min(...times), toMs: Math.max(...times) };
  return await query(rowsStatement(range), [
    textArray(hours.map(({ merchantId }) => merchantId)),
    timestampArray(times),
  ]);
}
