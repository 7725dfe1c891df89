/**
 * The policy of review, as data: priorities with their deadlines, overflow rules, and bounds. A version never changes; the
 * newest one is in force.
 */
import { z } from 'zod';
import { currencyCode, marketAmount } from '../../core/domain/currency.ts';
import { LABEL_LIMITS } from '../../core/domain/label.ts';
import { SCORE_MAX } from '../../core/domain/score-record.ts';
import { idText } from '../../kit/words/plain-text.ts';

/** Causes of a case. `spot_check` is a transaction that was not to be reviewed. */
export const CASE_SOURCES = ['verdict', 'dispute', 'spot_check', 'manual'] as const;
export type CaseSource = (typeof CASE_SOURCES)[number];

/** P0 is the most urgent. */
const PRIORITIES = [0, 1, 2, 3, 4, 5] as const;
export const priorityNames = PRIORITIES.map((priority) => `P${priority}` as const);
export const priorityName = (priority: number) => priorityNames[priority] ?? 'P5';

/** Facts that a priority depends on. */
export type CaseFacts = {
  readonly source: CaseSource;
  /** Decimal text, in the currency of the policy; null where no rate is known. */
  readonly market_amount: string | null;
  /** Null while the transaction has no score. */
  readonly score: number | null;
  /** Codes. */
  readonly reasons: readonly string[];
};

/** Source of the labels that reviews make; a label of this source raises no case. */
export const REVIEW_LABEL_SOURCE = 'review';

/** The engine carries out `alert` and `escalate`, and makes suggestions of the last two; people act on `call_all_hands`. */
const OVERFLOW_ACTIONS = [
  'alert',
  'call_all_hands',
  'escalate',
  'suggest_throttle',
  'suggest_tightening',
] as const;

const MINUTES_MAX = 60 * 24 * 365;
const NAME_CHARS_MAX = 64;
const LIST_ITEMS_MAX = 64;
const priority = z.int().min(0).max(5);
const minutes = z.int().min(1).max(MINUTES_MAX);
const ratio = z.number().min(0).max(1);

const priorityRule = z
  .strictObject({
    priority,
    name: idText(NAME_CHARS_MAX),
    deadline_minutes: minutes,
    sources: z.array(z.enum(CASE_SOURCES)).min(1).max(CASE_SOURCES.length).optional(),
    amount_above: marketAmount.optional().meta({
      description:
        'In `currency` of the policy. Also takes a case without an exchange rate: it may be any amount.',
      example: '1000',
    }),
    score_from: z.int().min(0).max(SCORE_MAX).optional(),
    reasons: z
      .array(z.string().regex(/^[A-Z0-9_]{1,64}$/, 'must be a reason code, as NEW_DEVICE'))
      .min(1)
      .max(LIST_ITEMS_MAX)
      .optional()
      .meta({ description: 'Any of these.' }),
  })
  .meta({
    id: 'PriorityRule',
    description: 'Takes a case that meets all conditions it names; without any, every case.',
  });
export type PriorityRule = z.infer<typeof priorityRule>;

const overflowRule = z
  .strictObject({
    priority,
    older_than_minutes: minutes,
    actions: z.array(z.enum(OVERFLOW_ACTIONS)).min(1).max(OVERFLOW_ACTIONS.length),
  })
  .meta({ id: 'OverflowRule' });
export type OverflowRule = z.infer<typeof overflowRule>;

/** A review takes an officer from a second to ten hours. */
export const REVIEWS_PER_HOUR = { min: 0.1, max: 3600 } as const;

const capacityPolicy = z
  .strictObject({
    reviews_per_hour: z.number().min(REVIEWS_PER_HOUR.min).max(REVIEWS_PER_HOUR.max),
    hours_per_day: z.number().min(1).max(24),
    utilisation_max: z.number().min(0.1).max(1),
    utilisation_hired: z.number().min(0.1).max(1),
  })
  .meta({ id: 'CapacityPolicy' });
export type CapacityPolicy = z.infer<typeof capacityPolicy>;

export const reviewPolicySchema = z
  .strictObject({
    priorities: z
      .array(priorityRule)
      .min(1)
      .max(LIST_ITEMS_MAX)
      .meta({ description: 'The first that takes a case places it; the last takes every case.' }),
    overflow: z.array(overflowRule).max(LIST_ITEMS_MAX),
    currency: currencyCode.meta({
      description: 'The currency of the market, in which amounts compare.',
      example: 'USD',
    }),
    four_eyes_amount: marketAmount.meta({
      description:
        'From this amount in `currency` on, and without an exchange rate, a second person confirms.',
      example: '5000',
    }),
    lock_seconds: z.int().min(10).max(86_400),
    undo_seconds: z.int().min(0).max(3600),
    spot_check_ratio: ratio,
    dispute_sources: z
      .array(idText(LABEL_LIMITS.sourceChars))
      .max(LIST_ITEMS_MAX)
      .meta({ description: 'A label of these sources that says fraud raises a case.' }),
    capacity: capacityPolicy,
  })
  .superRefine(({ priorities, dispute_sources: sources, capacity }, context) => {
    const last = priorities.at(-1);
    const conditions = last && [last.sources, last.amount_above, last.score_from, last.reasons];
    if (conditions?.some((condition) => condition !== undefined)) {
      const message = 'must end with a priority without conditions, which takes every other case';
      context.addIssue({ code: 'custom', path: ['priorities'], message, input: priorities });
    }
    if (sources.includes(REVIEW_LABEL_SOURCE)) {
      const message = `must not have '${REVIEW_LABEL_SOURCE}', the source of the labels that reviews make`;
      context.addIssue({ code: 'custom', path: ['dispute_sources'], message, input: sources });
    }
    if (capacity.utilisation_hired > capacity.utilisation_max) {
      const message = 'must be at most utilisation_max';
      const input = capacity.utilisation_hired;
      context.addIssue({ code: 'custom', path: ['capacity', 'utilisation_hired'], message, input });
    }
  })
  .meta({ id: 'ReviewPolicy' });
export type ReviewPolicy = z.infer<typeof reviewPolicySchema>;

export const examplePolicy: ReviewPolicy = {
  priorities: [
    { priority: 0, name: 'dispute', deadline_minutes: 120, sources: ['dispute'] },
    { priority: 5, name: 'spot check', deadline_minutes: 2880, sources: ['spot_check'] },
    { priority: 1, name: 'high value', deadline_minutes: 240, amount_above: '1000' },
    { priority: 2, name: 'high risk', deadline_minutes: 240, score_from: 700 },
    { priority: 3, name: 'trust verification', deadline_minutes: 480, reasons: ['NEW_DEVICE'] },
    { priority: 4, name: 'standard', deadline_minutes: 1440 },
  ],
  overflow: [
    { priority: 4, older_than_minutes: 480, actions: ['suggest_tightening', 'alert'] },
    { priority: 2, older_than_minutes: 240, actions: ['call_all_hands', 'suggest_throttle'] },
    { priority: 0, older_than_minutes: 120, actions: ['escalate'] },
  ],
  currency: 'USD',
  four_eyes_amount: '5000',
  lock_seconds: 900,
  undo_seconds: 20,
  spot_check_ratio: 0.001,
  dispute_sources: ['chargeback', 'bank'],
  capacity: {
    reviews_per_hour: 20,
    hours_per_day: 8,
    utilisation_max: 0.85,
    utilisation_hired: 0.8,
  },
};

/** A version of the policy, as it is stored and answered. */
export const storedPolicySchema = z
  .object({
    version: z.int(),
    made_at: z.iso.datetime(),
    made_by: z.string(),
    policy: reviewPolicySchema,
  })
  .meta({ id: 'StoredReviewPolicy' });
export type StoredPolicy = z.infer<typeof storedPolicySchema>;
