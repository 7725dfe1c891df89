/** Goal: nothing is written that XGBoost would run otherwise. golden/xgboost-margins.test.ts reads models back as they were written. */
import { expect, test } from 'vitest';
import { layOutTrees } from '../../../../../src/rooms/models/model/lay-out-trees.ts';
import { writeXgboost } from '../../../../../src/rooms/models/model/write-xgboost.ts';
import { headOf, looseTree } from './support.ts';

const ensemble = layOutTrees(headOf(2, 'float32'), [
  looseTree({
    feature: 1,
    threshold: 0.5,
    missingLeft: true,
    left: { value: -1, cover: 3 },
    right: { value: 0.25, cover: 1 },
  }),
]);

test('writeXgboost refuses what XGBoost would run otherwise', () => {
  expect(() => writeXgboost({ ...ensemble, arithmetic: 'float64' })).toThrow('float32');
  expect(() => writeXgboost({ ...ensemble, marginScale: 2 })).toThrow('log-odds');
});
