/** Tables of the day as the API shows them. */
import { z } from 'zod';
import { findRuleSet } from '../../../core/score/rules/rule-sets.ts';
import { BUCKETS, CUTS } from '../../../core/score/scorecard/cuts.ts';
import { weightOf } from '../../../core/score/scorecard/day-evidence.ts';
import {
  type DayTable,
  LABEL_DAYS,
  type Learnt,
  type StoredTable,
  textOfDay,
} from '../../../core/score/scorecard/day-table.ts';
import { measureMeaning } from '../../../core/score/scorecard/explain-margin.ts';
import type { Lifts } from '../../../core/score/scorecard/lifts.ts';
import { KNOWN_FRAUDS_MIN } from '../../../core/score/scorecard/scorecard.ts';
import type { Week } from '../../../core/score/scorecard/weeks.ts';
import {
  findHead,
  listHeads,
  readTable,
  type TableHead,
} from '../../../core/store/scorecards/scorecards.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { DAY_MS } from '../../../kit/words/range.ts';

const day = z.iso.date();

/** Matured hits without a fraud from which on a rule counts as idle. */
const RESTS_FROM = 1000;

/** A day of a path or a cursor. */
export const dayText = z.iso.date('must be a day as 2026-11-01');

export const headSchema = z
  .object({
    day: day.meta({ description: 'The first UTC day that the table judges.' }),
    sha256: z.string(),
    payments: z.int().meta({ description: 'Scored payments of the 90 days before.' }),
    frauds: z.int().meta({ description: 'Known frauds of the 180 days before.' }),
    built_at: z.iso.datetime(),
    differs: z.number().nullable().meta({
      description:
        'Share of the last day’s verdicts that differ from those of the table before. Null: one of the tables has no bands, or leaves other measures out.',
    }),
    is_taken: z
      .boolean()
      .meta({ description: 'False: the table changes too much, and waits for two people.' }),
    in_use: z.boolean().meta({
      description: `Judges payments of its day and later, until a newer table in use does. With fewer than ${KNOWN_FRAUDS_MIN} \`frauds\` the margins are those of the rules alone.`,
    }),
  })
  .meta({ id: 'Scorecard' });

const perBucket = z.array(z.number());
const liftsSchema = z.object({
  values: z.record(z.string(), z.number().nullable()),
  others: z.number().nullable(),
});
const rankingSchema = z.object({
  average_precision: z.number().nullable().meta({ description: 'Null: the week has no fraud.' }),
  caught: z.int().meta({ description: 'Frauds among the alerts.' }),
  stopped: z.int().meta({ description: 'Honest payments among the alerts.' }),
});

export const tableSchema = headSchema
  .extend({
    frauds_needed: z.int().meta({
      description: 'Known frauds below which nothing is learnt: the margin is that of the rules.',
    }),
    before: headSchema.nullable().meta({ description: 'The table before.' }),
    rule_set: z.string().meta({ description: 'Rules whose log-odds are a measure.' }),
    group: z.string().meta({ description: 'The field of cells.' }),
    measures_left_out: z
      .array(z.string())
      .meta({ description: 'Measures that the policy leaves out: they add no points.' }),
    labels_left_out: z
      .array(z.string())
      .meta({ description: 'Controls that kept labels out of the table.' }),
    constant: z.number(),
    slope: z.number().meta({ description: 'Weight of the log-odds of rules that read no labels.' }),
    label_slope: z.number().meta({ description: 'Weight of what rules that read labels add.' }),
    measures: z.array(
      z.object({
        measure: z.string(),
        meaning: z.string(),
        carries: z.number().meta({
          description: 'Points that a known fraud has by the measure, on average.',
        }),
        carried_before: z.number().nullable().meta({
          description: 'The same for the table before. Null: that table lacks the measure.',
        }),
        cuts: z.array(z.number()).nullable().meta({
          description:
            'A value belongs to the bucket with the number of cuts below it. Null: fewer than 300 values.',
        }),
        points: perBucket.meta({
          description: `Of each bucket; the last two are of a missing value, and of a measure without cuts.`,
        }),
        payments: perBucket.meta({ description: 'Payments that were learnt from, by bucket.' }),
        frauds: perBucket,
      }),
    ),
    rules: z
      .array(
        z.object({
          code: z.string(),
          payments: z.number().meta({ description: 'Matured payments on which it fired.' }),
          frauds: z.number(),
          weight: z
            .number()
            .meta({ description: 'Its share of frauds, as a rule would weigh it.' }),
          rests: z.boolean().meta({
            description: `It fired ${RESTS_FROM} times or more and never on a fraud: the next rule set of the build goes without it.`,
          }),
        }),
      )
      .meta({ description: 'Each rule of `rule_set` by what became of its hits.' }),
    labels: z
      .array(z.object({ within_days: z.int(), share: z.number() }))
      .meta({ description: 'Frauds whose first label came so soon; empty without frauds.' }),
    label_maturity_days_proposed: z.int().nullable().meta({
      description: 'Days within which 95 % of labels came. Null: fewer than 50 came, or later.',
    }),
    weeks: z
      .array(
        z.object({
          from: day,
          payments: z.int(),
          frauds: z.int(),
          alerts: z.int().meta({ description: 'Payments that were reviewed or declined.' }),
          decided: rankingSchema.meta({
            description: 'By the risks that decided; by those of the rules where a policy did.',
          }),
          scorecard: rankingSchema.meta({
            description: 'By the margins of the tables of then, at the same number of alerts.',
          }),
        }),
      )
      .meta({
        description:
          'Matured weeks, the newest last: payments that a table judged when they were scored.',
      }),
    hours: z.array(z.number()).meta({ description: 'Shares of payments by UTC hour.' }),
    lifts: z.record(z.string(), liftsSchema).meta({
      description: 'Log of the rate of fraud of common values by that of the market.',
    }),
  })
  .meta({ id: 'ScorecardTable' });

export const toHeadJson = (head: TableHead): z.input<typeof headSchema> => ({
  day: textOfDay(head.day),
  sha256: head.sha256,
  payments: head.payments,
  frauds: head.frauds,
  built_at: head.builtAt,
  differs: head.differs,
  is_taken: head.isTaken,
  in_use: head.inUse,
});

/** NaN is missing. */
const orNull = (value: number) => (Number.isNaN(value) ? null : value);

/** JSON has no infinite number; a float32 of the greatest double is infinite again. */
const toFinite = (cut: number) => Math.max(-Number.MAX_VALUE, Math.min(cut, Number.MAX_VALUE));

const toLiftsJson = ({ byValue, others }: Lifts) => ({
  values: Object.fromEntries([...byValue].map(([value, lift]) => [value, orNull(lift)])),
  others: orNull(others),
});

function toWeekJson({ day, payments, frauds, alerts, decided, scorecard }: Week) {
  const toRankingJson = ({ averagePrecision, caught }: Week['decided']) => ({
    average_precision: orNull(averagePrecision),
    ...{ caught, stopped: alerts - caught },
  });
  return {
    ...{ from: textOfDay(day), payments, frauds, alerts },
    decided: toRankingJson(decided),
    scorecard: toRankingJson(scorecard),
  };
}

/** Share of labels that a proposed maturity waits for, and fewest frauds for a proposal. */
const [WAITED_SHARE, LABELLED_MIN] = [0.95, 50];

export function toLabelsJson(labelled: Float64Array) {
  const total = labelled.reduce((sum, frauds) => sum + frauds, 0);
  let sum = 0;
  const labels =
    total === 0
      ? []
      : LABEL_DAYS.map((days, nth) => {
          sum += labelled[nth] as number;
          return { within_days: days, share: sum / total };
        });
  const soon = labels.find(({ share }) => share >= WAITED_SHARE);
  const proposed = total < LABELLED_MIN ? undefined : soon?.within_days;
  return { labels, label_maturity_days_proposed: proposed ?? null };
}

/** Points that a known fraud has by each measure, on average. */
function carriedBy({ measures, scorecard: { points }, learnt }: DayTable): Map<string, number> {
  return new Map(
    measures.map((measure, nth) => {
      let [sum, frauds] = [0, 0];
      for (let at = nth * BUCKETS; at < (nth + 1) * BUCKETS; at++) {
        sum += (points[at] as number) * (learnt.frauds[at] as number);
        frauds += learnt.frauds[at] as number;
      }
      return [measure, frauds === 0 ? 0 : sum / frauds];
    }),
  );
}

async function readBefore(query: Query, day: number) {
  const [head] = await listHeads(query, day, 1);
  const stored = head && (await readTable(query, head.serial));
  return { head, carried: stored === undefined ? undefined : carriedBy(stored.table) };
}

export function toRulesJson(ruleSet: string, { rules, all }: Pick<Learnt, 'rules' | 'all'>) {
  const codes = findRuleSet(ruleSet)?.rules.map(({ code }) => code) ?? [];
  return [...new Set([...codes, ...rules.keys()])].sort().map((code) => {
    const counted = rules.get(code) ?? { payments: 0, frauds: 0 };
    const rests = counted.payments >= RESTS_FROM && counted.frauds === 0;
    return { code, ...counted, weight: weightOf(counted, all), rests };
  });
}

/** @throws Failure where the day has no table */
export async function readHead(query: Query, of: string): Promise<TableHead> {
  const head = await findHead(query, Date.parse(of) / DAY_MS);
  if (head !== undefined) return head;
  throw new Failure('not-found', 'SCORECARD_UNKNOWN', `${of} has no table of its own`);
}

/** @throws Failure where the day has no table */
export async function readTableJson(
  { query }: Pick<Database, 'query'>,
  of: string,
): Promise<z.input<typeof tableSchema>> {
  const head = await readHead(query, of);
  // A table is never removed.
  const stored = (await readTable(query, head.serial)) as StoredTable;
  const { table } = stored;
  const { ruleSet, group, slots, measures, scorecard, learnt, weeks, hours, lifts } = table;
  const before = await readBefore(query, head.day);
  const carried = carriedBy(table);
  const ofMeasure = (numbers: Float64Array, nth: number) => [
    ...numbers.subarray(nth * BUCKETS, (nth + 1) * BUCKETS),
  ];
  return {
    ...toHeadJson(head),
    frauds_needed: KNOWN_FRAUDS_MIN,
    before: before.head === undefined ? null : toHeadJson(before.head),
    rule_set: ruleSet,
    group,
    measures_left_out: [...table.leftOut],
    labels_left_out: [...table.leftOutLabels],
    constant: scorecard.constant,
    slope: scorecard.slope,
    label_slope: scorecard.labelSlope,
    measures: measures.map((measure, nth) => {
      const cuts = [...scorecard.cuts.subarray(nth * CUTS, (nth + 1) * CUTS)];
      return {
        measure,
        meaning: measureMeaning(measure, slots),
        carries: carried.get(measure) ?? 0,
        carried_before: before.carried?.get(measure) ?? null,
        cuts: cuts.some(Number.isNaN) ? null : cuts.map(toFinite),
        points: ofMeasure(scorecard.points, nth),
        payments: ofMeasure(learnt.payments, nth),
        frauds: ofMeasure(learnt.frauds, nth),
      };
    }),
    rules: toRulesJson(ruleSet, learnt),
    ...toLabelsJson(learnt.labelled),
    weeks: weeks.map(toWeekJson),
    hours: [...hours],
    lifts: Object.fromEntries([...lifts].map(([field, of]) => [field, toLiftsJson(of)])),
  };
}
