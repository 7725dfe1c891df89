/** The schema of a submitted transaction, field by field, where no service is needed to see it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newTransactionId } from '../../../../src/core/accept/transaction-id.ts';
import { currencyScale, toMinorUnits } from '../../../../src/core/domain/currency.ts';
import { canonicalJson, metadataProblem, nestingOf } from '../../../../src/core/domain/metadata.ts';
import { transactionInputSchema } from '../../../../src/core/domain/transaction.ts';
import { createdAtMsOf } from '../../../../src/core/domain/transaction-id.ts';

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
    ['2026-11-20T09:30:00Z', true],
    ['2026-11-20t09:30:00.123456789z', true],
    ['2026-11-20T09:30:00-00:00', true],
    ['2024-02-29T00:00:00Z', true],
    ['2023-02-29T00:00:00Z', false],
    ['2026-04-31T00:00:00Z', false],
    ['2026-13-01T00:00:00Z', false],
    ['2026-11-20T09:30:60Z', false],
    ['2026-11-20T09:30Z', false],
    ['2026-11-20 09:30:00Z', false],
    ['2026-11-20T09:30:00', false],
    ['2026-11-20T09:30:00+2:00', false],
  ])('created_at %s: %s', (created_at, isValid) => {
    expect(accepts({ created_at })).toBe(isValid);
  });

  test.each([
    ['10.0.0.1', true],
    ['::ffff:10.0.0.1', true],
    ['2001:db8::1', true],
    ['::ffff:10.0.0.256', false],
    ['1:2:3:4:5:6:7:10.0.0.1', false],
    ['10.0.0.1/8', false],
    ['10.0.0', false],
    ['localhost', false],
    ['::1%eth0', false],
  ])('ip %s: %s', (ip, isValid) => {
    expect(accepts({ ip })).toBe(isValid);
  });

  test.each([
    ['GB', 'US-EG', true],
    ['XK', 'US-EG', true],
    ['UK', 'US-EG', false],
    ['UK', 'UK-NG', true],
    ['NG', 'UK-NG', true],
    ['ZZ', 'UK-NG', false],
    ['K-', 'UK-NG', false],
  ])('country %s in %s: %s', (country, corridor, isValid) => {
    expect(accepts({ country, corridor })).toBe(isValid);
  });

  test('counts characters as Postgres does, by code point', () => {
    expect(accepts({ account_id: '😀'.repeat(128) })).toBe(true);
    expect(accepts({ account_id: '😀'.repeat(129) })).toBe(false);
  });

  test('says what is wrong with a text', () => {
    const messages = ['', 'a\u0000', '\ud800', 'x'.repeat(129)].map((account_id) => {
      const parsed = transactionInputSchema.safeParse({ ...VALID, account_id });
      return parsed.error?.issues.map((issue) => issue.message);
    });
    expect(messages).toEqual([
      ['must not be empty'],
      ['must not contain control characters'],
      ['must not contain lone surrogates'],
      ['must have at most 128 characters, not 129'],
    ]);
  });
});

describe('metadataProblem', () => {
  test.each([
    ['a list', [], 'must be an object'],
    ['null', null, 'must be an object'],
    ['infinity', { a: [Number.POSITIVE_INFINITY] }, 'must not contain a number'],
    ['NUL', { a: '\u0000' }, 'U+0000'],
    ['a lone surrogate', { '\udc00': 1 }, 'lone surrogates'],
    ['__proto__', JSON.parse('{"a":{"__proto__":1}}'), '__proto__'],
    ['4 KiB and a byte', { a: 'x'.repeat(4096 - 7) }, 'at most 4096 bytes'],
    ['numbers that jsonb writes out', { a: Array(13).fill(1e300) }, 'at most 4096 bytes'],
  ])('finds %s', (_name, value, problem) => {
    expect(metadataProblem(value, 4096)).toContain(problem);
  });

  test.each([
    ['nothing', {}],
    ['exactly 4 KiB', { a: 'x'.repeat(4096 - 8) }],
    ['an escaped backslash before u0000', { a: '\\u0000' }],
    ['nesting of 31', JSON.parse('{"a":'.repeat(31) + 1 + '}'.repeat(31))],
  ])('passes %s', (_name, value) => {
    expect(metadataProblem(value, 4096)).toBeUndefined();
  });

  test('does not follow a value deeper than its bound', () => {
    const deep = JSON.parse('{"a":'.repeat(32) + 1 + '}'.repeat(32));
    expect(metadataProblem(deep, 4096)).toContain('31 levels');
  });
});

test('canonicalJson is the same for every order of members, and only for equal values', () => {
  const value = { b: [1, { d: 1, c: '2' }], a: null };
  expect(canonicalJson({ a: null, b: [1, { c: '2', d: 1 }] })).toBe(canonicalJson(value));
  expect(canonicalJson({ a: null, b: [{ c: '2', d: 1 }, 1] })).not.toBe(canonicalJson(value));
  expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }));
});

test('nestingOf counts objects and lists', () => {
  expect([1, {}, { a: [] }, { a: [{}], b: 1 }].map(nestingOf)).toEqual([0, 1, 2, 3]);
});

describe('currencies', () => {
  test.each([
    ['USD', 2],
    ['JPY', 0],
    ['KWD', 3],
    ['XAU', undefined],
    ['usd', undefined],
    ['constructor', undefined],
  ])('%s has %s places', (code, scale) => {
    expect(currencyScale(code)).toBe(scale);
  });

  test.each([
    ['125.50', 'USD', 12_550],
    ['125.5', 'USD', 12_550],
    ['125', 'USD', 12_500],
    ['900', 'JPY', 900],
    ['1.005', 'KWD', 1005],
  ])('%s %s is %s minor units', (amount, currency, units) => {
    expect(toMinorUnits(amount, currency)).toBe(units);
  });

  test('are the nearest double of all digits, where one is exact and where none is', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 17 });
    fc.assert(
      fc.property(digits, digits, (whole, places) => {
        const text = whole + places.padEnd(2, '0');
        expect(toMinorUnits(`${whole}.${places}`, 'USD')).toBe(Number(text));
      }),
      { numRuns: 2000 },
    );
  });
});

test('transaction ids are distinct UUIDv7 that carry created_at, from 2000 to the far future', () => {
  for (const atMs of [Date.UTC(2000, 0, 1), Date.UTC(2026, 10, 20), 2 ** 47]) {
    const ids = Array.from({ length: 1000 }, () => newTransactionId(atMs));
    expect(new Set(ids).size).toBe(1000);
    expect(ids.map(createdAtMsOf)).toEqual(Array(1000).fill(atMs));
  }
});
