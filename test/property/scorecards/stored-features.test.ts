/** Goal: tables and vectors are what SQL counts. Method: 1,250 payments of five days, the vectors of a fourth; npm run long compares 100,000. */
import { expect, test } from 'vitest';
import { compareMarket } from './compare.ts';

test('tables and vectors of 1,250 payments agree with SQL', async () => {
  expect(await compareMarket(5, 250, 4)).toBeGreaterThan(3);
});
