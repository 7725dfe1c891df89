/** Goal: figures of a column have their points below each other. Method: values of several sizes. */
import { expect, test } from 'vitest';
import { tenths } from '../../../console/src/format.ts';

test('tenths have one digit behind the point, whatever the value', () => {
  expect([4.133, 24, 0.6406, 1000].map(tenths)).toEqual(['4.1', '24.0', '0.6', '1,000.0']);
});
