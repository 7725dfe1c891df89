/**
 * A transaction: one movement of money submitted for scoring. The wire form is snake_case with the
 * amount as a decimal string; inside the engine it is this camelCase record. The amount never becomes
 * a number outside a feature (`toMinorUnits`).
 */
import { z } from 'zod';
import { currencyScale } from './currency.ts';

/** What a client may not exceed. Units are in the names. */
export const TRANSACTION_LIMITS = {
  idChars: 128,
  idempotencyKeyChars: 255,
  amountIntegerDigits: 15,
  metadataBytes: 4 * 1024,
  metadataDepth: 32,
  /** Earliest `created_at`: 2000-01-01T00:00:00.000Z. */
  createdAtMsMin: Date.UTC(2000, 0, 1),
  /** How far ahead of the receiving clock `created_at` may lie. */
  createdAtAheadMsMax: 24 * 60 * 60 * 1000,
} as const;

/** One accepted transaction, as stored, streamed and scored. Times are epoch milliseconds, UTC. */
export type Transaction = {
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly receivedAtMs: number;
  readonly accountId: string;
  readonly merchantId: string;
  readonly amount: string;
  readonly currency: string;
  readonly corridor: string;
  readonly type: string | null;
  readonly ip: string | null;
  readonly deviceId: string | null;
  readonly country: string | null;
  readonly channel: string | null;
};

export const TRANSACTION_STATUSES = ['accepted', 'scored', 'dead_lettered'] as const;
export type TransactionStatus = (typeof TRANSACTION_STATUSES)[number];

// No C0/C1 control characters, no NUL; lone surrogates are refused by isWellFormed.
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const plainText = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .refine((text) => !CONTROL.test(text), 'must not contain control characters')
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode');

const optionalText = plainText(64).optional();

const AMOUNT = /^(0|[1-9]\d{0,14})(\.\d+)?$/;
const ZERO = /^0(\.0+)?$/;
// RFC 3339 with a mandatory zone; fractions beyond the millisecond are accepted and cut.
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

const createdAt = z
  .string()
  .regex(RFC3339, 'must be an RFC 3339 time with a zone, as 2026-11-20T09:30:00.000Z')
  .refine((text) => isRealTime(text), 'is not a time that exists')
  .meta({ format: 'date-time', example: '2026-11-20T09:30:00.000Z' });

/** Refuses 30 February and hour 24, which Date would roll over. Leap seconds are refused too. */
function isRealTime(text: string): boolean {
  const day = Number(text.slice(8, 10));
  const daysInMonth = new Date(
    Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0),
  ).getUTCDate();
  return day <= daysInMonth && Number(text.slice(11, 13)) < 24 && !Number.isNaN(Date.parse(text));
}

/** Fields of one submitted transaction, without its idempotency key. */
const fields = {
  account_id: plainText(TRANSACTION_LIMITS.idChars).meta({ example: 'acc_17' }),
  merchant_id: plainText(TRANSACTION_LIMITS.idChars).meta({ example: 'm_9' }),
  amount: z
    .string('must be a decimal string, as "125.50"')
    .regex(AMOUNT, 'must be a positive decimal string of at most 15 integer digits')
    .refine((amount) => !ZERO.test(amount), 'must be greater than zero')
    .meta({ example: '125.50' }),
  currency: z
    .string()
    .refine((code) => currencyScale(code) !== undefined, 'is not an ISO 4217 currency code')
    .meta({ example: 'USD' }),
  corridor: z
    .string()
    .regex(/^[A-Z]{2}-[A-Z]{2}$/, 'must be SOURCE-DESTINATION, as US-EG')
    .meta({ example: 'US-EG' }),
  created_at: createdAt.optional(),
  type: optionalText,
  ip: z.union([z.ipv4(), z.ipv6()]).optional(),
  device_id: plainText(TRANSACTION_LIMITS.idChars).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be an ISO 3166 alpha-2 code')
    .optional()
    .meta({ example: 'US' }),
  channel: optionalText,
  metadata: z.record(z.string(), z.json()).optional(),
};

export const idempotencyKeySchema = plainText(TRANSACTION_LIMITS.idempotencyKeyChars);

function checkScale(input: { amount: string; currency: string }, context: z.RefinementCtx): void {
  const scale = currencyScale(input.currency);
  const point = input.amount.indexOf('.');
  const digits = point < 0 ? 0 : input.amount.length - point - 1;
  if (scale !== undefined && digits > scale) {
    context.addIssue({
      code: 'custom',
      path: ['amount'],
      message: `has ${digits} decimal places; ${input.currency} allows ${scale}`,
      input: input.amount,
    });
  }
}

/** One submitted transaction; the key may come from the `Idempotency-Key` header instead. */
export const transactionInputSchema = z
  .strictObject({ idempotency_key: idempotencyKeySchema.optional(), ...fields })
  .superRefine(checkScale)
  .meta({ id: 'TransactionInput' });
export type TransactionInput = z.infer<typeof transactionInputSchema>;

/** A submitted transaction whose idempotency key is known: what ingest accepts. */
export type KeyedTransactionInput = TransactionInput & { readonly idempotency_key: string };
