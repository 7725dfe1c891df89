/** Goal: one function loads all formats, and names what it refuses. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { gatherBatch } from '../../../../../src/rooms/models/model/batch.ts';
import { MODEL_BYTES_MAX } from '../../../../../src/rooms/models/model/bounds.ts';
import { writeLogistic } from '../../../../../src/rooms/models/model/logistic.ts';
import { bindFeatures, loadModel } from '../../../../../src/rooms/models/model/model.ts';
import { LIGHTGBM_FILE } from './lightgbm-file.ts';
import { refusalOf } from './support.ts';
import { makeFile } from './xgboost-file.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const logistic = {
  intercept: -1,
  features: [
    { name: 'amount', mean: 10, deviation: 5, weight: 0.5, missing_weight: 0.25 },
    { name: 'rate', mean: 0.5, deviation: 1, weight: -1, missing_weight: 0 },
  ],
};
const BATCH = { rows: 2, values: Float64Array.of(20, 0.5, Number.NaN, 2.5) };

/** An XGBoost file whose first tree has a word where JSON has no number. */
function withWord(member: string, word: string): Uint8Array {
  const text = JSON.stringify(makeFile());
  return encode(text.replace(new RegExp(`("${member}":\\[[^\\]]*,)[^,\\]]+\\]`), `$1${word}]`));
}

describe('loadModel', () => {
  test('an XGBoost file', () => {
    const bytes = encode(JSON.stringify(makeFile()));
    const model = loadModel(bytes);
    expect(model.format).toBe('xgboost-json');
    expect(model.featureNames).toEqual(['a', 'b']);
    expect(model.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect([...model.marginOf({ rows: 1, values: Float64Array.of(0, 0) })]).toEqual([-1]);
    expect(model.probabilityOf(-1)).toBeCloseTo(1 / (1 + Math.E), 15);
  });

  const words = ['NaN', 'Infinity', '-Infinity'] as const;
  test.each(words)('an XGBoost file with %s in members that no prediction reads', (word) => {
    for (const member of ['loss_changes', 'sum_hessian', 'base_weights', 'parents']) {
      const model = loadModel(withWord(member, word));
      const batch = { rows: 1, values: Float64Array.of(1, 0) };
      expect(model.marginOf(batch)[0]).toBeCloseTo(1.8, 6);
      const { base, values } = model.contributionsOf(batch, model.marginOf(batch), 'shapley');
      expect([...base, ...values].every(Number.isFinite)).toBe(true);
    }
  });

  test('a text keeps the words of numbers that are within it', () => {
    const file = { ...makeFile(), note: 'NaN, \\"-Infinity\\" and [NaN]' };
    const text = JSON.stringify(file).replace('{', '{"unread":[NaN,-Infinity],');
    file.learner.feature_names = ['NaN', '-Infinity, "NaN"'];
    const named = text.replace('["a","b"]', JSON.stringify(file.learner.feature_names));
    expect(loadModel(encode(named)).featureNames).toEqual(file.learner.feature_names);
  });

  test('a LightGBM file, whose probability has its own scale', () => {
    const model = loadModel(encode(LIGHTGBM_FILE));
    expect(model.format).toBe('lightgbm-text');
    const batch = { rows: 1, values: Float64Array.of(0, 0, 1) };
    expect([...model.marginOf(batch)]).toEqual([0.125 + 2 + 0.0625]);
    expect(model.probabilityOf(-0.5)).toBeCloseTo(1 / (1 + Math.E), 15);
  });

  test('a logistic file, whose contributions add up', () => {
    const model = loadModel(encode(writeLogistic(logistic)));
    expect(model.format).toBe('logistic-json');
    const margins = model.marginOf(BATCH);
    expect([...margins]).toEqual([0, -2.75]);
    for (const method of ['shapley', 'path'] as const) {
      const { base, values } = model.contributionsOf(BATCH, margins, method);
      expect([...base]).toEqual([-1, -1]);
      expect([...values]).toEqual([1, -0, 0.25, -2]);
    }
  });

  test.each([
    ['nothing', new Uint8Array(0), 'file: has no line "end of trees"'],
    ['what is no text', Uint8Array.of(0x7b, 0x4c, 0xff, 0xfe), 'file: is no text'],
    ['UBJSON that is UTF-8 as well', encode('{L\0\0\0\0\0\0\0\x07learner'), 'saved as .json'],
    [
      'a leaf of -Infinity',
      withWord('split_conditions', '-Infinity'),
      'split_conditions: must hold',
    ],
    [
      'a base score of NaN',
      encode(JSON.stringify(makeFile()).replace('"5E-1"', 'NaN')),
      'base_score: NaN',
    ],
    [
      'a weight of NaN',
      encode(writeLogistic(logistic).replace('0.25', 'NaN')),
      'features[0].missing_weight',
    ],
    ['a word that is no number', encode('{"version":[Nan]}'), 'file: not JSON'],
    ['a text without an end', encode(`{"a":"${'\\"'.repeat(100_000)}`), 'file: not JSON'],
    ['a huge file', new Uint8Array(MODEL_BYTES_MAX + 1), `file: ${MODEL_BYTES_MAX + 1} bytes`],
  ])('refuses %s', (_, bytes, message) => {
    expect(refusalOf(() => loadModel(bytes))).toContain(message);
  });
});

describe('bindFeatures', () => {
  const model = loadModel(encode(writeLogistic(logistic)));

  test('and takes them out of vectors, missing where a vector is too short', () => {
    const columns = bindFeatures(model, ['hour', 'rate', 'amount']);
    const vectors = [Float64Array.of(7, 0.5, 20), Float64Array.of(7, 2.5)];
    const batch = gatherBatch(
      vectors.map((vector) => ({ vector, margin: () => 0 })),
      columns,
    );
    expect(batch).toEqual(BATCH);
    expect([...model.marginOf(batch)]).toEqual([0, -2.75]);
  });
});
