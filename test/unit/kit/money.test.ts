/** Goal: money has the decimals of ISO 4217, and in the sentence of a rule only amounts become money. Method: every currency and rule. */
import { expect, test } from 'vitest';
import { currencyScale } from '../../../src/core/domain/currency.ts';
import { FEATURE_LIST } from '../../../src/core/domain/feature-schema.ts';
import { factorSentence } from '../../../src/core/score/factor-sentence.ts';
import { currentRuleSet } from '../../../src/core/score/rules/rule-sets.ts';
import { money, roundedMoney, sayMoney } from '../../../src/kit/words/money.ts';

const MONEY_UNIT = 'currency units';

test('each amount in the sentence of a rule has its currency, and no other number has', () => {
  for (const { id, features, detail } of currentRuleSet.rules) {
    // The digits tell amounts from other values.
    const vector = Float64Array.from(FEATURE_LIST, ({ unit }) =>
      unit === MONEY_UNIT ? 7777.7 : 3,
    );
    const said = sayMoney(detail(vector, [], Number.NaN), 'USD', { locale: 'en-US' });
    const named = said.match(/[\d,]+(\.\d+)? USD/g) ?? [];
    expect(said.match(/7777|15555/), `${id}: ${said}`).toBeNull();
    expect(
      named.every((text) => /^(7,777\.70|15,555\.40) USD$/.test(text)),
      `${id}: ${said}`,
    ).toBe(true);
    if (named.length > 0) {
      const units = FEATURE_LIST.filter(({ name }) => features.some((one) => one === name));
      expect(units.some(({ unit }) => unit === MONEY_UNIT)).toBe(true);
    }
  }
});

test('an amount in a sentence has the decimals of its currency', () => {
  const over = "Amount 9238.00 is 5.2 times this account's usual 1250.50";
  expect(sayMoney(over, 'JPY', { locale: 'en-US' })).toBe(
    "Amount 9,238 JPY is 5.2 times this account's usual 1,251 JPY",
  );
  expect(sayMoney(over, 'KWD', { locale: 'en-US' })).toContain('9,238.00 KWD');
  const exact = { locale: 'en-US', amount: '13.299' };
  const small = "Amount 13.30 is 2.4 times this account's usual 13.30";
  expect(sayMoney(small, 'KWD', exact)).toBe(
    "Amount 13.299 KWD is 2.4 times this account's usual 13.30 KWD",
  );
  expect(sayMoney(small, 'KWD', { ...exact, amount: '99' })).toContain('Amount 13.30 KWD is');
  expect(roundedMoney(1250.5, 'JPY', 'en-US')).toBe('1,251 JPY');
  expect(roundedMoney(12.3456, 'KWD', 'en-US')).toBe('12.346 KWD');
  expect(sayMoney(over, 'USD', { locale: 'en-US' })).toContain('9,238.00 USD is 5.2 times');
  expect(sayMoney('12 transactions within an hour, usually 0.3', 'USD')).not.toContain('USD');
  const ofModel = factorSentence({ feature: 'sum_24h', value: 12345.6 });
  expect(sayMoney(ofModel, 'USD', { locale: 'en-US' })).toMatch(/: 12,350\.00 USD$/);
});

test('an amount has the decimals that ISO 4217 gives its currency', () => {
  const known = Intl.supportedValuesOf('currency').filter(
    (code) => currencyScale(code) !== undefined,
  );
  expect(known.length).toBeGreaterThan(140);
  for (const code of known) {
    const decimals = money('1234', code, 'en-US').split(' ')[0]?.split('.')[1]?.length ?? 0;
    expect(decimals, code).toBe(currencyScale(code));
  }
  expect(money('1234.50', 'PKR', 'en-US')).toBe('1,234.50 PKR');
  expect(money('1234.5', 'IQD', 'en-US')).toBe('1,234.500 IQD');
});
