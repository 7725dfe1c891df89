/** Goal: exactly the numbers pass whose shortest text of a double is the same decimal. Method: a table, and exact fractions of random texts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exactNumber, inexact } from '../../../../src/kit/words/exact-number.ts';

test.each([
  ['0', 0],
  ['-0', -0],
  ['0e999', 0],
  ['007', 7],
  ['1E2', 100],
  ['1e+2', 100],
  ['100.00', 100],
  ['.5', 0.5],
  ['5.', 5],
  ['0.100000000000000000000000000000', 0.1],
  ['0.30000000000000004', 0.30000000000000004],
  ['9007199254740992', 2 ** 53],
  ['9007199254740994', 2 ** 53 + 2],
  ['1234567890123456800000', 1234567890123456800000],
  ['1.7976931348623157e308', Number.MAX_VALUE],
  ['5e-324', Number.MIN_VALUE],
])('a number that a double keeps is %s', (text, value) => {
  expect(exactNumber(text)).toBe(value);
});

describe('no double keeps', () => {
  test.each([
    ['9007199254740993', '9007199254740992'],
    ['10038000307000729', '10038000307000728'],
    ['12345678901234567890', '12345678901234567000'],
    ['12345678901234567891', '12345678901234567000'],
    ['0.1000000000000000055511151231257827', '0.1'],
    ['0.10000000000000001', '0.1'],
    ['-1234567890.12345678', '-1234567890.1234567'],
    ['4.9e-324', '5e-324'],
    ['1e-400', '0'],
  ])('%s', (text, becomes) => {
    expect(exactNumber(text)).toBeUndefined();
    expect(inexact(text)).toContain(`${text} would become ${becomes}: send a text, or that number`);
  });

  test('1e400, of which nothing is left to send', () => {
    expect(exactNumber('1e400')).toBeUndefined();
    expect(inexact('1e400')).toMatch(/would become Infinity: send a text$/);
  });

  test.each(['', ' ', '1 ', '0x10', '1_000', 'Infinity', '-.', 'e5', '1e', '--1', '1,5'])(
    'and no number is %j',
    (text) => {
      expect(exactNumber(text)).toBeUndefined();
    },
  );
});

/** A decimal as a whole number of units of 10^-400. */
function unitsOf(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const units = BigInt(whole + fraction) * 10n ** BigInt(400 - fraction.length + Number(exponent));
  return mantissa.startsWith('-') ? -units : units;
}

test('a random text passes exactly where the text of its double is the same fraction', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 22 });
  const exponent = fc.constantFrom('', 'e0', 'E5', 'e-7', 'e+21');
  const sign = fc.constantFrom('', '-');
  fc.assert(
    fc.property(sign, digits, fc.option(digits), exponent, (minus, whole, fraction, power) => {
      const text = `${minus}${whole}${fraction === null ? '' : `.${fraction}`}${power}`;
      const isSame = unitsOf(text) === unitsOf(String(Number(text)));
      expect(exactNumber(text) !== undefined).toBe(isSame);
    }),
    { numRuns: 2000 },
  );
});

test('the text of every double passes, and a million digits take no time', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(exactNumber(String(value))).toBe(value === 0 ? 0 : value);
    }),
  );
  const sinceMs = performance.now();
  for (const text of [`0.${'0'.repeat(1e6)}1`, `${'1'.repeat(1e6)}-`, `1${'0'.repeat(1e6)}`])
    expect(exactNumber(text)).toBeUndefined();
  expect(performance.now() - sinceMs).toBeLessThan(1000);
});
