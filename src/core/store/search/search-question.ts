/** Parameters of searches and exports of transactions and their scores. */
import { z } from 'zod';
import {
  corridorFilter,
  idParameter,
  integerParameter,
  shown,
  timeParameter,
} from '../../../kit/words/list-parameters.ts';
import {
  findEmpty,
  NUMBERS,
  type RangeKind,
  refuseEmpty,
  TIMES,
} from '../../../kit/words/range.ts';
import { compareDecimals, currencyCode } from '../../domain/currency.ts';
import { LABEL_VALUES } from '../../domain/label.ts';
import { NO_MODEL, SCORE_MAX, VERDICTS } from '../../domain/score-record.ts';
import { idempotencyKeySchema, ipAddress, TRANSACTION_STATUSES } from '../../domain/transaction.ts';
import { REASON_CODE } from '../../score/reason-codes.ts';
import { baseName } from '../../score/rules/derived-rule-set.ts';

/** Most reason codes of one search: each is a condition of its own. */
const REASONS_MAX = 20;
const DEGRADATION_MAX = 4;
/** A name without all of its rules has 600. */
const RULE_SET_CHARS_MAX = 1000;

/** As a stored amount: 15 digits before the point, 4 after it. */
const AMOUNT = /^(0|[1-9]\d{0,14})(\.\d{1,4})?$/;

export const reasonCode = z
  .string()
  .regex(REASON_CODE, 'must be a reason code, as GET /v1/reason-codes lists them');

export const currencyFilter = currencyCode.optional().meta(shown('USD', 'Only this currency.'));

export const ruleSetFilter = z
  .string()
  .max(RULE_SET_CHARS_MAX)
  .refine(
    (id) => baseName(id) !== undefined,
    "must be the name of a rule set, as 'default@4', or a name derived of one",
  )
  .optional()
  .meta(shown('default@4', 'Only scores of this rule set, named as scores name it.'));

export const modelFilter = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
  .optional()
  .meta(
    shown(NO_MODEL, 'Only scores that this model decided, as fraud@3; `none`: that no model did.'),
  );

/** Several words with commas between them, each once. */
const wordsParameter = <Word extends string>(word: z.ZodType<Word, Word>, wordsMax: number) =>
  z
    .string()
    .transform((text) => text.split(',') as Word[])
    .pipe(z.array(word).max(wordsMax))
    .transform((words) => [...new Set(words)]);

const amountParameter = z
  .string()
  .regex(AMOUNT, {
    error: 'must be a decimal with at most 15 digits before the point and 4 after it, as 125.50',
    // Bounds that are no decimals cannot be compared.
    abort: true,
  })
  .optional();

const time = (example: string, description: string) =>
  timeParameter.optional().meta(shown(example, description));

const scoreParameter = integerParameter(0, SCORE_MAX).optional();

const [FROM, TO] = ['2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z'];

export const filters = {
  account_id: idParameter.optional().meta(shown('acc_17', 'Only this account.')),
  merchant_id: idParameter.optional().meta(shown('m_9', 'Only this merchant.')),
  device_id: idParameter.optional().meta(shown('device-4f2a', 'Only this device.')),
  ip: ipAddress
    .optional()
    .meta({ example: undefined, ...shown('203.0.113.7', 'Only this address, in any spelling.') }),
  corridor: corridorFilter,
  client: idParameter
    .optional()
    .meta(shown('shop', 'Only what keys of this client sent; with idempotency_key its owner.')),
  idempotency_key: idempotencyKeySchema
    .optional()
    .meta(shown('order-1001', 'Only the transaction that was sent with this key; needs `client`.')),
  currency: currencyFilter,
  min_amount: amountParameter.meta(shown('100.00', 'This amount or more; needs `currency`.')),
  max_amount: amountParameter.meta(shown('500.00', 'This amount or less; needs `currency`.')),
  verdict: wordsParameter(z.enum(VERDICTS), VERDICTS.length)
    .optional()
    .meta({
      description: `Only these verdicts: one or more of ${VERDICTS.join(', ')}, with commas between them.`,
      override: { type: 'string', examples: ['review,decline'] },
    }),
  min_score: scoreParameter.meta(shown(800, 'This score or more.')),
  max_score: scoreParameter.meta(shown(900, 'This score or less.')),
  reason: wordsParameter(reasonCode, REASONS_MAX)
    .optional()
    .meta({
      description: `Only scores with these reasons: up to ${REASONS_MAX} codes of /v1/reason-codes, with commas between them.`,
      override: { type: 'string', examples: ['VELOCITY_COUNT_1H'] },
    }),
  reason_match: z.enum(['any', 'all']).default('any').meta({
    description: 'Whether one of the reasons is enough, or a score must have all of them.',
  }),
  rule_set: ruleSetFilter,
  model: modelFilter,
  label: z
    .enum([...LABEL_VALUES, 'none'])
    .optional()
    .meta({ description: 'Only transactions whose deciding label is this; `none`: without any.' }),
  degradation: integerParameter(0, DEGRADATION_MAX)
    .optional()
    .meta(shown(2, 'Only scores that were made at this level of degradation.')),
  from: time(FROM, 'created_at is this time or later.'),
  to: time(TO, 'created_at is earlier than this time.'),
  received_from: time(FROM, 'received_at is this time or later.'),
  received_to: time(TO, 'received_at is earlier than this time.'),
  scored_from: time(FROM, 'scored_at is this time or later.'),
  scored_to: time(TO, 'scored_at is earlier than this time.'),
};

export const orderParameter = z.enum(['desc', 'asc']).default('desc');

type Asked = Partial<z.output<z.ZodObject<typeof filters>>> & { readonly sort?: string };
const AMOUNTS: RangeKind<string> = {
  compare: compareDecimals,
  show: (amount) => `'${amount}'`,
};

/** Amounts are compared within one currency, a key is its client's, and ranges are in order. */
export function checkTogether(asked: Asked, context: z.RefinementCtx): void {
  const { sort, currency, min_amount, max_amount, client, idempotency_key } = asked;
  const demand = (field: keyof Asked, reason: string) =>
    context.addIssue({
      code: 'custom',
      path: [field],
      message: `is required with ${reason}`,
      input: undefined,
    });
  if (currency === undefined) {
    if (sort === 'amount') demand('currency', 'sort=amount');
    else if (min_amount !== undefined) demand('currency', 'min_amount');
    else if (max_amount !== undefined) demand('currency', 'max_amount');
  }
  if (idempotency_key !== undefined && client === undefined) demand('client', 'idempotency_key');
  refuseEmpty(
    context,
    findEmpty(asked, 'from', 'to', TIMES),
    findEmpty(asked, 'received_from', 'received_to', TIMES),
    findEmpty(asked, 'scored_from', 'scored_to', TIMES),
    findEmpty(asked, 'min_score', 'max_score', NUMBERS),
    findEmpty(asked, 'min_amount', 'max_amount', AMOUNTS),
  );
}

export const status = z
  .enum(TRANSACTION_STATUSES)
  .optional()
  .meta({ description: 'Only transactions of which this became.' });

/** Filters of a search, without how its rows are listed. */
export type SearchQuestion = z.output<
  z.ZodObject<typeof filters & { readonly status: typeof status }>
>;
