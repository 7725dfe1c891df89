/** Goal: RISK_TEST_POISON spoils the accounts it names, and nothing at all when it is not set. */
import { expect, test } from 'vitest';
import { createPoison } from '../../../../src/kit/process/failpoint.ts';

test.each([undefined, ''])('nothing is poisoned by %j', (armed) => {
  expect(createPoison(armed)).toBeUndefined();
});

test('accounts with the prefix are poisoned, and no others', () => {
  const poison = createPoison('throw:acc_bad');
  expect(() => poison?.('acc_bad_17')).toThrow('poisoned');
  expect(poison?.('acc_good')).toBeUndefined();
});
