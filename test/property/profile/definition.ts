/**
 * The definition of a history, in SQL over the rows known at a moment: written from the words of
 * test/support/oracle/histories.ts, not from the fold. `received_at` has the order of arrival, of labels as
 * well.
 */
import type { Query } from '../../../src/kit/database/pool.ts';
import type {
  AccountHistory,
  MerchantHistory,
  SharedHistory,
} from '../../support/oracle/histories.ts';

/** Currencies of the tests: decimal places and reporting limit in minor units (null: none). */
const CURRENCIES = `(values ('USD', 100, 1000000::numeric), ('JPY', 1, 1000000), ('KWD', 1000, null))
  as currencies (code, unit, near_limit)`;

/** A fold whose history is asked for: the transaction, and the arrival up to which rows were known. */
export type Asked = { readonly transactionId: string; readonly knownUntilMs: number };

const asked = `
  from unnest($1::uuid[], $2::float8[]) with ordinality as a (id, known_until, n)
  join market.transactions t on t.transaction_id = a.id
  join ${CURRENCIES} on code = t.currency`;

/** Labels of a party's siblings at the time of `t`: whether they were fraud, and of an unusual amount. */
const known = (party: string) => `
  known as (
    select distinct on (l.transaction_id) l.transaction_id, l.label = 'fraud' as fraud,
           l.amount_to_median > 3 as unusual
      from market.labels l
     where l.${party} = t.${party} and l.labelled_at <= t.created_at
       and l.received_at <= to_timestamp(known_until / 1000)
     order by l.transaction_id, l.labelled_at desc, l.label, l.source)`;

/** Frauds / (matured rows + 1), of the rows that match. */
const rate = (rows: string) =>
  `count(*) filter (where fraud and ${rows})::float8 / (count(*) filter (where ${rows}) + 1)`;
const agedRate = (days: number) => rate(`age >= '168 hours' and age < '${(7 + days) * 24} hours'`);

const accountDefinition = `
  select h.* ${asked}
  cross join lateral (select g.*, (select count(*) from unnest(recent) m where m > 3 * g.median) as "large14d",
      (select case when count(*) >= 5 then (array_agg(d order by d))[count(*) / 2 + 1] end
         from unnest(distances[1:40]) d) as "distanceMedian" from (
    with ${known('account_id')}
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
      avg((extract(hour from s.created_at at time zone 'UTC') < 6)::int) as "nightShare",
      coalesce(sum(case mod(extract(hour from s.created_at at time zone 'UTC')
                              - extract(hour from t.created_at at time zone 'UTC') + 24, 24)
                   when 0 then 0.5 when 1 then 0.25 when 23 then 0.25 else 0 end), 0) as "aroundHour",
      count(*) filter (where same and age < '24 hours')::int as "amounts24h",
      count(*) filter (where same and age < '168 hours')::int as "amounts7d",
      avg(minor) filter (where same) as "meanSeen",
      max(minor) filter (where same and age < '168 hours') as "max7d",
      max(minor) filter (where same and age < '336 hours') as "max14d",
      array_agg(minor) filter (where same and age < '336 hours') as recent,
      array_agg(case when abs((s.metadata ->> 'distance')::float8) > 3.5e38 then 'Infinity'::float4 * sign((s.metadata ->> 'distance')::float8)
                     when abs((s.metadata ->> 'distance')::float8) > 1e-30 then (s.metadata ->> 'distance')::float8::float4 else 0 end order by s.created_at desc, s.transaction_id desc)
        filter (where jsonb_typeof(s.metadata -> 'distance') = 'number') as distances,
      ${agedRate(7)} as "fraudRate7d", ${agedRate(30)} as "fraudRate30d", ${agedRate(90)} as "fraudRate90d",
      count(*) filter (where fraud and age < '168 hours' and age > '0 hours') as "youngFrauds"
    from (
      select o.*, t.created_at - o.created_at as age, o.currency = t.currency as same, o.amount * unit as minor,
             coalesce(k.fraud, false) as fraud
        from market.transactions o left join known k on k.transaction_id = o.transaction_id
       where o.account_id = t.account_id and o.received_at <= to_timestamp(known_until / 1000)
         and (o.created_at, o.transaction_id) < (t.created_at, t.transaction_id)
         and o.created_at > t.created_at - interval '4320 hours'
       order by o.created_at desc, o.transaction_id desc limit 256) s
  ) g) h order by a.n`;

/** The matured siblings since this many UTC days before that of t - 7 days. */
const since = (days: number) =>
  `is_mature and created_at >= date_trunc('day', mature_at, 'UTC') - interval '${days * 24} hours'`;
const matured24h = `is_mature and created_at >= date_trunc('hour', mature_at, 'UTC') - interval '24 hours'`;

const merchantDefinition = `
  select h.* ${asked}
  cross join lateral (
    with ${known('merchant_id')}, s as (
      select o.account_id, o.created_at, o.currency = t.currency as same, o.amount * unit as minor,
             row_number() over (order by o.created_at desc, o.transaction_id desc) as key,
             extract(epoch from date_trunc('hour', t.created_at at time zone 'UTC')
               - date_trunc('hour', o.created_at at time zone 'UTC')) / 3600 as hours,
             (t.created_at at time zone 'UTC')::date - (o.created_at at time zone 'UTC')::date as days,
             t.created_at - interval '168 hours' as mature_at,
             o.created_at < date_trunc('hour', t.created_at - interval '168 hours', 'UTC') as is_mature,
             date_trunc('day', o.created_at, 'UTC') as day,
             coalesce(k.fraud, false) as fraud, coalesce(k.unusual, false) as unusual
        from market.transactions o left join known k on k.transaction_id = o.transaction_id
       where o.merchant_id = t.merchant_id and o.received_at <= to_timestamp(known_until / 1000)
         and (o.created_at, o.transaction_id) < (t.created_at, t.transaction_id)
    ), seen as (select * from s where days <= 7 + 89),
    first as (select min(created_at) as at, min(day) as day from seen where fraud and ${since(27)}),
    by_day as (
      select day, 2 * count(*) filter (where fraud) >= count(*) as is_bad
        from seen where ${since(34)} and not (fraud and unusual) group by day),
    newest as (select max(day) as day from by_day where is_bad)
    select count(*) filter (where hours = 0)::int as "count1h",
      count(*) filter (where hours <= 23)::int as "count24h",
      count(*) filter (where days <= 6)::int as "count7d",
      count(*) filter (where days <= 29)::int as "count30d",
      count(*) filter (where same and days <= 29)::int as "amounts30d",
      avg(minor) filter (where same and days <= 29) as "mean30d",
      count(distinct account_id) filter (where hours = 0 and key <= 256)::int as "distinctAccounts1h",
      extract(epoch from t.created_at - max(created_at)) * 1000 as "gapMs",
      count(*) filter (where ${matured24h})::int as "matured24h",
      count(*) filter (where ${since(6)})::int as "matured7d",
      count(*) filter (where ${since(29)})::int as "matured30d",
      ${rate(matured24h)} as "fraudRate24h", ${rate(since(6))} as "fraudRate7d",
      ${rate(since(29))} as "fraudRate30d", ${rate(since(89))} as "fraudRate90d",
      ${rate(`not (fraud and unusual) and ${since(6)}`)} as "ordinaryRate7d",
      count(*) filter (where fraud and not is_mature and created_at < t.created_at) as "youngFrauds",
      (select extract(epoch from t.created_at - min(day)) * 1000 from by_day
        where is_bad and day > coalesce((select max(b.day) from by_day b, newest
                                          where not b.is_bad and b.day < newest.day), '-infinity')) as "runMs",
      (select extract(epoch from t.created_at - at) * 1000 from first) as "firstFraudMs",
      (select avg(m.fraud::int) from seen m, first where m.is_mature and m.created_at >= first.day) as "firstFraudShare"
    from seen
  ) h order by a.n`;

/** @param hours the window in which accounts are counted */
const sharedDefinition = (party: string, hours: number) => `
  select h.* ${asked}
  left join lateral (
    with ${known(party)}, s as (
      select o.account_id, o.created_at, o.transaction_id, t.created_at - o.created_at as age, coalesce(k.fraud, false) as fraud
        from market.transactions o left join known k on k.transaction_id = o.transaction_id
       where o.${party} = t.${party} and o.received_at <= to_timestamp(known_until / 1000)
         and (o.created_at, o.transaction_id) < (t.created_at, t.transaction_id)
         and o.created_at > t.created_at - interval '4320 hours'),
    newest as (select account_id from s where age < '${hours} hours' order by created_at desc, transaction_id desc limit 1024)
    select least(64, (select count(distinct account_id) from (select account_id from newest union all select t.account_id) n)) as accounts,
           coalesce(extract(epoch from max(age)) * 1000, 0) as "ageMs",
           count(*) filter (where fraud and age > '0 hours') as frauds
      from s having t.${party} is not null
  ) h on true order by a.n`;

const SHARED = {
  device: sharedDefinition('device_id', 720),
  address: sharedDefinition('ip_party', 24),
} as const;

export async function defineShared(
  query: Query,
  kind: keyof typeof SHARED,
  folds: readonly Asked[],
): Promise<SharedHistory[]> {
  return await define<SharedHistory>(query, SHARED[kind], folds);
}

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
  const rows = await query<Record<string, unknown>>({ text }, [ids, known]);
  return rows.map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).flatMap(([name, value]) =>
          ['recent', 'distances'].includes(name)
            ? []
            : [[name, value === null ? Number.NaN : Number(value)]],
        ),
      ) as History,
  );
}
