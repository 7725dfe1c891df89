/** Sums of daily tallies by day, currency and what else is asked: see day-tallies.ts. */
import { textArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { DAY_MS } from '../../../kit/words/utc-bucket.ts';
import type { LabelValue } from '../../domain/label.ts';
import type { Verdict } from '../../domain/score-record.ts';
import { NO_MODEL } from '../../domain/score-record.ts';
import { countedTo, INCREMENTS_READ_MAX, isSum, type Read } from './day-tallies.ts';
import { versionOfDays } from './day-version.ts';

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
export type DaySum = {
  /** Start of the UTC day, epoch milliseconds. */
  readonly dayMs: number;
  readonly corridor: string | null;
  readonly outcome: string | null;
  readonly ruleSet: string | null;
  readonly model: string | null;
  readonly currency: string;
  readonly count: number;
  /** Decimal text. */
  readonly amount: string;
  readonly scoreSum: number;
} & { readonly [outcome in Verdict | LabelValue | 'dead_letter']: number };

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

export type DaySums = {
  readonly sums: readonly DaySum[];
  /** Version of the figures of these days (day-version.ts); undefined where it is unknown. */
  readonly version: string | undefined;
  /** Everything committed before this is counted; null: everything. */
  readonly countedTo: Date | null;
};

/** In order; one more than `sumsMax` where there are more. */
export async function sumDays(
  { query }: { readonly query: Query },
  { firstMs, lastMs, outcomes, own, by, only }: SumQuestion,
  sumsMax: number,
  incrementsMax: number = INCREMENTS_READ_MAX,
): Promise<DaySums> {
  const rows = await query<Read<DaySum>>(sumStatement, [
    ...[incrementsMax, firstMs / DAY_MS, lastMs / DAY_MS, sumsMax],
    ...[outcomes && textArray(outcomes), own && textArray(own)],
    ...[by.corridor, by.outcome, by.ruleSet, by.model],
    ...[only.corridor ?? null, only.currency ?? null, only.ruleSet ?? null, only.model ?? null],
  ]);
  return {
    sums: rows.filter(isSum),
    version: rows[0]?.version ?? undefined,
    countedTo: countedTo(rows, incrementsMax),
  };
}
