/**
 * `GET /v1/summaries/daily`: per UTC day and group, what was accepted, how it was scored and labelled, and which rules
 * fired: sums of daily tallies, exact at any moment.
 */
import { z } from 'zod';
import { LABEL_VALUES } from '../../core/domain/label.ts';
import { VERDICTS } from '../../core/domain/score-record.ts';
import {
  requireCorridor,
  requireModel,
  requireReasons,
} from '../../core/store/search/require-known.ts';
import { type DaySum, sumDays } from '../../core/store/tallies/day-tallies.ts';
import { type Databases, readFrom } from '../../kit/database/replica/choose-database.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import {
  type Dimension,
  type Figures,
  figuresOf,
  invalid,
  type SummaryQuestion,
} from './parameters.ts';

/** Most sums of a day, a group and a currency that an answer is made of. */
const SUMS_MAX = 50_000;

const dailySummarySchema = z
  .object({
    day: z.iso.date(),
    corridor: z.string().optional(),
    verdict: z.enum(VERDICTS).optional(),
    currency: z.string().optional(),
    rule_set: z.string().optional(),
    rule: z.string().optional().meta({ description: 'A reason code.' }),
    model: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'Null: no model decided these scores.' }),
    label: z.enum(LABEL_VALUES).optional(),
    transactions: z.int().meta({
      description:
        'Accepted; by verdict, rule set or model those scored; by label those whose deciding label it is; by rule those scored with this reason.',
    }),
    amounts: z
      .record(z.string(), z.string())
      .nullable()
      .meta({
        description: 'Sums of these transactions by currency; null by rule.',
        example: { USD: '125.50' },
      }),
    scores: z
      .object({ approve: z.int(), review: z.int(), decline: z.int() })
      .nullable()
      .meta({ description: 'Null by label and by rule.' }),
    mean_score: z.number().nullable().meta({ description: 'Null when nothing is scored yet.' }),
    labels: z.object({ fraud: z.int(), legitimate: z.int() }).nullable().meta({
      description:
        'Transactions by their deciding label, however late it came; null by verdict, rule set, model and rule.',
    }),
    dead_letters: z.int().nullable().meta({
      description:
        'Given up on this day, whenever their transactions were created, and neither replayed nor purged since; null by anything but corridor.',
    }),
  })
  .meta({
    id: 'DailySummary',
    description: 'A day, and of the dimensions those of `group_by`, with the figures of the group.',
  });
type DailySummary = z.infer<typeof dailySummarySchema>;

export const dailySummariesSchema = z.object({
  counted_at: z.iso.datetime().meta({
    description:
      'The figures hold everything stored before this time: the time of the answer less its `Age`, or earlier where no worker has merged tallies for long.',
  }),
  items: z.array(dailySummarySchema),
});
export type DailySummaries = z.infer<typeof dailySummariesSchema>;

/** Summaries, and the version of the figures of their days. */
type Summarized = { readonly summaries: DailySummaries; readonly version: string | undefined };

/**
 * Oldest day first, then by group; a group without transactions and dead letters has no item.
 * @param corridors the names of those that a transaction may name now
 * @throws InvalidFields for what is not counted together, a corridor or model that is unknown, or too many sums
 */
export async function summarizeDays(
  databases: Databases,
  corridors: ReadonlySet<string>,
  question: SummaryQuestion,
): Promise<Summarized> {
  const figures = figuresOf(question);
  const { sums, version, countedAtMs } = await readFrom(
    databases,
    question.to + DAY_MS,
    async (database, asOfMs) => {
      const { sums, version, countedTo } = await sumDays(database, figures, SUMS_MAX);
      return { sums, version, countedAtMs: Math.min(countedTo?.getTime() ?? asOfMs, asOfMs) };
    },
  );
  if (sums.length > SUMS_MAX) {
    const detail = `gives more than ${SUMS_MAX} sums, one for each day, group and currency: ask for fewer days, or for less by a filter`;
    throw invalid('/group_by', detail);
  }
  // A name that has sums is known, also where it was added after the list was read.
  if (sums.length === 0) {
    requireCorridor(corridors, question.corridor);
    await requireModel(databases, question.model);
    const { rule } = question;
    await requireReasons(databases, rule === undefined ? [] : [rule], () => '/rule');
  }
  const groups = Map.groupBy(sums, (sum) => keyOf(sum, question.group_by));
  const items = [...groups.values()].flatMap(
    (group) => toSummary(group, figures, question.group_by) ?? [],
  );
  return { summaries: { counted_at: new Date(countedAtMs).toISOString(), items }, version };
}

function keyOf(sum: DaySum, by: readonly Dimension[]): string {
  const { dayMs, corridor, outcome, ruleSet, model, currency } = sum;
  const ofCurrency = by.includes('currency') ? currency : null;
  return JSON.stringify([dayMs, corridor, outcome, ruleSet, model, ofCurrency]);
}

/** Sums of one day and group, by currency; undefined where nothing is left of them. */
function toSummary(
  sums: readonly DaySum[],
  { hasAmounts, hasScores, hasLabels, hasDeadLetters }: Figures,
  by: readonly Dimension[],
): DailySummary | undefined {
  const total = (figure: (sum: DaySum) => number) =>
    sums.reduce((total, sum) => total + figure(sum), 0);
  const transactions = total(({ count }) => count);
  const scores = {
    approve: total(({ approve }) => approve),
    review: total(({ review }) => review),
    decline: total(({ decline }) => decline),
  };
  const scored = scores.approve + scores.review + scores.decline;
  const deadLetters = hasDeadLetters ? total((sum) => sum.dead_letter) : null;
  const [first] = sums;
  if (first === undefined || transactions + scored + (deadLetters ?? 0) === 0) return undefined;
  const counted = sums.filter(({ count }) => count !== 0);
  return {
    day: new Date(first.dayMs).toISOString().slice(0, 10),
    ...dimensionsOf(first, by),
    transactions,
    amounts: hasAmounts
      ? Object.fromEntries(counted.map(({ currency, amount }) => [currency, amount]))
      : null,
    scores: hasScores ? scores : null,
    mean_score: scored === 0 ? null : total(({ scoreSum }) => scoreSum) / scored,
    labels: hasLabels
      ? { fraud: total(({ fraud }) => fraud), legitimate: total(({ legitimate }) => legitimate) }
      : null,
    dead_letters: deadLetters,
  };
}

function dimensionsOf(sum: DaySum, by: readonly Dimension[]): Partial<DailySummary> {
  const { outcome, ruleSet: rule_set } = sum;
  const all = { ...sum, rule_set, verdict: outcome, label: outcome, rule: outcome };
  return Object.fromEntries(by.map((dimension) => [dimension, all[dimension]]));
}
