/** The schema of a submitted transaction, field by field, where no service is needed to see it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newTransactionId } from '../../../../src/core/accept/prepare-transactions.ts';
import { toMinorUnits } from '../../../../src/core/domain/currency.ts';
import { canonicalJson } from '../../../../src/core/domain/metadata.ts';
import { createdAtMsOf, transactionInputSchema } from '../../../../src/core/domain/transaction.ts';

const VALID = {
  idempotency_key: 'k',
  account_id: 'a',
  merchant_id: 'm',
  amount: '1.50',
  currency: 'USD',
  corridor: 'US-EG',
};

const accepts = (fields: object) =>
  transactionInputSchema.safeParse({ ...VALID, ...fields }).success;

describe('transactionInputSchema', () => {
  test.each([
    ['10.0.0.1', true],
    ['2001:db8::1', true],
    ['::ffff:10.0.0.256', false],
    ['1:2:3:4:5:6:7:10.0.0.1', false],
    ['10.0.0', false],
    ['::1%eth0', false],
  ])('ip %s: %s', (ip, isValid) => {
    expect(accepts({ ip })).toBe(isValid);
  });

  test.each([
    ['GB', 'US-EG', true],
    ['XK', 'US-EG', true],
    ['UK', 'US-EG', false],
    ['UK', 'UK-NG', true],
    ['ZZ', 'UK-NG', false],
  ])('country %s in %s: %s', (country, corridor, isValid) => {
    expect(accepts({ country, corridor })).toBe(isValid);
  });

  test('counts characters as Postgres does, by code point', () => {
    expect(accepts({ account_id: '😀'.repeat(128) })).toBe(true);
    expect(accepts({ account_id: '😀'.repeat(129) })).toBe(false);
  });
});

test('canonicalJson is the same for every order of members, and only for equal values', () => {
  const value = { b: [1, { d: 1, c: '2' }], a: null };
  expect(canonicalJson({ a: null, b: [1, { c: '2', d: 1 }] })).toBe(canonicalJson(value));
  expect(canonicalJson({ a: null, b: [{ c: '2', d: 1 }, 1] })).not.toBe(canonicalJson(value));
  expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }));
});

test('currencies are the nearest double of all digits, where one is exact and where none is', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 17 });
  fc.assert(
    fc.property(digits, digits, (whole, places) => {
      const text = whole + places.padEnd(2, '0');
      expect(toMinorUnits(`${whole}.${places}`, 'USD')).toBe(Number(text));
    }),
    { numRuns: 2000 },
  );
});

test('transaction ids are distinct UUIDv7 that carry created_at, from 2000 to the far future', () => {
  for (const atMs of [Date.UTC(2000, 0, 1), Date.UTC(2026, 10, 20), 2 ** 47]) {
    const ids = Array.from({ length: 1000 }, () => newTransactionId(atMs));
    expect(new Set(ids).size).toBe(1000);
    expect(ids.map(createdAtMsOf)).toEqual(Array(1000).fill(atMs));
  }
});
