/**
 * What a history is, said in SQL over the rows known at a moment: written from the words of
 * domain/history.ts, not from the fold. `received_at` carries the order of arrival.
 */
import type { AccountHistory, MerchantHistory } from '../../../src/domain/history.ts';
import type { Query } from '../../../src/store/pool.ts';

/** Currencies of the tests: decimal places and reporting limit in minor units (null: none). */
const CURRENCIES = `(values ('USD', 100, 1000000::numeric), ('JPY', 1, 1000000), ('KWD', 1000, null))
  as currencies (code, unit, near_limit)`;

/** A fold whose history is asked for: the transaction, and the arrival up to which rows were known. */
export type Asked = { readonly transactionId: string; readonly knownUntilMs: number };

const asked = `
  from unnest($1::uuid[], $2::float8[]) with ordinality as a (id, known_until, n)
  join transactions t on t.transaction_id = a.id
  join ${CURRENCIES} on code = t.currency`;

const accountDefinition = `
  select h.* ${asked}
  cross join lateral (
    select count(*)::int as siblings,
      extract(epoch from t.created_at - min(s.created_at)) * 1000 as "spanMs",
      count(*) filter (where age < '1 hour')::int as "count1h",
      count(*) filter (where age < '24 hours')::int as "count24h",
      count(*) filter (where age < '168 hours')::int as "count7d",
      count(*) filter (where age < '720 hours')::int as "count30d",
      coalesce(sum(minor) filter (where same and age < '1 hour'), 0) as "sum1h",
      coalesce(sum(minor) filter (where same and age < '24 hours'), 0) as "sum24h",
      coalesce(sum(minor) filter (where same and age < '168 hours'), 0) as "sum7d",
      coalesce(sum(minor) filter (where same and age < '720 hours'), 0) as "sum30d",
      count(*) filter (where same and age < '720 hours')::int as "amounts30d",
      avg(minor) filter (where same and age < '720 hours') as "mean30d",
      stddev_samp(minor) filter (where same and age < '720 hours') as "deviation30d",
      max(minor) filter (where same and age < '720 hours') as "max30d",
      count(*) filter (where same)::int as amounts,
      percentile_disc(0.5) within group (order by minor) filter (where same) as median,
      percentile_disc(0.9) within group (order by minor) filter (where same) as p90,
      case when near_limit is not null then count(*) filter (where same and age < '72 hours'
        and minor >= 0.8 * near_limit and minor < near_limit)::int end as "nearLimit72h",
      count(distinct merchant_id) filter (where age < '1 hour')::int as "distinctMerchants1h",
      count(distinct merchant_id) filter (where age < '24 hours')::int as "distinctMerchants24h",
      (not bool_or(s.merchant_id = t.merchant_id))::int as "firstMerchant",
      (not bool_or(s.corridor = t.corridor))::int as "firstCorridor",
      (not bool_or(s.country = t.country))::int as "firstCountry",
      (not bool_or(s.device_id = t.device_id))::int as "firstDevice",
      extract(epoch from min(age)) * 1000 as "gapMs",
      case when (array_agg(s.country order by s.created_at desc, s.transaction_id desc)
                   filter (where s.country is not null))[1] <> t.country
           then extract(epoch from min(age) filter (where s.country is not null)) * 1000 end as "countryChangeMs",
      avg((extract(hour from s.created_at at time zone 'UTC') < 6)::int) as "nightShare"
    from (
      select o.*, t.created_at - o.created_at as age, o.currency = t.currency as same, o.amount * unit as minor
        from transactions o
       where o.account_id = t.account_id and o.received_at <= to_timestamp(known_until / 1000)
         and (o.created_at, o.transaction_id) < (t.created_at, t.transaction_id)
         and o.created_at > t.created_at - interval '4320 hours'
       order by o.created_at desc, o.transaction_id desc limit 256) s
  ) h order by a.n`;

const merchantDefinition = `
  select h.* ${asked}
  cross join lateral (
    select count(*) filter (where hours = 0)::int as "count1h",
      count(*) filter (where hours <= 23)::int as "count24h",
      count(*) filter (where days <= 6)::int as "count7d",
      count(*)::int as "count30d",
      count(*) filter (where same)::int as "amounts30d",
      avg(minor) filter (where same) as "mean30d",
      count(distinct account_id) filter (where hours = 0 and place <= 256)::int as "distinctAccounts1h"
    from (
      select o.account_id, o.currency = t.currency as same, o.amount * unit as minor,
             row_number() over (order by o.created_at desc, o.transaction_id desc) as place,
             extract(epoch from date_trunc('hour', t.created_at at time zone 'UTC')
               - date_trunc('hour', o.created_at at time zone 'UTC')) / 3600 as hours,
             (t.created_at at time zone 'UTC')::date - (o.created_at at time zone 'UTC')::date as days
        from transactions o
       where o.merchant_id = t.merchant_id and o.received_at <= to_timestamp(known_until / 1000)
         and (o.created_at, o.transaction_id) < (t.created_at, t.transaction_id)) s
    where days <= 29
  ) h order by a.n`;

export async function defineAccounts(
  query: Query,
  folds: readonly Asked[],
): Promise<AccountHistory[]> {
  return await define<AccountHistory>(query, accountDefinition, folds);
}

export async function defineMerchants(
  query: Query,
  folds: readonly Asked[],
): Promise<MerchantHistory[]> {
  return await define<MerchantHistory>(query, merchantDefinition, folds);
}

async function define<History>(
  query: Query,
  text: string,
  folds: readonly Asked[],
): Promise<History[]> {
  const ids = folds.map((fold) => fold.transactionId);
  const known = folds.map((fold) => fold.knownUntilMs);
  const rows = await query<Record<string, unknown>>({ name: '', text }, [ids, known]);
  return rows.map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          value === null ? Number.NaN : Number(value),
        ]),
      ) as History,
  );
}
