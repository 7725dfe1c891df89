import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  predictLogistic,
  readLogistic,
  writeLogistic,
} from '../../../../../src/rooms/models/model/logistic.ts';
import { refusalOf } from './support.ts';

const FILE = {
  format: 'risk-logistic',
  version: 1,
  intercept: -4.5,
  features: [
    { name: 'amount', mean: 50, deviation: 25, weight: 0.5, missing_weight: 0.125 },
    { name: 'rate', mean: 0, deviation: 1, weight: -2, missing_weight: -1 },
  ],
};
const read = (change: object) => readLogistic({ ...FILE, ...change });

test('the logistic format is run as documented', () => {
  const model = read({});
  const rows = [
    [100, 0.5],
    [Number.NaN, 0],
    [50, Number.NaN],
    [1e9, Number.NEGATIVE_INFINITY],
  ];
  const batch = { rows: rows.length, values: Float64Array.from(rows.flat()) };
  expect([...predictLogistic(model, batch)]).toEqual([
    -4.5 + 0.5 * 2 - 2 * 0.5,
    -4.5 + 0.125,
    -4.5 - 1,
    -4.5 + 0.5 * 10 + 2 * 10,
  ]);
});

test('the logistic format is read back as it was written', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
  const feature = fc.record({
    name: fc.string({ minLength: 1, maxLength: 20 }),
    mean: number,
    deviation: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
    weight: number,
    missing_weight: number,
  });
  const features = fc.uniqueArray(feature, {
    minLength: 1,
    maxLength: 5,
    selector: ({ name }) => name,
  });
  fc.assert(
    fc.property(fc.record({ intercept: number, features }), (model) => {
      expect(readLogistic(JSON.parse(writeLogistic(model)))).toEqual(model);
    }),
  );
});

const [amount, rate] = FILE.features;
test.each([
  ['another version', { version: 2 }, 'version: must be 1, not 2'],
  ['no features', { features: [] }, 'features: no features'],
  ['a feature twice', { features: [amount, amount] }, 'features[1]: amount is there twice'],
  [
    'no deviation',
    { features: [amount, { ...rate, deviation: 0 }] },
    'features[1].deviation: must be above 0, not 0',
  ],
])('the logistic format refuses %s', (_, change, message) => {
  expect(refusalOf(() => read(change))).toBe(message);
});
