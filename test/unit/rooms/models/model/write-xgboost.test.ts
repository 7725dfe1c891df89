/** Goal: what is written is XGBoost's format, field by field, and gives the same margins. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layOutTrees } from '../../../../../src/rooms/models/model/lay-out-trees.ts';
import { readXgboost } from '../../../../../src/rooms/models/model/read-xgboost.ts';
import { writeXgboost } from '../../../../../src/rooms/models/model/write-xgboost.ts';
import { anyBatch, anyEnsemble, headOf, looseTree, predictTrees } from './support.ts';

const ensemble = layOutTrees(headOf(2, 'float32'), [
  looseTree({
    feature: 1,
    threshold: 0.5,
    missingLeft: true,
    left: { value: -1, cover: 3 },
    right: { value: 0.25, cover: 1 },
  }),
]);

test('writeXgboost reads back as the same ensemble', () => {
  fc.assert(
    fc.property(anyEnsemble(3), anyBatch(3), (drawn, batch) => {
      const again = readXgboost(JSON.parse(writeXgboost(drawn)));
      expect(again.threshold).toEqual(drawn.threshold);
      expect(again.missing).toEqual(drawn.missing);
      expect(again.cover).toEqual(drawn.cover);
      expect(predictTrees(again, batch)).toEqual(predictTrees(drawn, batch));
    }),
  );
});

test('writeXgboost refuses what XGBoost would run otherwise', () => {
  expect(() => writeXgboost({ ...ensemble, arithmetic: 'float64' })).toThrow('float32');
  expect(() => writeXgboost({ ...ensemble, marginScale: 2 })).toThrow('log-odds');
});
