import { expect, test } from 'vitest';
import { readReference } from '../../../../src/rooms/models/model-record.ts';
import { describeValues } from '../../../../src/rooms/models/watch/write-reports.ts';

const amount = describeValues('amount', Float32Array.of(1, 2, 3, Number.NaN));
const probability = describeValues('probability', Float32Array.of(0.1, 0.2));

test.each([
  ['no card', null],
  ['no reference', { id: 'm@1' }],
  ['shares that are not of the cuts', withFeature({ ...amount, shares: [1] })],
  ['cuts that fall', withFeature({ ...amount, cuts: [2, 1], shares: [0, 0, 0, 1] })],
  ['a share above 1', withFeature({ ...amount, cuts: [], shares: [2, 0] })],
])('readReference has nothing to compare with: %s', (_, card) => {
  expect(readReference(card)).toBeUndefined();
});

function withFeature(feature: object) {
  return { reference: { features: [feature], probability } };
}
