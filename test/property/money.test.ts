/**
 * Goal: an amount is accepted exactly as the rules say and stored exactly as it was sent; Postgres itself
 * refuses anything else. Method: amounts made from digits, sent to the schema, stored and read.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { currencyScale, toMinorUnits } from '../../src/core/domain/currency.ts';
import { transactionInputSchema } from '../../src/core/domain/transaction.ts';
import { textArray } from '../../src/kit/database/binary-array.ts';
import { openTestDatabase } from '../support/database.ts';

const CURRENCIES = ['USD', 'EUR', 'JPY', 'KWD', 'EGP', 'CLF'];

const { testDatabase, database } = await openTestDatabase();

const digits = (min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max });

const amounts = fc
  .tuple(digits(1, 17), fc.option(digits(0, 6), { nil: undefined }))
  .map(([whole, places]) => (places === undefined ? whole : `${whole}.${places}`));

const accepted = (amount: string, currency: string) =>
  transactionInputSchema.safeParse({
    account_id: 'a',
    merchant_id: 'm',
    corridor: 'US-EG',
    amount,
    currency,
  }).success;

/** The rule of the contract, by arithmetic on big integers instead of an expression. */
function isAmount(amount: string, currency: string): boolean {
  const [whole = '', places, ...more] = amount.split('.');
  if (more.length > 0 || whole === '' || places === '') return false;
  if (String(BigInt(whole)) !== whole || whole.length > 15) return false;
  if ((places ?? '').length > (currencyScale(currency) ?? 0)) return false;
  return BigInt(whole + (places ?? '')) > 0n;
}

describe('an amount', () => {
  test('made of digits is accepted exactly when the rule says so', () => {
    fc.assert(
      fc.property(amounts, fc.constantFrom(...CURRENCIES), (amount, currency) => {
        expect(accepted(amount, currency)).toBe(isAmount(amount, currency));
      }),
      { numRuns: 5000 },
    );
  });

  test('of any text is accepted only if it is one', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.constantFrom('1e5', '+1', '-1', '.5', '5.', '1_000', '１', '0x1', 'NaN', '1\n', ' 1'),
    );
    fc.assert(
      fc.property(texts, (text) => {
        if (accepted(text, 'USD')) expect(text).toMatch(/^\d{1,15}(\.\d{1,2})?$/);
      }),
      { numRuns: 5000 },
    );
  });

  test('is stored and read as the text that was sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(amounts, { minLength: 1, maxLength: 200 }), async (given) => {
        const texts = given.filter((amount) => isAmount(amount, 'KWD'));
        const rows = await database.query<{ amount: string }>(
          {
            name: 'amounts-round-trip',
            text: 'select a::numeric::text as amount from unnest($1::text[]) with ordinality u(a, n) order by n',
          },
          [textArray(texts)],
        );
        expect(rows.map((row) => row.amount)).toEqual(texts);
      }),
      { numRuns: 30 },
    );
  });

  test('in minor units equals big-integer arithmetic below 2^53', () => {
    fc.assert(
      fc.property(amounts, fc.constantFrom(...CURRENCIES), (amount, currency) => {
        fc.pre(isAmount(amount, currency));
        const [whole = '', places = ''] = amount.split('.');
        const units = BigInt(whole + places.padEnd(currencyScale(currency) ?? 0, '0'));
        fc.pre(units <= BigInt(Number.MAX_SAFE_INTEGER));
        expect(BigInt(toMinorUnits(amount, currency))).toBe(units);
      }),
      { numRuns: 5000 },
    );
  });
});

test.each(['NaN', 'Infinity', '0', '-1', '1e15', '1.00001'])(
  'Postgres refuses an amount of %s by itself',
  async (amount) => {
    await testDatabase.sql(
      'create table if not exists transactions_all partition of transactions default',
    );
    await expect(
      testDatabase.sql(
        `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id,
           corridor, amount, currency)
         values ('default', gen_random_uuid(), '2026-01-01', now(), 'a', 'm', 'US-EG', $1::numeric, 'USD')`,
        [amount],
      ),
    ).rejects.toMatchObject({ code: '23514' });
  },
);
