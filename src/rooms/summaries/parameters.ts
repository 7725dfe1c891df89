/** `GET /v1/summaries/daily?…`: what may be asked, by what it is counted, and the sums that answer it. */
import { z } from 'zod';
import { LABEL_VALUES } from '../../core/domain/label.ts';
import { VERDICTS } from '../../core/domain/score-record.ts';
import {
  currencyFilter,
  modelFilter,
  reasonCode,
  ruleSetFilter,
} from '../../core/store/search/search-question.ts';
import type { SumQuestion } from '../../core/store/tallies/day-tallies.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { corridorFilter, shown } from '../../kit/words/list-parameters.ts';
import { DAY_MS, DAYS, findEmpty } from '../../kit/words/range.ts';

export const SUMMARY_DAYS_MAX = 92;
const SUMMARY_DAYS_DEFAULT = 7;

const DIMENSIONS = [
  'corridor',
  'verdict',
  'currency',
  'rule_set',
  'rule',
  'model',
  'label',
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

const DAY_MIN = '0001-01-01';
/** The last day whose following day Postgres can still read. */
const DAY_MAX = '9999-12-30';

const dayParameter = z.iso
  .date({ error: 'must be a UTC day, as 2026-11-20', abort: true })
  .refine(
    (day) => day >= DAY_MIN && day <= DAY_MAX,
    `must be a UTC day from ${DAY_MIN} to ${DAY_MAX}`,
  )
  .transform((day) => Date.parse(`${day}T00:00:00Z`));

const groupBy = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(DIMENSIONS)).transform((given) => [...new Set(given)]));

/** `from` and `to` are included; by default the last seven days. */
export const summaryParameters = z.strictObject({
  group_by: groupBy.default(['corridor']).meta({
    description: `What each day is divided by, one or more of ${DIMENSIONS.join(', ')}, with commas between them. \`corridor\`, \`currency\`, \`verdict\`, \`rule_set\` and \`model\` go together, as do \`corridor\`, \`currency\` and \`label\`, and \`corridor\`, \`rule_set\` and \`rule\`; filters count as well.`,
    override: { type: 'string', default: 'corridor', examples: ['corridor,verdict'] },
  }),
  corridor: corridorFilter,
  verdict: z.enum(VERDICTS).optional().meta({ description: 'Only scores with this verdict.' }),
  currency: currencyFilter,
  rule_set: ruleSetFilter,
  rule: reasonCode
    .optional()
    .meta(shown('VELOCITY_COUNT_1H', 'Only scores with this reason; /v1/reason-codes lists them.')),
  model: modelFilter,
  label: z
    .enum(LABEL_VALUES)
    .optional()
    .meta({ description: 'Only transactions whose deciding label is this.' }),
  from: dayParameter
    .optional()
    .meta(shown('2026-11-14', 'First day, UTC; by default the sixth before `to`.')),
  to: dayParameter
    .optional()
    .meta(shown('2026-11-20', 'Last day, included and at most 91 days later; default today.')),
});
type SummaryParameters = z.output<typeof summaryParameters>;

/** With both days, as starts of UTC days. */
export type SummaryQuestion = SummaryParameters & { readonly from: number; readonly to: number };

/** @throws InvalidFields for too many days, or none */
export function withDays(parameters: SummaryParameters, nowMs: number): SummaryQuestion {
  const to = parameters.to ?? Math.floor(nowMs / DAY_MS) * DAY_MS;
  const from = parameters.from ?? to - (SUMMARY_DAYS_DEFAULT - 1) * DAY_MS;
  const before = Math.floor((to - from) / DAY_MS);
  const inverted = findEmpty({ from, to }, 'from', 'to', DAYS);
  if (inverted !== undefined) throw new InvalidFields([inverted]);
  if (before >= SUMMARY_DAYS_MAX) {
    throw invalid(
      '/from',
      `must be at most ${SUMMARY_DAYS_MAX - 1} days before /to, not ${before}`,
    );
  }
  return { ...parameters, from, to };
}

export const invalid = (pointer: string, detail: string) =>
  new InvalidFields([{ pointer, detail }]);

/** Subject that a row counts: the row holds the figures of these outcomes, and may be divided by these dimensions. */
type Subject = {
  readonly name: string;
  readonly by: readonly Dimension[];
  /** Null: every reason code. */
  readonly own: readonly string[] | null;
};
const TRANSACTIONS: Subject = {
  name: 'transactions',
  by: ['corridor', 'currency'],
  own: ['accepted'],
};
const SCORES: Subject = {
  name: 'scores',
  by: ['corridor', 'currency', 'verdict', 'rule_set', 'model'],
  own: VERDICTS,
};
const LABELS: Subject = {
  name: 'labels',
  by: ['corridor', 'currency', 'label'],
  own: LABEL_VALUES,
};
const FIRED: Subject = { name: 'reasons', by: ['corridor', 'rule_set', 'rule'], own: null };

function subjectOf(asked: readonly Dimension[]): Subject {
  if (asked.includes('label')) return LABELS;
  if (asked.includes('rule')) return FIRED;
  return asked.every((dimension) => TRANSACTIONS.by.includes(dimension)) ? TRANSACTIONS : SCORES;
}

/** The figures that a row has beside its count. */
export type Figures = SumQuestion & {
  readonly hasAmounts: boolean;
  readonly hasScores: boolean;
  readonly hasLabels: boolean;
  readonly hasDeadLetters: boolean;
};

/** The sums that answer the question. @throws InvalidFields for what is not counted together */
export function figuresOf(question: SummaryQuestion): Figures {
  const by = question.group_by;
  const asked = DIMENSIONS.filter(
    (dimension) => by.includes(dimension) || question[dimension] !== undefined,
  );
  const subject = subjectOf(asked);
  const beyond = asked.filter((dimension) => !subject.by.includes(dimension));
  if (beyond.length > 0) {
    const counted = `${subject.name} are counted by ${subject.by.join(', ')}`;
    throw new InvalidFields(
      beyond.map((dimension) =>
        by.includes(dimension)
          ? { pointer: '/group_by', detail: `must not have ${dimension}: ${counted}` }
          : {
              pointer: `/${dimension}`,
              detail: `must not be ${given(question[dimension])}: ${counted}`,
            },
      ),
    );
  }
  const { verdict, label, rule, corridor, currency, rule_set: ruleSet, model } = question;
  const outcome = verdict ?? label ?? rule;
  const own = outcome === undefined ? subject.own : [outcome];
  const isAll = subject === TRANSACTIONS;
  return {
    firstMs: question.from,
    lastMs: question.to,
    own,
    outcomes: isAll ? [...(own ?? []), ...VERDICTS, ...LABEL_VALUES, 'dead_letter'] : own,
    by: {
      corridor: by.includes('corridor'),
      outcome: ['verdict', 'label', 'rule'].some((dimension) =>
        by.includes(dimension as Dimension),
      ),
      ruleSet: by.includes('rule_set'),
      model: by.includes('model'),
    },
    only: { corridor, currency, ruleSet, model },
    hasAmounts: subject !== FIRED,
    hasScores: isAll || subject === SCORES,
    hasLabels: isAll || subject === LABELS,
    // A dead letter has no currency.
    hasDeadLetters: isAll && !asked.includes('currency'),
  };
}
