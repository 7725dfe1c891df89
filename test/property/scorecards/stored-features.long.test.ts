/** Goal: tables and vectors are what SQL counts, beyond the bound of 256 names. Method: 100,000 payments of 20 days. */
import { expect, test, vi } from 'vitest';
import { compareMarket } from './compare.ts';

const TIMEOUT_MS = 3_600_000;
vi.setConfig({ testTimeout: TIMEOUT_MS });

test('tables and vectors of 100,000 payments agree with SQL', async () => {
  expect(await compareMarket(20, 5000)).toBe(256);
});
