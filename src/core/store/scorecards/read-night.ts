/** Reads for a night, beside payments: counts of earlier nights, tallies, rates and settings. */
import { textArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { uuidsIn } from '../../../kit/words/cursor.ts';
import { monthOf } from '../../../kit/words/month.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { type FieldSlot, metadataName } from '../../domain/metadata.ts';
import { DEFAULT_TERMS, type PolicyTerms } from '../../domain/policy.ts';
import { VERDICTS } from '../../domain/score-record.ts';
import { CROWD_MIN, type Rates, type Reading } from '../../score/scorecard/day-counts.ts';
import { inMap } from '../../score/scorecard/day-evidence.ts';
import { LABEL_DAYS, TYPE_GROUP } from '../../score/scorecard/day-table.ts';
import { ID_BYTES, leastHashes } from '../../score/scorecard/kept-rows.ts';
import { readSlots, type StoredFields, toFields } from '../metadata-fields/metadata-fields.ts';
import { isoTime } from '../partitions/month-slice.ts';
import { isDetached, listMonthTables } from '../partitions/partitions.ts';
import { isOf } from '../profiles/past-queries.ts';

const day = (parameter: string) => `date '1970-01-01' + ${parameter}::int4`;

type ScoredDay = { readonly day: number; readonly payments: number };

/** @param where of `t.day` */
const scoredDays = (where: string) =>
  `select t.day - date '1970-01-01' as day, sum(t.count)::float8 as payments
     from (select day, count, outcome from market.daily_tallies union all
           select day, count, outcome from market.daily_increments) t
    where t.outcome in ('${VERDICTS.join("', '")}') and ${where}
    group by 1 having sum(t.count) > 0 order by 1`;

/** Days of months that are attached; tallies outlive a month that is detached or dropped. */
async function onlyAttached(query: Query, days: readonly ScoredDay[]): Promise<ScoredDay[]> {
  const months = await listMonthTables(query);
  const attached = new Set(
    [...months].flatMap(([month, tables]) => (isDetached(tables) ? [] : [month])),
  );
  return days.filter((of) => attached.has(monthOf(of.day * DAY_MS)));
}

const scoredBetween = rowsOf<ScoredDay, [from: number, to: number]>(
  'count-scored-by-day',
  scoredDays(`t.day >= ${day('$1')} and t.day < ${day('$2')}`),
);

/** Scored payments of each day that has any, exact in each snapshot. A month that is detached or dropped has none. */
export async function countScored(query: Query, from: number, to: number): Promise<ScoredDay[]> {
  return await onlyAttached(query, await scoredBetween(query, from, to));
}

const playedBefore = rowsOf<ScoredDay, [before: number, learntDays: number]>(
  'list-played-days',
  scoredDays(`t.day < ${day('$1')} and exists (
       select from market.scorecards s
        where t.day >= s.day - $2::int4 and t.day < s.day and s.built_at > now() - interval '1 day'
          and s.built_at >= (s.day + 1)::timestamp at time zone 'UTC')`),
);

/**
 * Scored payments of each day that tables of a past which is being replayed still need. Such a table was built within 24 hours, and after
 * its own day was over.
 */
export async function listPlayed(query: Query, before: number, learntDays: number) {
  return await onlyAttached(query, await playedBefore(query, before, learntDays));
}

type CountedDay = {
  readonly day: number;
  readonly payments: number;
  readonly reading: string;
  /** Ids of the sample. */
  readonly sampled: number;
};

export const listCounted = rowsOf<CountedDay, [from: number, to: number]>(
  'list-counted-days',
  `select day - date '1970-01-01' as day, payments::float8 as payments, reading, octet_length(sample) / ${ID_BYTES} as sampled
     from market.scorecard_days where day >= ${day('$1')} and day < ${day('$2')} order by day`,
);

export const readCounts = onlyOf<{ counts: Buffer }, [day: number]>(
  'read-day-counts',
  `select counts from market.scorecard_days where day = ${day('$1')}`,
);

export const readSample = onlyOf<{ sample: Buffer }, [day: number]>(
  'read-day-sample',
  `select sample from market.scorecard_days where day = ${day('$1')}`,
);

/** Ids of the counted days' payments with the least hashes, in the order of the hashes. */
export async function readLeast(query: Query, from: number, to: number, count: number) {
  const least = leastHashes(count);
  for (const { day } of await listCounted(query, from, to)) {
    least.addAll((await readSample(query, day)).sample);
  }
  return uuidsIn(least.end());
}

/** Declared fields that are not personal. */
const FIELDS = `(select coalesce(json_object_agg(name, type order by name), '{}') from market.metadata_fields m
  where not exists (select from market.personal_fields p
                     where starts_with(p.field || '.', 'metadata.' || m.name || '.')))`;

const readFields = onlyOf<{ fields: StoredFields }>(
  'read-fields-of-night',
  `select ${FIELDS} as fields`,
);

export const readFieldsOfNight = async (query: Query): Promise<Reading['fields']> =>
  toFields((await readFields(query)).fields);

const readMarket = onlyOf<{
  currency: string | null;
  group: string;
  fields: StoredFields;
  readTo: string;
}>(
  'read-market-of-night',
  `select (select policy ->> 'currency' from market.review_policies order by version desc limit 1) as currency,
          coalesce((select field from market.scorecard_groups order by version desc limit 1), '${TYPE_GROUP}') as "group",
          ${FIELDS} as fields, pg_snapshot_xmin(pg_current_snapshot())::text as "readTo"`,
);

export type MarketOfNight = {
  readonly reading: Reading;
  readonly slots: readonly FieldSlot[];
  /** The first database transaction that the snapshot may lack. */
  readonly readTo: string;
};

export async function readMarketOfNight(query: Query): Promise<MarketOfNight> {
  const { currency, group, fields, readTo } = await readMarket(query);
  const slots = await readSlots(query);
  // A field that was named may be withdrawn since, and declared again with another type.
  const isText = Object.keys(fields).some(
    (name) => metadataName(name) === group && fields[name] === 'text',
  );
  const reading = { group: isText ? group : TYPE_GROUP, currency, fields: toFields(fields) };
  return { reading, slots, readTo };
}

/** The newest policy of people in force. */
export type PolicyOfNight = {
  /** Null without a policy. */
  readonly name: string | null;
  readonly terms: PolicyTerms;
  /** False where the night before had no policy: people saw the effect before they approved the policy. */
  readonly isBounded: boolean;
};

const findPolicy = firstOf<PolicyOfNight, []>(
  'find-policy-of-night',
  `select substr(scope, length('model:') + 1) as name, value -> 'policy' as terms,
          (select after ->> 'policy' from market.audit_log where action = 'scorecard.build'
            order by audit_id desc limit 1) is not null as "isBounded"
     from market.controls c
    where kind = 'scorecard' and coalesce(ends_at, 'infinity') > now() order by set_at desc, scope limit 1`,
);

export const readPolicyOfNight = async (query: Query): Promise<PolicyOfNight> =>
  (await findPolicy(query)) ?? { name: null, terms: DEFAULT_TERMS, isBounded: false };

type DayRate = { readonly day: number; readonly currency: string; readonly usd: number };

const readRates = rowsOf<DayRate, [from: number, to: number]>(
  'read-rates-of-night',
  `select currency, day - date '1970-01-01' as day, usd::float8 as usd from market.exchange_rates
    where day >= ${day('$1')} and day < ${day('$2')}
   union all
   (select distinct on (currency) currency, day - date '1970-01-01', usd::float8 from market.exchange_rates
     where day < ${day('$1')} order by currency, market.exchange_rates.day desc)`,
);

export type RatesOfDay = (day: number) => Rates;

/** Rates of each day from the first to the last: the newest before the day. */
export async function readRatesOfDays(
  query: Query,
  first: number,
  last: number,
): Promise<RatesOfDay> {
  const rows = await readRates(query, first, last);
  const rising = rows.sort((left, right) => left.day - right.day);
  const made = new Map<number, Rates>();
  return (of) =>
    inMap(made, of, () => {
      const newest = new Map([['USD', 1]]);
      for (const rate of rising) if (rate.day < of) newest.set(rate.currency, rate.usd);
      return newest;
    });
}

const CROWD_DAYS = 30;

const crowdedOf = (column: 'device_id' | 'ip_party') =>
  rowsOf<{ party: string }, [parties: Buffer, from: string, to: string]>(
    `list-crowded-of-${column}`,
    `select party from unnest($1::text[]) p (party)
      where (select count(*) from (
               select distinct account_id from market.transactions t
                where ${isOf(column)} and created_at >= $2 and created_at < $3 limit ${CROWD_MIN + 1}) accounts) > ${CROWD_MIN}`,
  );

const PARTIES = { device: crowdedOf('device_id'), address: crowdedOf('ip_party') };

/** Finds parties that had more than CROWD_MIN accounts in the 30 days before a day. */
export async function findCrowded(
  query: Query,
  kind: keyof typeof PARTIES,
  parties: ReadonlySet<string>,
  before: number,
): Promise<ReadonlySet<string>> {
  const range = [isoTime((before - CROWD_DAYS) * DAY_MS), isoTime(before * DAY_MS)] as const;
  const crowded = await PARTIES[kind](query, textArray([...parties]), ...range);
  return new Set(crowded.map(({ party }) => party));
}

const missing = rowsOf<{ id: string }, [ids: Buffer]>(
  'find-frauds-without-row',
  `select id from unnest($1::uuid[]) with ordinality u (id, nth)
    where not exists (select from market.scorecard_rows r where r.transaction_id = u.id) order by nth`,
);

/** Finds payments that have no kept row. */
export async function withoutRow(query: Query, ids: readonly string[]): Promise<string[]> {
  return (await missing(query, uuidArray(ids))).map(({ id }) => id);
}

/** Ages of the frauds that are counted: nearly all of their labels have come. */
const [LABELLED_FROM_DAYS, LABELLED_TO_DAYS] = [120, 30];

const countDelays = rowsOf<
  { bound: number; frauds: number },
  [known: string, from: string, to: string]
>(
  'count-label-days',
  `select width_bucket(extract(epoch from first - created_at)::float8 / 86400, array[${LABEL_DAYS.map((days) => `${days}::float8`).join(',')}]) as bound,
          count(*)::int4 as frauds
     from (select created_at, min(labelled_at) as first from market.labels
            where label = 'fraud' and created_at >= $2 and created_at < $3 and labelled_at <= $1
            group by transaction_id, created_at) f
    group by 1`,
);

/** Frauds by the days until the first label: a count for each of LABEL_DAYS since the one before, and for later labels. */
export async function countLabelDays(
  query: Query,
  { knownByMs }: { readonly knownByMs: number },
): Promise<Float64Array> {
  const counts = new Float64Array(LABEL_DAYS.length + 1);
  const [from, to] = [LABELLED_FROM_DAYS, LABELLED_TO_DAYS].map((days) =>
    isoTime(knownByMs - days * DAY_MS),
  );
  const rows = await countDelays(query, isoTime(knownByMs), from as string, to as string);
  for (const { bound, frauds } of rows) counts[bound] = frauds;
  return counts;
}
