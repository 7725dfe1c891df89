/** Counts what the daily tallies count from the rows again, and fills tallies of rows that were inserted by hand. */
import { isoTime, listMonths } from '../../src/core/store/partitions/month-slice.ts';
import { IS_TOTALLED } from '../../src/core/store/tallies/day-tallies.ts';
import type { Database, Statement } from '../../src/kit/database/pool.ts';
import { inSnapshot } from '../../src/kit/database/snapshot.ts';

const KEY = 'day, corridor, currency, outcome, rule_set, model';
const KEPT = `select ${KEY}, count, amount, score_sum from market.daily_tallies
               union all select ${KEY}, count, amount, score_sum from market.daily_increments`;

/**
 * Excess of the rows over the tallies, by key.
 * @param where which of the tallies belong to them
 */
const compare = (counted: string, where: string) => `
    select ${KEY}, sum(count) as count, sum(amount) as amount, sum(score_sum) as score_sum
      from (select * from (${counted}) counted
             union all
            select ${KEY}, -count, -amount, -score_sum from (${KEPT}) kept where ${where}) both_kinds
     group by ${KEY}`;

const DIFFERS = '(count <> 0 or amount <> 0 or score_sum <> 0)';

type Comparison = { readonly recount: Statement; readonly fill: Statement };

const statements = (name: string, compared: string): Comparison => ({
  recount: {
    name: `recount-${name}`,
    text: `select count(*) filter (where ${DIFFERS})::int4 as different, count(*)::int4 as tallies from (${compared}) compared`,
  },
  fill: {
    name: `fill-${name}`,
    text: `insert into market.daily_increments (${KEY}, count, amount, score_sum)
           select ${KEY}, count, amount, score_sum from (${compared}) compared where ${DIFFERS}`,
  },
});

const WITHIN = 'created_at >= $1 and created_at < $2';

/**
 * A score whose transaction is missing counts with the currency XXX. Of labels the newest decides, and of two at one
 * time the one that says fraud.
 */
const days = statements(
  'days',
  compare(
    `select (created_at at time zone 'UTC')::date as day, corridor, currency, 'accepted' as outcome, null as rule_set,
            null as model, count(*) as count, sum(amount) as amount, 0::bigint as score_sum
       from market.transactions where ${WITHIN} group by 1, 2, 3
      union all
     select (s.created_at at time zone 'UTC')::date, s.corridor, coalesce(t.currency, 'XXX'), s.verdict, s.rule_set,
            s.model, count(*), coalesce(sum(t.amount), 0), sum(s.score)
       from (select * from market.scores where ${WITHIN}) s
       left join (select transaction_id, created_at, currency, amount from market.transactions where ${WITHIN}) t
            using (transaction_id, created_at)
      group by 1, 2, 3, 4, 5, 6
      union all
     select (created_at at time zone 'UTC')::date, corridor, 'XXX', reason ->> 'code', rule_set, null, count(*), 0, 0
       from market.scores cross join jsonb_array_elements(reasons) reason where ${WITHIN} group by 1, 2, 4, 5
      union all
     select (created_at at time zone 'UTC')::date, t.corridor, t.currency, l.label, null, null, count(*), sum(t.amount), 0
       from (select distinct on (transaction_id, created_at) transaction_id, created_at, label
               from market.labels where ${WITHIN} order by transaction_id, created_at, labelled_at desc, label) l
       join (select transaction_id, created_at, corridor, currency, amount from market.transactions where ${WITHIN}) t
            using (transaction_id, created_at)
      group by 1, 2, 3, 4`,
    `outcome not in ('dead_lettered', 'dead_letter')
       and day >= ($1 at time zone 'UTC')::date and day < ($2 at time zone 'UTC')::date`,
  ),
);

const deadLetters = statements(
  'dead-letters',
  compare(
    `select (failed_at at time zone 'UTC')::date as day, corridor, 'XXX' as currency, outcome, null as rule_set,
            null as model, count(*) as count, 0::numeric as amount, 0::bigint as score_sum
       from market.dead_letters
      cross join lateral (values ('dead_lettered', replayed_at is null and transaction_id is not null),
                                 ('dead_letter', replayed_at is null and purged_at is null)) o (outcome, is_counted)
      where is_counted group by 1, 2, 4`,
    `outcome in ('dead_lettered', 'dead_letter')`,
  ),
);

const TOTALS = `select corridor, outcome, sum(count) as count
                  from (select corridor, outcome, count from market.daily_tallies
                         union all select corridor, outcome, -count from market.total_tallies) both_kinds
                 where ${IS_TOTALLED} group by 1, 2`;

/** Compares totals with the days that were merged into them. */
const recountTotals: Statement = {
  name: 'recount-totals',
  text: `select count(*) filter (where count <> 0)::int4 as different, count(*)::int4 as tallies
           from (${TOTALS}) compared`,
};

type DayRecount = {
  /** Tallies that differ from their rows. */
  readonly different: number;
  readonly tallies: number;
};

/** Days of months without a partition of this table have no rows to compare with. */
const TALLIED = 'transactions';

/** Reads rows and tallies in one snapshot, so that rows stored meanwhile do not matter. */
export async function recountDays(database: Pick<Database, 'session'>) {
  return await inSnapshot(database, async (query) => {
    /** `days YYYY-MM`, `dead letters`, `totals`. */
    const differing: string[] = [];
    const sum = { different: 0, tallies: 0, differing };
    const add = async (of: string, recount: Statement, values: readonly string[]) => {
      for (const { different, tallies } of await query<DayRecount>(recount, values)) {
        sum.different += different;
        sum.tallies += tallies;
        if (different > 0) differing.push(of);
      }
    };
    for (const { fromMs, toMs } of await listMonths({ query }, TALLIED)) {
      const from = isoTime(fromMs);
      await add(`days ${from.slice(0, 7)}`, days.recount, [from, isoTime(toMs)]);
    }
    await add('dead letters', deadLetters.recount, []);
    await add('totals', recountTotals, []);
    return sum;
  });
}

/** Adds what the days lack. Nothing may be stored or merged meanwhile. */
export async function fillDays(database: Pick<Database, 'query'>): Promise<void> {
  for (const { fromMs, toMs } of await listMonths(database, TALLIED))
    await database.query(days.fill, [isoTime(fromMs), isoTime(toMs)]);
  await database.query(deadLetters.fill);
}
