/**
 * Days that may have what a search asks for, as the daily tallies count them. A tally is exact at any moment, so no row of a
 * day that counts none needs to be read.
 */
import { LABEL_VALUES } from '../../../core/domain/label.ts';
import { NO_MODEL, VERDICTS } from '../../../core/domain/score-record.ts';
import type { Parameter, SearchFilter } from '../../../core/store/search/search-filter.ts';
import { INCREMENTS_READ_MAX } from '../../../core/store/tallies/day-tallies.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { DAY_MS } from '../../../kit/words/range.ts';

/** True where a part of the filter is counted by day. */
export function isTallied(filter: SearchFilter): boolean {
  const { corridor, currency, verdict, rule_set, model, reason, label, status } = filter;
  const isOpen = status === 'accepted' || status === 'dead_lettered';
  const counted = [corridor, currency, verdict, rule_set, model, reason, label];
  return isOpen || counted.some((count) => count !== undefined);
}

/** Starts of UTC days, oldest first; null where the tallies lag so far behind that they cannot say. */
export async function listDaysWith(
  { query }: Pick<Database, 'query'>,
  filter: SearchFilter,
  fromMs: number,
  toMs: number,
  incrementsMax: number = INCREMENTS_READ_MAX,
): Promise<readonly number[] | null> {
  const values: unknown[] = [
    incrementsMax,
    Math.floor(fromMs / DAY_MS),
    Math.floor((toMs - 1) / DAY_MS),
  ];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  const corridor =
    filter.corridor === undefined ? '' : `and corridor = ${parameter(filter.corridor)}`;
  const { outcomes, counts } = countsOf(filter, parameter);
  const text = `
    with fresh as materialized (select * from market.daily_increments limit $1::int4 + 1)
    select (select count(*)::int4 from fresh) as increments, d."dayMs"
      from (select) nothing
      left join (select extract(epoch from day)::float8 * 1000 as "dayMs"
                   from (select * from market.daily_tallies union all select * from fresh) both_kinds
                  where day >= date '1970-01-01' + $2::int4 and day <= date '1970-01-01' + $3::int4 ${corridor}
                    and outcome = any (${parameter(outcomes)}::text[])
                  group by day having ${counts.join(' and ')}) d on true
     order by "dayMs"`;
  const rows = await query<{ increments: number; dayMs: number | null }>({ text }, values);
  if ((rows[0]?.increments ?? 0) > incrementsMax) return null;
  return rows.flatMap(({ dayMs }) => dayMs ?? []);
}

type Counts = {
  /** Conditions on the counts of a day: each of these counts is more than nothing. */
  readonly counts: readonly string[];
  /** All that they count, which is a small part of the tallies. */
  readonly outcomes: readonly string[];
};

function countsOf(filter: SearchFilter, parameter: Parameter): Counts {
  const { currency, verdict, rule_set, model, reason, label, status } = filter;
  // A value that no count uses would have no type.
  const equals = (column: string, value: string | undefined) =>
    value === undefined ? '' : `and ${column} = ${parameter(value)}`;
  const ofCurrency = () => equals('currency', currency);
  const ofRules = () => equals('rule_set', rule_set);
  const ofModel = () => equals(`coalesce(model, '${NO_MODEL}')`, model);
  const all = new Set<string>();
  const sum = (outcomes: readonly string[], further: string) => {
    for (const outcome of outcomes) all.add(outcome);
    return `coalesce(sum(count) filter (where outcome = any (${parameter(outcomes)}::text[]) ${further}), 0)`;
  };
  const accepted = () => sum(['accepted'], ofCurrency());
  const counts: string[] = [];
  // A reason is counted by rule set, so it needs no count of verdicts, which are half of all tallies.
  if (verdict !== undefined || model !== undefined || (rule_set !== undefined && !reason)) {
    counts.push(sum(verdict ?? VERDICTS, `${ofCurrency()} ${ofRules()} ${ofModel()}`));
  }
  if (reason !== undefined) {
    const each = reason.map((code) => sum([code], ofRules()));
    counts.push(...(filter.reason_match === 'all' ? each : [`greatest(${each.join(', ')})`]));
  }
  if (label === 'fraud' || label === 'legitimate') {
    counts.push(sum([label], ofCurrency()));
  } else if (label === 'none') {
    counts.push(`${accepted()} - ${sum(LABEL_VALUES, ofCurrency())}`);
  }
  if (status === 'accepted' || status === 'dead_lettered') {
    counts.push(`${accepted()} - ${sum(VERDICTS, ofCurrency())}`);
  }
  if (counts.length === 0) counts.push(accepted());
  return { outcomes: [...all], counts: counts.map((count) => `${count} > 0`) };
}
