/**
 * Query parameters that the lists share. Times need a zone; `from` is inclusive, `to` exclusive; pages are
 * bounded; an invalid cursor is refused.
 */
import { z } from 'zod';
import { decodeCursor } from './cursor.ts';
import { VERDICTS } from './score-record.ts';
import { TRANSACTION_LIMITS } from './transaction.ts';
import { wireTime } from './wire-time.ts';

export const PAGE_LIMITS = { rowsDefault: 50, rowsMax: 200 } as const;

const INTEGER = /^\d{1,4}$/;

/** A whole number given as text in the query string. */
export const integerParameter = (min: number, max: number) =>
  z
    .string()
    .regex(INTEGER, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));

export const timeParameter = wireTime.transform((text) => Date.parse(text));

export const idParameter = z
  .string()
  .min(1)
  .max(TRANSACTION_LIMITS.idChars)
  .refine((text) => !text.includes('\u0000') && text.isWellFormed(), 'is not well-formed text');

export const corridorParameter = z
  .string()
  .regex(/^[A-Z]{2}-[A-Z]{2}$/, 'must be SOURCE-DESTINATION, as US-EG');

/** Most rows of a page. */
export const pageLimit = integerParameter(1, PAGE_LIMITS.rowsMax).default(PAGE_LIMITS.rowsDefault);

/** `limit` and `cursor`, the latter decoded to the position it stands for. */
export const pageParameters = {
  limit: pageLimit,
  cursor: z
    .string()
    .transform((text, context) => {
      const position = decodeCursor(text);
      if (position !== undefined) return position;
      context.addIssue({ code: 'custom', message: 'is not a cursor of this list', input: text });
      return z.NEVER;
    })
    .optional(),
};

const listParameters = {
  account_id: idParameter.optional(),
  merchant_id: idParameter.optional(),
  corridor: corridorParameter.optional(),
  from: timeParameter.optional(),
  to: timeParameter.optional(),
  ...pageParameters,
};

/** `GET /v1/transactions?…` */
export const transactionListParameters = z.strictObject(listParameters);
export type TransactionListParameters = z.output<typeof transactionListParameters>;

/** `GET /v1/scores?…` */
export const scoreListParameters = z.strictObject({
  ...listParameters,
  verdict: z.enum(VERDICTS).optional(),
  min_score: integerParameter(0, 1000).optional(),
  reason: z
    .string()
    .regex(/^[A-Z0-9_]{1,64}$/, 'must be a reason code, as VELOCITY_COUNT_1H')
    .optional(),
});
export type ScoreListParameters = z.output<typeof scoreListParameters>;
