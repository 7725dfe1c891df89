/**
 * Daily tallies: transactions, scores and their reasons, labels and dead letters by day. The statement that stores rows adds what it counts to
 * `daily_increments`, so both are committed or neither is. A worker merges increments into `daily_tallies` and
 * `total_tallies`, in one database transaction. A figure is the sum of both, read in one snapshot: exact whether they
 * were merged or not.
 */
import { float8Array, int4Array, textArray } from '../../../kit/database/binary-array.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import type { DayTally, Outcome } from '../../domain/day-tally.ts';
import type { LabelValue } from '../../domain/label.ts';
import { NO_MODEL, VERDICTS, type Verdict } from '../../domain/score-record.ts';

/**
 * Most increments that an answer reads. A batch of 500 scores with 750 reasons adds 48: a worker that merges every 2 s leaves
 * those of a few batches, and one that does not leaves those of minutes.
 */
export const INCREMENTS_READ_MAX = 50_000;
/** Increments of one step of merging. */
const MERGED_MAX = 20_000;

const VALUES = 9;

export type SumQuestion = {
  /** Starts of UTC days, both included. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Sums of other outcomes are not read; null: those of every reason code, which alone begin with a capital. */
  readonly outcomes: readonly string[] | null;
  /** Outcomes that make `count` and `amount`; null: all that are read. */
  readonly own: readonly string[] | null;
  readonly by: {
    readonly corridor: boolean;
    readonly outcome: boolean;
    readonly ruleSet: boolean;
    readonly model: boolean;
  };
  /** Only these; NO_MODEL is the model of scores that no model decided. */
  readonly only: {
    readonly corridor: string | undefined;
    readonly currency: string | undefined;
    readonly ruleSet: string | undefined;
    readonly model: string | undefined;
  };
};

/** A column that the question does not sum by is null. */
export type DaySum = Omit<DayTally, 'day' | 'corridor' | 'outcome'> & {
  /** Start of the UTC day, epoch milliseconds. */
  readonly dayMs: number;
  readonly corridor: string | null;
  readonly outcome: string | null;
} & { readonly [outcome in Verdict | LabelValue | 'dead_letter']: number };

/** Adds the values of `incrementValues`, which are the parameters from `$first` on. */
export function addIncrements(first: number): string {
  const [day, corridor, currency, outcome, ruleSet, model, count, amount, scoreSum] = Array.from(
    { length: VALUES },
    (_, at) => `$${first + at}`,
  );
  return `insert into market.daily_increments (day, corridor, currency, outcome, rule_set, model, count, amount, score_sum)
      select date '1970-01-01' + unnest(${day}::int4[]), unnest(${corridor}::text[]), unnest(${currency}::text[]),
             unnest(${outcome}::text[]), unnest(${ruleSet}::text[]), unnest(${model}::text[]), unnest(${count}::int4[]),
             unnest(${amount}::text[])::numeric, unnest(${scoreSum}::float8[])::bigint`;
}

export function incrementValues(tallies: readonly DayTally[]): readonly Buffer[] {
  return [
    int4Array(tallies.map(({ day }) => day)),
    textArray(tallies.map(({ corridor }) => corridor)),
    textArray(tallies.map(({ currency }) => currency)),
    textArray(tallies.map(({ outcome }) => outcome)),
    textArray(tallies.map(({ ruleSet }) => ruleSet)),
    textArray(tallies.map(({ model }) => model)),
    int4Array(tallies.map(({ count }) => count)),
    textArray(tallies.map(({ amount }) => amount)),
    float8Array(tallies.map(({ scoreSum }) => scoreSum)),
  ];
}

/** Outcomes that have a total: `/v1/status` shows them. Reasons would be most of the rows. */
export const IS_TOTALLED = `outcome in ('accepted', '${VERDICTS.join("', '")}', 'dead_lettered', 'dead_letter')`;

/** Only one process merges at a time. */
const lockMerge: Statement = {
  name: 'lock-tally-merge',
  text: 'select from market.tally_merge for update',
};

const merge: Statement = {
  name: 'merge-increments',
  text: `
    with taken as (
      delete from market.daily_increments where ctid = any (array(select ctid from market.daily_increments limit $1)) returning *
    ), by_day as (
      insert into market.daily_tallies as t
      select day, corridor, currency, outcome, rule_set, model, sum(count), sum(amount), sum(score_sum)
        from taken group by 1, 2, 3, 4, 5, 6
      on conflict (day, corridor, currency, outcome, rule_set, model) do update
         set count = t.count + excluded.count, amount = t.amount + excluded.amount,
             score_sum = t.score_sum + excluded.score_sum
    ), in_total as (
      insert into market.total_tallies as t
      select corridor, outcome, sum(count) from taken where ${IS_TOTALLED} group by 1, 2
      on conflict (corridor, outcome) do update set count = t.count + excluded.count
    ), in_version as (
      insert into market.tally_days as t
      select day, count(*) from taken group by 1
      on conflict (day) do update set increments = t.increments + excluded.increments
    )
    select count(*)::int4 as taken from taken`,
};

/** The start of this database transaction is before the snapshot of each of its statements. */
const noteEmptied: Statement = {
  name: 'note-increments-emptied',
  text: 'update market.tally_merge set emptied_at = now()',
};

/** Whether there are increments to merge. */
export const hasIncrements = onlyOf<{ found: boolean }>(
  'has-increments',
  'select exists (select from market.daily_increments) as found',
);

/** Merges a step's increments; true when more may be left. Concurrent merges wait for each other. */
export async function mergeIncrements(
  database: Pick<Database, 'transaction'>,
  incrementsMax: number = MERGED_MAX,
): Promise<boolean> {
  return await database.transaction(async (query) => {
    await query(lockMerge);
    const [{ taken } = { taken: 0 }] = await query<{ taken: number }>(merge, [incrementsMax]);
    if (taken === incrementsMax) return true;
    if (taken > 0) await query(noteEmptied);
    return false;
  });
}

const readTotalsStatement: Statement = {
  name: 'read-totals',
  text: `
    with fresh as materialized (select corridor, outcome, count from market.daily_increments limit $1::int4 + 1)
    select emptied_at as "emptiedAt", (select count(*)::int4 from fresh) as increments, t.*
      from market.tally_merge
      left join (select corridor, outcome, sum(count)::float8 as count
                   from (select * from market.total_tallies union all select * from fresh) both_kinds
                  where ${IS_TOTALLED} group by 1, 2) t on true`,
};

export type Total = {
  readonly corridor: string;
  readonly outcome: Outcome;
  readonly count: number;
};

export type Totals = {
  readonly totals: readonly Total[];
  /** Everything committed before this is counted; null: everything. */
  readonly countedTo: Date | null;
};

/** The statement always answers a row; a row without a count is no sum. */
export type Read<Sum> = { emptiedAt: Date; increments: number; version?: string | null } & (
  | Sum
  | { count: null }
);

const isSum = <Sum extends object>(row: Read<Sum>): row is Sum & Read<Sum> =>
  !('count' in row && row.count === null);

export function countedTo(rows: readonly Read<object>[], incrementsMax: number): Date | null {
  const [first] = rows;
  if (first === undefined) throw new Error('tally_merge has lost its row');
  return first.increments > incrementsMax ? first.emptiedAt : null;
}

export async function readTotals(
  database: Pick<Database, 'query'>,
  incrementsMax: number = INCREMENTS_READ_MAX,
): Promise<Totals> {
  const rows = await database.query<Read<Total>>(readTotalsStatement, [incrementsMax]);
  return { totals: rows.filter(isSum), countedTo: countedTo(rows, incrementsMax) };
}

/**
 * The version of the figures from `$first` to `$last`: how many increments these days were ever given, which no merge changes. Read in
 * the snapshot that has read `fresh`; null where `fresh` lacks increments.
 */
const versionOfDays = (first: string, last: string, freshMax: string) => `
  case when (select count(*) from fresh) <= ${freshMax} then
    ((select coalesce(sum(increments), 0) from market.tally_days
       where day >= date '1970-01-01' + ${first} and day <= date '1970-01-01' + ${last})
     + (select count(*) from fresh where day >= date '1970-01-01' + ${first} and day <= date '1970-01-01' + ${last}))::text end`;

const readVersion: Statement = {
  name: 'read-version-of-days',
  text: `with fresh as materialized (select day from market.daily_increments limit $3::int4 + 1)
         select ${versionOfDays('$1::int4', '$2::int4', '$3')} as version`,
};

const countOf = (outcome: Verdict | LabelValue | 'dead_letter') =>
  `coalesce(sum(count) filter (where outcome = '${outcome}'), 0)::float8 as ${outcome}`;

const sumStatement: Statement = {
  name: 'sum-days',
  text: `
    with fresh as materialized (select * from market.daily_increments limit $1::int4 + 1)
    select emptied_at as "emptiedAt", (select count(*)::int4 from fresh) as increments,
           ${versionOfDays('$2::int4', '$3::int4', '$1')} as version, d.*
      from market.tally_merge
      left join (select extract(epoch from day)::float8 * 1000 as "dayMs", case when $7::bool then corridor end as corridor,
                        case when $8::bool then outcome end as outcome, case when $9::bool then rule_set end as "ruleSet",
                        case when $10::bool then model end as model, currency,
                        coalesce(sum(count) filter (where $6::text[] is null or outcome = any ($6::text[])), 0)::float8 as count,
                        coalesce(sum(amount) filter (where $6::text[] is null or outcome = any ($6::text[])), 0)::text as amount,
                        ${countOf('approve')}, ${countOf('review')}, ${countOf('decline')},
                        ${countOf('fraud')}, ${countOf('legitimate')}, ${countOf('dead_letter')},
                        sum(score_sum)::float8 as "scoreSum"
                   from (select * from market.daily_tallies union all select * from fresh) both_kinds
                  where day >= date '1970-01-01' + $2::int4 and day <= date '1970-01-01' + $3::int4
                    and ($5::text[] is null and outcome ~ '^[A-Z]' or outcome = any ($5::text[]))
                    and ($11::text is null or corridor = $11) and ($12::text is null or currency = $12)
                    and ($13::text is null or rule_set = $13) and ($14::text is null or coalesce(model, '${NO_MODEL}') = $14)
                  group by 1, 2, 3, 4, 5, 6
                  order by 1, 2, 3, 4, 5, 6 limit $4::int4 + 1) d on true
     order by "dayMs", corridor, outcome, "ruleSet", model, currency`,
};

type DaySums = {
  readonly sums: readonly DaySum[];
  /** Version of the figures of these days (day-tallies.ts); undefined where it is unknown. */
  readonly version: string | undefined;
  /** Everything committed before this is counted; null: everything. */
  readonly countedTo: Date | null;
};

/** Sums daily tallies by day, currency and what else is asked, in order; one sum more than `sumsMax` says that there are more. */
export async function sumDays(
  { query }: { readonly query: Query },
  { firstMs, lastMs, outcomes, own, by, only }: SumQuestion,
  sumsMax: number,
  incrementsMax: number = INCREMENTS_READ_MAX,
): Promise<DaySums> {
  const rows = await query<Read<DaySum>>(sumStatement, [
    incrementsMax,
    firstMs / DAY_MS,
    lastMs / DAY_MS,
    sumsMax,
    outcomes && textArray(outcomes),
    own && textArray(own),
    by.corridor,
    by.outcome,
    by.ruleSet,
    by.model,
    only.corridor ?? null,
    only.currency ?? null,
    only.ruleSet ?? null,
    only.model ?? null,
  ]);
  return {
    sums: rows.filter(isSum),
    version: rows[0]?.version ?? undefined,
    countedTo: countedTo(rows, incrementsMax),
  };
}

/** @param firstMs start of the first UTC day; `lastMs` of the last one */
export async function readDaysVersion(
  { query }: { readonly query: Query },
  firstMs: number,
  lastMs: number,
): Promise<string | undefined> {
  const [row] = await query<{ version: string | null }>(readVersion, [
    firstMs / DAY_MS,
    lastMs / DAY_MS,
    INCREMENTS_READ_MAX,
  ]);
  return row?.version ?? undefined;
}
