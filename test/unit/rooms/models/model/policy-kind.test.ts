/** Goal: a policy is a model as others are: named, proven by golden vectors, and explained. Method: artefacts and made tables. */
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../../src/core/domain/feature-schema.ts';
import { judgedVector } from '../../../../../src/core/score/scorecard/judge-by-table.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { DAY_MS } from '../../../../../src/kit/words/range.ts';
import { describeModel } from '../../../../../src/rooms/models/registry/check-model.ts';
import { openScoringModel } from '../../../../../src/rooms/models/registry/scoring-model.ts';
import { modelFile } from '../../../../support/models-command.ts';
import { learntTable, POLICY_1, policyValue } from '../../../../support/policies.ts';

const artefactOf = (file: object) => Buffer.from(JSON.stringify(file));
const artefact = artefactOf(policyValue());
const describe = (bytes: Buffer, name: string) =>
  describeModel(bytes, name, createRandom('golden'));
const manifest = describe(artefact, POLICY_1);
const random = createRandom('policy kind');
const vector = Float64Array.from({ length: FEATURE_COUNT }, () => 100 * random());
const table = learntTable('policy kind');
const judged = judgedVector(vector, table, table.table.day * DAY_MS);

test('a policy is registered with golden vectors, and needs itself in force', () => {
  expect(manifest).toMatchObject({ model: POLICY_1, feature_names: ['scorecard_margin'] });
  expect(manifest.golden_vectors.every(({ margin }) => Number.isFinite(margin))).toBe(true);
  const { file, ...model } = openScoringModel(artefact, manifest);
  expect(model).toMatchObject({ modelId: file.sha256, name: POLICY_1, under: POLICY_1 });
});

test('no other model has the name of a policy, and a policy no other name', () => {
  const trees = artefactOf(modelFile(1));
  expect(() => openScoringModel(trees, describe(trees, 'scorecard-policy@2'))).toThrow(
    /scorecard-policy@2/,
  );
  expect(() => openScoringModel(artefact, describe(artefact, 'm@1'))).toThrow(/m@1/);
});

test('what explains a decision adds up to its margin, by a table or without one', async () => {
  const policy = openScoringModel(artefact, manifest);
  for (const row of [judged, judgedVector(vector, null, 0)]) {
    const { base, margin, contributions } = await policy.explain(row, 'path');
    expect(margin).toBe(row.margin());
    const sum = contributions.reduce((sum, { contribution }) => sum + contribution, base);
    expect(sum).toBeCloseTo(margin, 9);
  }
});
