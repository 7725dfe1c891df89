import { expect, test } from 'vitest';
import { z } from 'zod';
import { labelInputSchema } from '../../../../../src/core/domain/label.ts';
import { transactionInputSchema } from '../../../../../src/core/domain/transaction.ts';
import { checkFields } from '../../../../../src/kit/http/body/body.ts';
import { listReader } from '../../../../../src/kit/http/body/list-reader.ts';
import { atOnce } from '../../../../../src/kit/process/pauses.ts';
import { fieldErrors, InvalidFields } from '../../../../../src/kit/words/field-errors.ts';
import { transactionSearchParameters } from '../../../../../src/rooms/search/queries/parameters.ts';

function refusal(work: () => unknown): InvalidFields {
  try {
    work();
  } catch (error) {
    if (error instanceof InvalidFields) return error;
    throw error;
  }
  throw new Error('was not refused');
}

function detailOf(schema: z.ZodType, value: object): string {
  return refusal(() => checkFields(schema, value)).message;
}

const TRANSACTION = {
  ...{ account_id: 'a', merchant_id: 'm', amount: '1', currency: 'USD', corridor: 'US-EG' },
};
const LABEL = { label: 'fraud', labelled_at: '2026-11-20T00:00:00Z', source: 's' };

test.each([
  [
    transactionSearchParameters,
    { reason: 'r' },
    "/reason/0 must be a reason code, as GET /v1/reason-codes lists them, not 'r'.",
  ],
  [
    transactionInputSchema,
    { ...TRANSACTION, amount: '1.234' },
    '/amount must have at most 2 decimal places in USD, not 3.',
  ],
  [
    transactionInputSchema,
    { ...TRANSACTION, currency: 'usd' },
    "/currency must be in capitals, as USD, not 'usd'.",
  ],
  [
    transactionInputSchema,
    { ...TRANSACTION, country: 'ZZ' },
    "/country must be an ISO 3166 alpha-2 code, as US; leave out a country that is unknown, not 'ZZ'.",
  ],
  [
    transactionInputSchema,
    { ...TRANSACTION, created_at: '2026-02-30T00:00:00Z' },
    "/created_at must be a time that exists, not '2026-02-30T00:00:00Z'.",
  ],
  [labelInputSchema, LABEL, '/transaction_id is required, or idempotency_key.'],
] as const)('%# names the field, what is allowed and what was given', (schema, value, detail) => {
  expect(detailOf(schema, value)).toEqual(detail);
});

test('a text in place of a list is told once', () => {
  const schema = z.strictObject({ kinds: z.array(z.string()).min(1).max(5), url: z.url() });
  const parsed = schema.safeParse({ kinds: 'transaction.decided', url: 'https://a.example' });
  expect(fieldErrors(schema, parsed.error as z.ZodError).map(({ pointer }) => pointer)).toEqual([
    '/kinds',
  ]);
});

test('a body without items, with too many or with none at all is refused with their number', () => {
  const read = listReader('labels', labelInputSchema, 2);
  const detail = (value: unknown) => refusal(() => atOnce(read(value))).message;
  expect(detail({ labels: [] })).toBe('/labels must have at least 1 item, not 0.');
  expect(detail({ labels: [1, 2, 3] })).toBe('/labels must have at most 2 items, not 3.');
  expect(detail({ labels: 5 })).toBe('/labels must be an array, not 5.');
  for (const bare of [[], { label: 'fraud' }, null])
    expect(detail(bare)).toBe('The body must be an object, as {"labels": […]}.');
});

test('the detail of several invalid fields names the first and counts the others', () => {
  expect(detailOf(transactionSearchParameters, { limit: 'x', min_score: 'y', foo: '1' })).toBe(
    "/min_score must be a whole number from 0 to 1000, not 'y'; 2 more fields are invalid.",
  );
});
