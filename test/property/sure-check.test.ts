/**
 * Goal: the fast check never accepts what the schema refuses or changes, and accepts everything that the schema
 * takes unchanged. Method: JSON values around valid transactions and labels, judged by both.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { labelInputSchema } from '../../src/core/domain/label.ts';
import { transactionInputSchema } from '../../src/core/domain/transaction.ts';
import { sureCheck } from '../../src/kit/http/body/sure-check.ts';
import { runsOf } from '../support/thorough.ts';

const digits = (count: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: count, maxLength: count });
const two = fc.integer({ min: 0, max: 61 }).map((value) => String(value).padStart(2, '0'));
const year = fc.oneof(fc.integer({ min: 1990, max: 2040 }).map(String), digits(4));
const fraction = fc.oneof(
  digits(3).map((text) => `.${text}`),
  fc.integer({ min: 0, max: 9 }).chain((count) => digits(count).map((text) => text && `.${text}`)),
);
const zone = fc.oneof(
  fc.constantFrom('Z', 'z', ''),
  fc.tuple(two, two).map(([h, m]) => `+${h}:${m}`),
);
const times = fc
  .tuple(year, two, two, fc.constantFrom('T', 'T', 't', ' '), two, two, two, fraction, zone)
  .map(([y, mo, d, t, h, mi, s, f, z]) => `${y}-${mo}-${d}${t}${h}:${mi}:${s}${f}${z}`);

const texts = fc.oneof(
  fc.constantFrom('acc_17', 'a', '', 'x'.repeat(64), 'x'.repeat(128), 'x'.repeat(129), '😀'),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('a\u0000', '\ud800', 'a\u0085b', '😀'.repeat(128), '\u2028', 'a b', 'a '),
  fc.constantFrom('Jos\u00e9', 'Jose\u0301', '.', '..', '\u00a0a', 'a\u200b', '\u0958'.repeat(65)),
);
const amounts = fc.oneof(
  fc.constantFrom('0', '0.0', '1.50', '1.505', '01', '1.', '.5', '-1', '1e3', '123456789012345'),
  fc.tuple(digits(3), digits(2)).map(([whole, places]) => `${whole}.${places}`),
);
const codes = fc.constantFrom('USD', 'JPY', 'KWD', 'XAU', 'usd', '', 'constructor', '__proto__');
const addresses = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom('::ffff:1.2.3.4', '1.2.3', '1.2.3.4/8', '::1%e', ''),
);
const anything = fc.jsonValue({ maxDepth: 2 });

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });
const transactions = fc.record({
  idempotency_key: maybe(texts),
  account_id: texts,
  merchant_id: texts,
  amount: amounts,
  currency: codes,
  corridor: fc.constantFrom('US-EG', 'US-US', 'us-eg', 'US-EG\n', 'USEG'),
  created_at: maybe(times),
  type: maybe(texts),
  ip: maybe(addresses),
  device_id: maybe(texts),
  country: maybe(fc.constantFrom('US', 'us', 'USA')),
  channel: maybe(texts),
  metadata: maybe(fc.oneof(fc.constant({}), fc.constant({ a: 'x'.repeat(5000) }), anything)),
});
const labels = fc.record({
  transaction_id: maybe(fc.oneof(fc.uuid(), texts)),
  idempotency_key: maybe(texts),
  label: fc.constantFrom('fraud', 'legitimate', 'Fraud', 'toString'),
  labelled_at: times,
  source: texts,
  note: maybe(texts),
});
const VALID_TRANSACTION = {
  ...{ account_id: 'a', merchant_id: 'm', amount: '1.50', currency: 'USD', corridor: 'US-EG' },
};
const VALID_LABEL = {
  ...{ idempotency_key: 'k', label: 'fraud', labelled_at: '2026-11-20T09:30:00Z', source: 's' },
};

/** A valid value with a few of its fields replaced by probably wrong values, by anything, or by others. */
function around(valid: object, fields: fc.Arbitrary<object>): fc.Arbitrary<unknown> {
  const some = fields.chain((record) => fc.subarray(Object.entries(record), { maxLength: 3 }));
  const others = fc.dictionary(
    fc.constantFrom(...Object.keys(valid), 'other', '__proto__', 'toString', 'ip'),
    anything,
    { maxKeys: 1 },
  );
  const changed = fc.tuple(some, fc.oneof(fc.constant({}), others));
  return fc.oneof(
    { weight: 8, arbitrary: changed.map(([few, other]) => merged(valid, few, other)) },
    { weight: 2, arbitrary: fields },
    { weight: 1, arbitrary: anything },
  );
}

/** As JSON has it: a member named `__proto__` is a member. */
function merged(valid: object, few: [string, unknown][], other: object): unknown {
  const members = [...Object.entries({ ...valid, ...Object.fromEntries(few) })];
  const text = [...members, ...Object.entries(other)]
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return JSON.parse(`{${text.join(',')}}`);
}

const toJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe.each([
  ['transactions', transactionInputSchema, around(VALID_TRANSACTION, transactions)],
  ['labels', labelInputSchema, around(VALID_LABEL, labels)],
] as const)('the check of %s', (_, schema, values) => {
  const isSure = sureCheck(schema);

  test('says yes exactly of what the schema hands back unchanged', () => {
    const seen = { yes: 0, no: 0 };
    fc.assert(
      fc.property(values.map(toJson), (value) => {
        const before = JSON.stringify(value);
        const parsed = schema.safeParse(value);
        seen[parsed.success ? 'yes' : 'no']++;
        const isUnchanged = parsed.success && isDeepStrictEqual(parsed.data, value);
        expect(isSure(value)).toBe(isUnchanged);
        expect(JSON.stringify(value)).toBe(before);
      }),
      { numRuns: runsOf(5000) },
    );
    // The generated values have both answers.
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(runsOf(250));
  });
});

test('a field that is there and undefined is left to the schema', () => {
  expect(sureCheck(transactionInputSchema)({ ...VALID_TRANSACTION, ip: undefined })).toBe(false);
});

test('a check that only the schema can run cannot be derived', () => {
  expect(() => sureCheck(z.object({ a: z.string().regex(/a/) }))).toThrow('strict objects');
  const trimming = sureCheck(z.strictObject({ a: z.string().trim() }));
  expect([trimming({ a: 'x' }), trimming({ a: 'x ' })]).toEqual([true, false]);
  const changing = z.strictObject({ a: z.number().transform((a) => a + 1) });
  expect(sureCheck(changing)({ a: 1 })).toBe(false);
});
