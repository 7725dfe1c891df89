/** Says what other bands alone would have made of the rows of a backtest: exact, from counts a day, corridor and score. */
import { z } from 'zod';
import { SCORE_MAX, VERDICTS, type Verdict } from '../../../core/domain/score-record.ts';
import type { Thresholds } from '../../../core/score/rules/rule-set-data.ts';
import { verdictOf, verdictUnder } from '../../../core/score/weigh.ts';
import type { Sliced } from '../../../kit/process/pauses.ts';
import { corridorParameter, integerParameter, shown } from '../../../kit/words/list-parameters.ts';
import { byLabel, perDayOf, rowsIn, totalOf } from './report.ts';
import {
  type ByLabel,
  confusionSchema,
  type DayCounts,
  FRAUD,
  LEGITIMATE,
  noRowsEach,
} from './report-schema.ts';

const points = (example: number, description: string) =>
  integerParameter(1, SCORE_MAX).meta({
    description,
    override: { type: 'integer', minimum: 1, maximum: SCORE_MAX, examples: [example] },
  });
export const bandsQuery = z
  .strictObject({
    review: points(400, 'Least score of a review.'),
    decline: points(800, 'Least score of a decline.'),
    corridor: corridorParameter
      .optional()
      .meta(shown('US-EG', 'Other corridors keep the bands that they have.')),
  })
  .superRefine(({ review, decline }, context) => {
    if (review <= decline) return;
    const message = `must be at most decline, ${decline}`;
    context.addIssue({ code: 'custom', path: ['review'], message, input: review });
  });
export type BandsQuery = z.output<typeof bandsQuery>;

const bands = z.object({ review: z.int(), decline: z.int() });
const figures = z.object({
  confusion: confusionSchema,
  alerts_per_day: z.number(),
  frauds_caught: z.int(),
  legitimate_stopped: z.int().meta({ description: 'Declined.' }),
});
export const bandsSchema = z
  .object({
    before: figures.meta({ description: 'By the bands of the version in question.' }),
    after: figures,
    corridors: z.array(
      z.object({
        corridor: z.string(),
        bands_before: bands,
        bands_after: bands,
        before: figures,
        after: figures,
      }),
    ),
    days: z
      .array(z.object({ day: z.iso.date(), alerts_before: z.int(), alerts_after: z.int() }))
      .meta({ description: 'UTC days with rows.' }),
  })
  .meta({
    id: 'BacktestBands',
    description:
      'Verdicts that rules force, and those of a model with bands of its own, stay as they are.',
  });
export type BandsJson = z.infer<typeof bandsSchema>;

type BandsOf = (corridor: string) => Thresholds;
/** Rows by verdict in rising severity and label. */
type Table = readonly ByLabel[];
type Tables = { readonly before: Table; readonly after: Table };

const noTables = (): Tables => ({ before: noRowsEach(3), after: noRowsEach(3) });

export function createTally(before: BandsOf, after: BandsOf) {
  const corridors = new Map<string, Tables>();
  const days: BandsJson['days'] = [];
  return {
    *addDay(day: string, counts: DayCounts): Sliced<void> {
      const ofDay = noTables();
      for (const [corridor, { free, reviewed, fixed }] of Object.entries(counts)) {
        const known = corridors.get(corridor) ?? noTables();
        corridors.set(corridor, known);
        for (const [name, bandsOf] of [
          ['before', before],
          ['after', after],
        ] as const) {
          const own = bandsOf(corridor);
          const add = (verdict: Verdict, rows: ByLabel) => {
            for (const tables of [known, ofDay]) addRows(tables[name], verdict, rows);
          };
          for (const [score, rows] of Object.entries(free))
            add(verdictOf(Number(score), own), rows);
          for (const [score, rows] of Object.entries(reviewed)) {
            add(verdictUnder('review', verdictOf(Number(score), own)), rows);
          }
          for (const [at, rows] of fixed.entries()) add(VERDICTS[at] as Verdict, rows);
        }
        yield;
      }
      const alerts = (table: Table) => rowsIn(totalOf(table.slice(1)));
      days.push({ day, alerts_before: alerts(ofDay.before), alerts_after: alerts(ofDay.after) });
    },
    toJson(): BandsJson {
      const perDay = perDayOf(days.length);
      const both = ({ before: was, after: is }: Tables) => ({
        before: toFigures(was, perDay),
        after: toFigures(is, perDay),
      });
      const all = noTables();
      for (const tables of corridors.values()) {
        for (const name of ['before', 'after'] as const) {
          for (const [at, rows] of tables[name].entries())
            addRows(all[name], VERDICTS[at] as Verdict, rows);
        }
      }
      return {
        ...both(all),
        corridors: [...corridors]
          .sort(([left], [right]) => (left < right ? -1 : 1))
          .map(([corridor, tables]) => ({
            corridor,
            bands_before: { ...before(corridor) },
            bands_after: { ...after(corridor) },
            ...both(tables),
          })),
        days,
      };
    },
  };
}

function addRows(table: Table, verdict: Verdict, rows: ByLabel): void {
  const own = table[VERDICTS.indexOf(verdict)] as ByLabel;
  for (const [label, count] of rows.entries()) own[label] = (own[label] as number) + count;
}

const toFigures = (table: Table, perDay: (count: number) => number) => ({
  confusion: VERDICTS.map((verdict, at) => ({ verdict, ...byLabel(table[at] as ByLabel) })),
  alerts_per_day: perDay(rowsIn(totalOf(table.slice(1)))),
  frauds_caught: totalOf(table.slice(1))[FRAUD],
  legitimate_stopped: (table[2] as ByLabel)[LEGITIMATE],
});
