/** Previews of rule sets on the wire, and the catalogue that expressions read. */
import { z } from 'zod';
import { VERDICTS } from '../../core/domain/score-record.ts';
import { corridorFilter } from '../../kit/words/list-parameters.ts';
import { SAMPLE_ROWS } from './day-sample.ts';
import { RULE_SET, sourceExample, sourceSchema } from './rule-set-record.ts';

/** A rule set that would decline more of yesterday's scores is submitted by `accept_declines` alone. */
export const DECLINED_SHARE_MAX = 0.05;

/** More: a sample is so thin that rules of a day are not seen. Fewer: labels come after the window. */
const PREVIEW_DAYS_MAX = 28;

export const previewedSchema = z
  .strictObject({
    rule_set: z.string().max(128).optional().meta({ description: 'Name of one that exists.' }),
    source: sourceSchema.optional().meta({ description: 'In place of `rule_set`.' }),
    day: z.iso
      .date()
      .transform((text) => Date.parse(text))
      .optional()
      .meta({
        description: 'The last UTC day that is looked at, before today; yesterday by default.',
        override: { type: 'string', format: 'date', examples: ['2026-10-31'] },
      }),
    days: z.int().min(1).max(PREVIEW_DAYS_MAX).optional().meta({
      description: 'Days up to that one; 1 by default. Older scores have more labels.',
    }),
    corridor: corridorFilter,
  })
  .refine(
    ({ rule_set, source }) => (rule_set === undefined) !== (source === undefined),
    'must have rule_set or source',
  )
  .meta({ id: 'RuleSetToPreview' });
export const previewedExample = { source: sourceExample };

const flipSchema = z.object({
  from: z.enum(VERDICTS),
  to: z.enum(VERDICTS),
  count: z.int(),
  fraud: z.int().meta({ description: 'Those with this label, as it is now.' }),
  legitimate: z.int(),
});
export type FlipJson = z.infer<typeof flipSchema>;

const verdictCountsSchema = z.object({ approve: z.int(), review: z.int(), decline: z.int() });
const outcomesSchema = z.object({
  all: verdictCountsSchema,
  fraud: verdictCountsSchema.meta({ description: 'Of scores with this label, as it is now.' }),
  legitimate: verdictCountsSchema,
});
export type OutcomesJson = z.infer<typeof outcomesSchema>;

const FINDINGS = ['never', 'always', 'no-fraud', 'overlap', 'missing'] as const;
const rulePreviewSchema = z.object({
  rule: z.string(),
  code: z.string(),
  hits: z.int(),
  in_scope: z.int().meta({ description: 'Scores of the corridors in which it may fire.' }),
  fraud: z.int().meta({ description: 'Hits with this label, as it is now.' }),
  legitimate: z.int(),
  findings: z
    .array(z.object({ kind: z.enum(FINDINGS), detail: z.string() }))
    .meta({ description: 'Why it may be of no use; empty below 100 scores.' }),
  without: z
    .object({
      hits: z.int().meta({ description: 'Hits on which the removal was tried, at most 500.' }),
      flips: z.array(flipSchema),
    })
    .nullable()
    .meta({ description: 'What changes without the rule; null where nothing was found.' }),
});
export type RulePreviewJson = z.infer<typeof rulePreviewSchema>;

export const previewSchema = z
  .object({
    rule_set: z.string(),
    in_force: z.array(z.string()).meta({
      description: 'Active rule sets that it is compared with, each in its corridors.',
    }),
    from: z.iso.datetime(),
    to: z.iso.datetime().meta({ description: 'Exclusive; whole UTC days.' }),
    corridor: z.string().nullable(),
    scores: z.int().meta({ description: 'All scores of the days, in the corridor.' }),
    sampled: z.int().meta({
      description: `Scores that it was tried on, at most ${SAMPLE_ROWS}, spread like the traffic.`,
    }),
    labelled: z.int().meta({
      description: 'Those that have a label by now: of yesterday, often none.',
    }),
    by_model: z.int().meta({ description: 'Those that a model decided.' }),
    before: outcomesSchema.meta({ description: 'By what is in force now.' }),
    after: outcomesSchema.meta({ description: 'By the rule set.' }),
    unrecorded: z
      .array(z.object({ input: z.string(), scores: z.int() }))
      .meta({ description: 'Inputs that it reads and so many scores have not recorded.' }),
    refusal: z.string().nullable().meta({
      description:
        'Why `submit` refuses it without `accept_declines`; null: it does not, or the scores are not all of yesterday.',
    }),
    flips: z.array(flipSchema).meta({ description: 'Scores whose verdict differs.' }),
    rules: z.array(rulePreviewSchema).meta({ description: 'Those that are on, in their order.' }),
  })
  .meta({ id: 'RuleSetPreview' });
export type PreviewJson = z.infer<typeof previewSchema>;
export const previewExample: PreviewJson = {
  rule_set: RULE_SET,
  in_force: ['default@3'],
  from: '2026-11-19T00:00:00.000Z',
  to: '2026-11-20T00:00:00.000Z',
  scores: 1_204_113,
  corridor: null,
  sampled: 20_000,
  labelled: 264,
  by_model: 0,
  before: {
    all: { approve: 19_400, review: 500, decline: 100 },
    fraud: { approve: 20, review: 60, decline: 40 },
    legitimate: { approve: 30, review: 110, decline: 4 },
  },
  after: {
    all: { approve: 19_480, review: 420, decline: 100 },
    fraud: { approve: 21, review: 59, decline: 40 },
    legitimate: { approve: 58, review: 82, decline: 4 },
  },
  unrecorded: [{ input: 'in_list.stolen', scores: 412 }],
  refusal: null,
  flips: [{ from: 'review', to: 'approve', count: 80, fraud: 1, legitimate: 28 }],
  rules: [
    {
      rule: 'velocity-count-1h',
      code: 'VELOCITY_COUNT_1H',
      hits: 0,
      in_scope: 20_000,
      fraud: 0,
      legitimate: 0,
      findings: [{ kind: 'never', detail: 'It fires on none of 20000 scores.' }],
      without: { hits: 0, flips: [] },
    },
  ],
};

export const catalogueNameSchema = z
  .object({
    name: z.string(),
    type: z.enum(['number', 'amount', 'text', 'boolean']).meta({
      description: 'Amounts compare with amounts alone.',
    }),
    unit: z.string(),
    description: z.string(),
    values: z
      .object({
        median: z.number(),
        p99: z.number().meta({ description: 'What 99 of 100 values do not exceed.' }),
        missing: z.number().min(0).max(1).meta({ description: 'Share of scores without a value.' }),
      })
      .nullable()
      .meta({ description: 'Of the sample of yesterday; null without a value.' }),
  })
  .meta({ id: 'CatalogueName' });
export type CatalogueNameJson = z.infer<typeof catalogueNameSchema>;
export const catalogueExample: CatalogueNameJson = {
  name: 'count_1h',
  type: 'number',
  unit: 'transactions',
  description: 'Siblings of the last hour.',
  values: { median: 0, p99: 4, missing: 0 },
};
