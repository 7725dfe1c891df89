/** Goal: money has the decimals of ISO 4217, and in the sentence of a rule only amounts become money. Method: every currency and rule. */
import { expect, test } from 'vitest';
import { currencyScale } from '../../../src/core/domain/currency.ts';
import { FEATURE_LIST } from '../../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../../src/core/score/rules/rule-sets.ts';
import { money, sayMoney } from '../../../src/kit/words/money.ts';

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
