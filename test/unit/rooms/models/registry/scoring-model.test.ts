/** Goal: opinions and explanations are the model's own, of any engine vector. Method: small trees on features of the engine. */
import { describe, expect, test } from 'vitest';
import {
  FEATURE_COUNT,
  type FeatureName,
  featureIndex,
} from '../../../../../src/core/domain/feature-schema.ts';
import type { Slot } from '../../../../../src/core/score/scorecard/day-table.ts';
import { judgedVector } from '../../../../../src/core/score/scorecard/judge-by-table.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import type { ModelManifest } from '../../../../../src/rooms/models/manifest.ts';
import { SHAPLEY_STEPS_MAX } from '../../../../../src/rooms/models/model/bounds.ts';
import { loadModel } from '../../../../../src/rooms/models/model/model.ts';
import { describeModel } from '../../../../../src/rooms/models/registry/check-model.ts';
import { openScoringModel } from '../../../../../src/rooms/models/registry/scoring-model.ts';
import { modelFile } from '../../../../support/models-command.ts';
import { CHAIN, wideModel } from '../../../../support/wide-model.ts';

const artefact = Buffer.from(JSON.stringify(modelFile(1)));
const manifest = describeModel(artefact, 'm@1', createRandom('golden'));
const open = (more: Partial<ModelManifest> = {}) =>
  openScoringModel(artefact, { ...manifest, ...more });

/** The trees ask whether the amount is below 1, and else for the hour. */
function vectorOf(amount: number, hour: number): Float64Array {
  const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
  vector[featureIndex('amount')] = amount;
  vector[featureIndex('hour')] = hour;
  return vector;
}
const toRow = (vector: Float64Array) => judgedVector(vector, null, 0);
const VECTORS = [vectorOf(0, 3), vectorOf(5, 3), vectorOf(5, -4), vectorOf(Number.NaN, 0)];
const ROWS = VECTORS.map(toRow);

test('a batch is judged as its rows alone', () => {
  const { judge } = open();
  const together = judge(ROWS).map((opinion) => opinion?.probability);
  const alone = ROWS.map((row) => judge([row])[0]?.probability);
  expect(together).toEqual(alone);
  expect(new Set(together).size).toBeGreaterThan(1);
});

test('factors are what raised the margin, and only that', () => {
  const [low, high] = open().judge([vectorOf(0, 3), vectorOf(5, 3)].map(toRow));
  expect(low?.factors().every(({ contribution }) => contribution > 0)).toBe(true);
  expect(high?.factors().map(({ feature }) => feature)).toEqual(expect.arrayContaining(['amount']));
});

test('exact explanations are those of this thread', async () => {
  const [first = new Float64Array()] = VECTORS;
  const model = loadModel(artefact);
  const columns = model.featureNames.map((name) => featureIndex(name as FeatureName));
  const batch = { rows: 1, values: Float64Array.from(columns, (at) => first[at] ?? Number.NaN) };
  const { values } = model.contributionsOf(batch, model.marginOf(batch), 'shapley');
  const { contributions } = await open().explain(toRow(first), 'shapley');
  const told = new Map(contributions.map(({ feature, contribution }) => [feature, contribution]));
  expect(model.featureNames.map((name) => told.get(name))).toEqual([...values]);
});

test('a model reads the features of its schema alone', () => {
  const [own] = open({ feature_schema: 3 }).judge(ROWS);
  expect(own).toMatchObject({ probability: open().judge(ROWS)[0]?.probability });
  const wide = Buffer.from(wideModel(1, 2));
  const told = describeModel(wide, 'wide@1', createRandom('golden'));
  expect(() => openScoringModel(wide, { ...told, feature_schema: 3 })).toThrow(
    /hour_surprise.*not in the feature schema/,
  );
});

test('a slot of the market is read by its name, wherever the market has the slot', () => {
  const file = modelFile(2);
  file.learner.feature_names = ['amount', 'metadata.distance_tail'];
  const bytes = Buffer.from(JSON.stringify(file));
  const slots: Slot[] = [
    { field: 'is_new', kind: 'lift' },
    { field: 'distance', kind: 'tail' },
  ];
  const told = describeModel(bytes, 'far@1', createRandom('golden'), undefined, slots);
  const { judge } = openScoringModel(bytes, told, slots);
  const withSlots = VECTORS.map((vector) =>
    toRow(Float64Array.from([...vector, 0, vector[featureIndex('hour')] ?? 0])),
  );
  const probabilities = (opinions: ReturnType<typeof judge>) =>
    opinions.map((opinion) => opinion?.probability);
  const byHour = openScoringModel(...ofHours()).judge(ROWS);
  expect(probabilities(judge(withSlots))).toEqual(probabilities(byHour));
  expect(() => openScoringModel(bytes, told)).toThrow(/metadata.distance_tail not in/);
  const old = { ...told, feature_schema: 3 };
  expect(() => openScoringModel(bytes, old, slots)).toThrow(/metadata.distance_tail not in/);
});

function ofHours() {
  const bytes = Buffer.from(JSON.stringify(modelFile(2)));
  return [bytes, describeModel(bytes, 'hours@1', createRandom('golden'))] as const;
}

test('an exact explanation that would take too many steps is refused by name', async () => {
  const deep = Buffer.from(wideModel(1200, 65, CHAIN));
  const told = describeModel(deep, 'deep@1', createRandom('golden'));
  const { explain, file } = openScoringModel(deep, told);
  const { shapleySteps } = 'trees' in file ? file.trees : { shapleySteps: 0 };
  const [first = new Float64Array()] = VECTORS;
  expect(shapleySteps).toBeGreaterThan(SHAPLEY_STEPS_MAX);
  const detail = `must be path for deep@1: its exact Shapley values take ${shapleySteps} steps, and at most ${SHAPLEY_STEPS_MAX} are allowed`;
  await expect(explain(toRow(first), 'shapley')).rejects.toMatchObject({
    errors: [{ pointer: '/method', detail }],
  });
  expect(await explain(toRow(first), 'path')).toMatchObject({ model: 'deep@1', method: 'path' });
});

describe('bands', () => {
  const bandsOf = (bands: unknown) => open({ card: { bands } }).judge(ROWS)[0]?.bands;

  test.each([
    [{ reviewFrom: 0.5, declineFrom: 0.2 }],
    [{ reviewFrom: 0, declineFrom: 0.2 }],
    [{ reviewFrom: '0.1', declineFrom: 0.2 }],
    [{ declineFrom: 0.2 }],
    ['none'],
  ])('%j are refused', (bands) => {
    expect(() => bandsOf(bands)).toThrow(/card\.bands/);
  });
});
