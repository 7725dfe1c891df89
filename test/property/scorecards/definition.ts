/** The definition of what a table of the day has counted, in SQL over transactions, labels and rates: written from docs, not from nights. */
import { metadataName } from '../../../src/core/domain/metadata.ts';
import { TAIL_BUCKETS } from '../../../src/core/score/scorecard/day-evidence.ts';
import type { DayTable } from '../../../src/core/score/scorecard/day-table.ts';
import type { Lifts } from '../../../src/core/score/scorecard/lifts.ts';
import type { Query } from '../../../src/kit/database/pool.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { dayTable } from '../../support/day-tables.ts';
import { SLOTS } from '../../support/market-table.ts';

/** A member of metadata, if it has the declared type. */
const member = (name: string, type: string, more = '') =>
  `case when jsonb_typeof(t.metadata -> '${name}') = '${type}' ${more} then t.metadata ->> '${name}' end`;

/** $1: 00:00 of the day; $2: days after which a payment is matured. */
const payments = `
  payments as materialized (
    select t.account_id, t.type, t.channel, extract(hour from t.created_at at time zone 'UTC')::int as hour,
           normalize(${member('segment', 'string', `and octet_length(normalize(t.metadata ->> 'segment', NFC)) <= 64`)}, NFC) as segment,
           ${member('known', 'boolean')} as known, (${member('distance', 'number')})::float8 as distance,
           t.amount * case t.currency when 'USD' then 1 else (
             select e.usd from market.exchange_rates e where e.currency = t.currency
                and e.day < (t.created_at at time zone 'UTC')::date order by e.day desc limit 1) end as worth,
           t.created_at <= $1::timestamptz - $2::int * interval '24 hours' as is_matured,
           coalesce((select l.label from market.labels l where l.transaction_id = t.transaction_id and l.labelled_at <= $1
                      order by l.labelled_at desc, l.label limit 1) = 'fraud', false) as is_fraud
      from market.transactions t join market.scores s on s.transaction_id = t.transaction_id
     where t.created_at >= $1::timestamptz - interval '2160 hours' and t.created_at < $1)`;

const lifts = `
  with ${payments},
  of_market as (select count(*) as n, count(*) filter (where is_fraud) as f from payments where is_matured),
  counted as (
    select field, value, count(*) as payments, count(distinct account_id) as accounts,
           count(*) filter (where is_matured) as n, count(*) filter (where is_matured and is_fraud) as f
      from payments cross join lateral (values ('type', type), ('channel', channel), ('metadata.segment', segment), ('metadata.known', known),
        ('cell', floor(10 * log(worth)) || ' ' || coalesce(segment, ''))) v (field, value)
     where value is not null group by field, value),
  ranked as (
    select *, row_number() over (partition by field, payments >= 30 and accounts >= 10 order by payments desc, value collate "C") as rank
      from counted),
  named as (
    select field, case when payments >= 30 and accounts >= 10 and rank <= 256 then value end as value, n, f from ranked
     union all select field, null, 0, 0 from unnest(array['type', 'channel', 'metadata.segment', 'metadata.known', 'cell']) field)
  select field, value,
         case when m.f = 0 then 'NaN' else ln((sum(k.f) + 30 * b) / (sum(k.n) + 30) / b) end::float8 as lift
    from named k cross join of_market m cross join lateral (select (m.f + 0.5) / (m.n + 100) as b) base
   group by field, value, m.f, b order by field, value`;

const hours = `
  with ${payments}
  select ((count(p.hour) + 1)::float8 / (sum(count(p.hour)) over () + 24))::float8 as share
    from generate_series(0, 23) h left join payments p on p.hour = h group by h order by h`;

const tails = `
  with ${payments}
  select least(floor(50 * log(1 + greatest(distance, 0))), ${TAIL_BUCKETS - 1})::int as bucket, count(*)::int as numbers
    from payments where distance is not null group by 1`;

type LiftRow = { readonly field: string; readonly value: string | null; readonly lift: number };

/** Counts of the table of a day. @param day since 1970 */
export async function defineTable(
  query: Query,
  day: number,
  maturityDays: number,
): Promise<DayTable> {
  const values = [new Date(day * DAY_MS), maturityDays + 1];
  const byField = Map.groupBy(await query<LiftRow>({ text: lifts }, values), ({ field }) => field);
  const liftsOf = (field: string): Lifts => {
    const rows = byField.get(field) ?? [];
    return {
      byValue: new Map(
        rows.flatMap(({ value, lift }) => (value === null ? [] : [[value, lift] as const])),
      ),
      others: rows.find(({ value }) => value === null)?.lift ?? Number.NaN,
    };
  };
  const shares = await query<{ share: number }>({ text: hours }, values);
  const above = new Uint32Array(TAIL_BUCKETS);
  const counted = await query<{ bucket: number; numbers: number }>({ text: tails }, values);
  for (const { bucket, numbers } of counted) {
    for (let at = 0; at <= bucket; at++) above[at] = (above[at] ?? 0) + numbers;
  }
  const rates = await query<{ currency: string; usd: number }>(
    {
      text: `select distinct on (currency) currency, usd::float8 as usd from market.exchange_rates
              where day < ($1::timestamptz at time zone 'UTC')::date order by currency, day desc`,
    },
    values.slice(0, 1),
  );
  return dayTable({
    ...{ day, group: metadataName('segment'), slots: SLOTS, cells: liftsOf('cell') },
    hours: Float64Array.from(shares, ({ share }) => share),
    lifts: new Map(
      ['type', 'channel', metadataName('segment'), metadataName('known')].map((field) => [
        field,
        liftsOf(field),
      ]),
    ),
    tails: new Map([[metadataName('distance'), { above, numbers: above[0] ?? 0 }]]),
    amounts: {
      percentiles: new Map(),
      rates: new Map([['USD', 1], ...rates.map(({ currency, usd }) => [currency, usd] as const)]),
    },
  });
}
