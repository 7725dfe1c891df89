/** Goal: bad settings are told at once, and secrets are not told. Method: environments, read. */
import { expect, test } from 'vitest';
import { readConfig } from '../../../../src/kit/config/config.ts';

test('keys that no header may carry are problems, told without the key', () => {
  expect(readConfig({ RISK_API_KEY: 'secret\n', RISK_BOOTSTRAP_KEY: 'too short' })).toEqual({
    problems: [
      'RISK_BOOTSTRAP_KEY: 32 to 256 visible ASCII characters',
      'RISK_API_KEY: visible ASCII characters',
    ],
  });
  expect(readConfig({ RISK_API_KEY: 'rk_visible~!' })).toMatchObject({
    config: { RISK_API_KEY: 'rk_visible~!' },
  });
});
