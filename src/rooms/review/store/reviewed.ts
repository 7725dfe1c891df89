/** Transactions that need a case: rows of an outbox that the commits of scores and labels add. */
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import type { ScoredStatement } from '../../../core/store/scores/score-values.ts';
import { timeValues } from '../../../core/store/within-months.ts';
import { textArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { timeText } from '../../../kit/database/statement.ts';
import { IDS, type Ids, openOutbox } from '../../../kit/outbox/outbox.ts';
import { mix } from '../../../kit/random.ts';
import type { LocatedTransaction } from '../case.ts';
import { COPIED_NAMES } from './cases.ts';

/** The last 32 bits of an id, which are random. */
const RANDOM_AT = 28;
const HASHES = 2 ** 32;

/** Share of the transactions that are drawn, of those whose verdict asks for no review; 0 until the policy was read. */
type SpotChecks = { readonly ratio: number };

export const addReviewed = (spotChecks: SpotChecks): ScoredStatement => ({
  name: 'add-reviewed',
  insert: ({ value }) => `insert into market.outbox_review (source, transaction_ids)
      select 'score', ${value}::uuid[] where ${value}::uuid[] is not null`,
  toValue: (scores) => {
    const { ratio } = spotChecks;
    const reviewed = scores.flatMap(({ transaction, tallied: { verdict } }) => {
      // The id is made only where it is needed.
      if (verdict !== 'review' && ratio === 0) return [];
      const { transactionId } = transaction;
      return verdict === 'review' || isSpotCheck(transactionId, ratio) ? transactionId : [];
    });
    return reviewed.length === 0 ? null : uuidArray(reviewed);
  },
});

/**
 * Draws transactions that are checked although nothing speaks against them: by their ids alone, so every worker draws alike.
 * Takes 0.1 µs, where murmur3 of the whole text takes 1.4: every transaction that is not reviewed is hashed.
 * @param ratio share of the transactions that are drawn, from 0 to 1
 */
export function isSpotCheck(transactionId: string, ratio: number): boolean {
  return ratio > 0 && mix(Number.parseInt(transactionId.slice(RANDOM_AT), 16)) < ratio * HASHES;
}

const disputesStatement: Statement = {
  name: 'add-disputes',
  text: `with policy as (select policy from market.review_policies order by version desc limit 1)
         insert into market.outbox_review (source, transaction_ids)
         select 'dispute', array_agg(distinct transaction_id)
           from unnest($1::uuid[], $2::text[]) as frauds (transaction_id, source)
          where (select policy -> 'dispute_sources' from policy) ? source
         having count(*) > 0`,
};

type LabelledFraud = { readonly transactionId: string; readonly source: string };

/** Adds transactions that a label of a dispute source calls fraud. */
export async function addDisputes(query: Query, frauds: readonly LabelledFraud[]): Promise<void> {
  if (frauds.length === 0) return;
  await query(disputesStatement, [
    uuidArray(frauds.map(({ transactionId }) => transactionId)),
    textArray(frauds.map(({ source }) => source)),
  ]);
}

export type Reviewed = Ids & { readonly source: 'score' | 'dispute' };

/** 1,000 cases cost Postgres 37 ms. */
export const reviewed = openOutbox<Reviewed>({
  ...{ name: 'review', columns: `${IDS}, source`, rowsMax: 500, weightMax: 1000 },
});

// The rates of both currencies are of one day; the dollar's rate is 1 and not stored. The search for a day begins at the newest
// day with a rate of the market's currency, so it ends at once where there is no such day.
const locateStatement: Statement = {
  name: 'locate-reviewed',
  text: `select ${COPIED_NAMES.map((name) => `t.${name}`).join(', ')}, ${timeText('t.created_at')} as created_at,
                t.amount::text as amount, s.score, s.verdict, coalesce(s.reasons, '{}') as reasons, r.day::text as rate_day,
                case when t.currency = $5 then t.amount else round(t.amount * r.usd / r.market_usd, 2) end::text as market_amount,
                ${timeText('now()')} as now
           from unnest($1::uuid[], $2::timestamptz[]) as u (transaction_id, created_at)
          cross join lateral (
            select t.* from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at
               and t.created_at between $3 and $4 limit 1) t
           left join lateral (
            select s.score, s.verdict, array(select reason ->> 'code' from jsonb_array_elements(s.reasons) reason) as reasons
              from market.scores s
             where s.transaction_id = u.transaction_id and s.created_at = u.created_at
               and s.created_at between $3 and $4 limit 1) s on true
           left join lateral (
            select r.day, case when t.currency = 'USD' then 1 else r.usd end as usd, coalesce(m.usd, 1) as market_usd
              from market.exchange_rates r
              left join market.exchange_rates m on m.currency = $5 and m.day = r.day
             where t.currency <> $5 and r.currency = case when t.currency = 'USD' then $5 else t.currency end
               and r.day <= case when $5 = 'USD' then (u.created_at at time zone 'UTC')::date else (
                     select max(day) from market.exchange_rates
                      where currency = $5 and day <= (u.created_at at time zone 'UTC')::date) end
               and ($5 = 'USD' or m.day is not null)
             order by r.day desc limit 1) r on true`,
};

/**
 * Finds transactions; a transaction of a month that is detached or dropped is left out.
 * @param currency of the market, in which amounts compare
 */
export async function locateReviewed(
  query: Query,
  ids: readonly string[],
  currency: string,
): Promise<LocatedTransaction[]> {
  const known = ids.flatMap((id) => {
    const createdAtMs = createdAtMsOf(id);
    return createdAtMs === undefined ? [] : { id, createdAtMs };
  });
  if (known.length === 0) return [];
  return await query<LocatedTransaction>(locateStatement, [
    uuidArray(known.map(({ id }) => id)),
    ...timeValues(known.map(({ createdAtMs }) => createdAtMs)),
    currency,
  ]);
}
