/**
 * A rule set as data, version 2 of its shape: what a file, a row and a request carry. Everything that a decision depends on is
 * in the data, so the SHA-256 of its canonical JSON names the rule set.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { given, shortText } from '../../../kit/words/describe-issue.ts';
import { FIELD_CHARS_MAX, type FieldError, jsonPointer } from '../../../kit/words/field-errors.ts';
import { nearestName } from '../../../kit/words/nearest-name.ts';
import { FEATURE_SCHEMAS } from '../../domain/feature-schema.ts';
import { canonicalJson, FIELD_NAME, FIELD_TYPES, FIELDS_MAX } from '../../domain/metadata.ts';
import { shareSchema } from '../../domain/policy.ts';
import { SCORE_MAX, VERDICTS } from '../../domain/score-record.ts';
import { type Catalogue, typeOfKey } from './expression/catalogue.ts';
import type { ValueType } from './expression/expression.ts';

/** A single function decides by all rules, and V8 optimises no function that is several times as long. */
export const RULES_MAX = 256;
/** More bands than a person can give reasons for. */
const BANDS_MAX = 16;
/** More examples than a person reads beside a rule. */
const EXAMPLES_MAX = 16;
/** Longer sentences do not fit a row of the console. */
const SENTENCE_CHARS_MAX = 300;

/** In the order in which a forced verdict goes before the next one. */
export const FORCED_VERDICTS = ['block', 'allow', 'decline', 'review', 'approve'] as const;
export type ForcedVerdict = (typeof FORCED_VERDICTS)[number];

const corridor = z.string().regex(/^[A-Z]{2}-[A-Z]{2}$/, 'must be a corridor, as US-EG');
const sentence = z.string().min(1).max(SENTENCE_CHARS_MAX);
/** The folder `expression` has bounds and grammar. */
const expression = z.string().min(1);
/** 0..1: the risk of a transaction on which nothing else fires. */
const weight = z.number().min(0).max(1);
const points = z.int().min(1).max(SCORE_MAX);

const thresholdsSchema = z
  .strictObject({ review: points, decline: points })
  .refine(({ review, decline }) => review <= decline, 'must rise from review to decline');
/** Least score of each verdict above `approve`. */
export type Thresholds = Readonly<z.infer<typeof thresholdsSchema>>;

/** Largest shares of the newest payments judged by the rule set (`daysOfTops`) that are reviewed or declined, and declined. */
const sharesSchema = z
  .strictObject({ review: shareSchema, decline: shareSchema })
  .refine(({ review, decline }) => decline <= review, {
    path: ['decline'],
    error: 'must be at most review',
  });

/**
 * A band reaches from `from` (inclusive) to the next band's `from` (exclusive). The weight rises linearly from this band's to
 * the next one's, so that values rank within a band too; the last band is constant. Below the first band the rule does not fire.
 */
const bandsSchema = z
  .array(z.strictObject({ from: z.number(), weight }))
  .min(1)
  .max(BANDS_MAX)
  .refine(
    (bands) =>
      bands.every((band, index) => {
        const before = bands[index - 1];
        return before === undefined || (before.from < band.from && before.weight <= band.weight);
      }),
    'must not fall by `weight`, and rise by `from`',
  );
export type Band = Readonly<z.infer<typeof bandsSchema>[number]>;

const codeMeasureSchema = z.strictObject({
  /** Name in `measures.ts`. */
  code: z.string(),
  bounds: z.record(z.string(), z.number()),
});

const exampleSchema = z
  .strictObject({
    /** Values by the names under which scores record them; an absent one is missing. */
    given: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    /** Whether the rule fires. */
    fires: z.boolean().optional(),
    /** Verdict of the whole rule set. */
    verdict: z.enum(VERDICTS).optional(),
  })
  .refine(
    ({ fires, verdict }) => fires !== undefined || verdict !== undefined,
    'must have fires, or verdict',
  );
export type RuleExample = Readonly<z.infer<typeof exampleSchema>>;

export const ruleSchema = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be lower-case words with hyphens'),
    /** A sentence for analysts: the abuse that the rule catches. */
    sentence,
    /** Code of the reason that it gives. */
    code: z
      .string()
      .regex(
        /^(?!MODEL_|MANUAL_REVIEW$|RULE_FAILED$)[A-Z][A-Z0-9_]{0,63}$/,
        'must be a reason code of a rule',
      ),
    /** The condition; where it is false or missing, the rule does not fire. Absent: only the bands decide. */
    when: expression.optional(),
    /** The effect is a weight, a measured number with bands, or a forced verdict. */
    weight: weight.gt(0).optional(),
    measure: z.union([expression, codeMeasureSchema]).optional(),
    bands: bandsSchema.optional(),
    verdict: z.enum(FORCED_VERDICTS).optional(),
    /** Corridors in which it may fire. Absent: in all. */
    corridors: z.array(corridor).min(1).optional(),
    /** Absent: it is on. */
    state: z.enum(['on', 'off']).optional(),
    /** True where its weight adds to the risk even when a model decides. */
    policy: z.boolean().optional(),
    /** The sentence of its reason, with `{expression}` or `{expression:decimals}`. Absent: `sentence`. */
    detail: z.string().min(1).max(SENTENCE_CHARS_MAX).optional(),
    /** Tests of the rule, which stay with it. */
    examples: z.array(exampleSchema).min(1).max(EXAMPLES_MAX).optional(),
  })
  .superRefine(({ when, weight: ofCondition, measure, bands, verdict }, context) => {
    const say = (message: string) => context.addIssue({ code: 'custom', message });
    const effects = [ofCondition, measure, verdict].filter((effect) => effect !== undefined);
    if (effects.length !== 1) say('must have one of weight, measure and verdict');
    if ((measure === undefined) !== (bands === undefined)) say('must have measure with bands');
    if (measure === undefined && when === undefined) say('must have when, or measure');
  });
export type RuleData = Readonly<z.infer<typeof ruleSchema>>;

const NUMBER = { type: 'number', word: 'a number' };
const VALUES: Readonly<Record<ValueType, { readonly type: string; readonly word: string }>> = {
  number: NUMBER,
  amount: NUMBER,
  text: { type: 'string', word: 'a text' },
  boolean: { type: 'boolean', word: 'true or false' },
};

const unique = (rules: readonly RuleData[], key: 'id' | 'code') =>
  new Set(rules.map((rule) => rule[key])).size === rules.length;

export const ruleSetSchema = z.strictObject({
  /** Version of the shape. */
  version: z.literal(2),
  id: z.string().regex(/^[a-z][a-z0-9-]{0,47}@[1-9]\d{0,5}$/, 'must be name@version'),
  /** The schema of the vectors that its rules read. */
  feature_schema: z.literal(FEATURE_SCHEMAS),
  /** Metadata fields that its rules read, with their types, so that it compiles alike whatever a market declares later. */
  metadata: z
    .record(z.string().regex(FIELD_NAME), z.enum(FIELD_TYPES))
    .refine(
      (fields) => Object.keys(fields).length <= FIELDS_MAX,
      `must have at most ${FIELDS_MAX} fields`,
    )
    .optional(),
  /** In the order in which risk is combined: a rule that is added stands last. */
  rules: z
    .array(ruleSchema)
    .max(RULES_MAX)
    .refine((rules) => unique(rules, 'id'), 'must not have an id twice')
    .refine((rules) => unique(rules, 'code'), 'must not have a code twice'),
  verdicts: z.strictObject({
    all: thresholdsSchema,
    /** Corridors whose thresholds differ. */
    corridors: z.record(corridor, thresholdsSchema).optional(),
    /** Bands in place of all thresholds, where the table of the day knows them. */
    shares: sharesSchema.optional(),
  }),
});
export type RuleSetData = Readonly<z.infer<typeof ruleSetSchema>>;

/** Equal data have the same hash, in whatever order their members stand. */
export function hashRuleSet(data: object): string {
  return hash('sha256', canonicalJson(data));
}

/**
 * Examples of a rule name what a row may have, with values of the right type.
 * @param pointer of the rule
 * @param problemsMax each looks for the nearest name
 */
export function exampleProblems(
  { examples = [] }: RuleData,
  pointer: string,
  catalogue: Catalogue,
  problemsMax: number,
): FieldError[] {
  const wrong = examples.flatMap((example, nth) =>
    Object.entries(example.given).flatMap(([name, value]) => {
      const type = typeOfKey(catalogue, name);
      const wanted = type === undefined ? undefined : VALUES[type];
      return wanted?.type === typeof value ? [] : [{ nth, name, value, wanted }];
    }),
  );
  return wrong.slice(0, problemsMax).map(({ nth, name, value, wanted }) => {
    const path = ['examples', nth, 'given', shortText(name, FIELD_CHARS_MAX)];
    const detail =
      wanted === undefined
        ? `is no name of the catalogue${nearest(name, catalogue)}`
        : `must be ${wanted.word}, not ${given(value)}`;
    return { pointer: `${pointer}${jsonPointer(path)}`, detail };
  });
}

function nearest(name: string, { names }: Catalogue): string {
  const found = nearestName(name, [...names.keys()]);
  return found === undefined ? '' : `; ${found} is`;
}
