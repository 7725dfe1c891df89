/**
 * Goal: trees that stand on the scorecard add to its margin and say nothing without one. Method: small trees, with tables that have
 * learnt nothing.
 */
import { expect, test } from 'vitest';
import {
  FEATURE_COUNT,
  FEATURE_SCHEMA,
  featureIndex,
} from '../../../../../src/core/domain/feature-schema.ts';
import { judgedVector } from '../../../../../src/core/score/scorecard/judge-by-table.ts';
import { topsOf } from '../../../../../src/core/score/scorecard/shares.ts';
import { logistic } from '../../../../../src/kit/elementary-functions.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { DAY_MS } from '../../../../../src/kit/words/range.ts';
import { loadModel } from '../../../../../src/rooms/models/model/model.ts';
import { describeModel } from '../../../../../src/rooms/models/registry/check-model.ts';
import { openScoringModel } from '../../../../../src/rooms/models/registry/scoring-model.ts';
import { dayTable } from '../../../../support/day-tables.ts';
import { treesOnScorecard } from '../../../../support/models-command.ts';

const toBytes = (text: string) => new TextEncoder().encode(text);
const POLICY = 'scorecard-policy@3';
const bytes = toBytes(treesOnScorecard());
const calibration = { kind: 'platt', slope: 0.5, intercept: -1 } as const;
const told = {
  ...{ feature_schema: FEATURE_SCHEMA, calibration },
  lineage: { trained: null, code_version: null, parent: null },
  card: {
    ...{ under: POLICY, bands: { reviewFrom: 0.2, declineFrom: 0.5 } },
    shares: { review: 0.01, decline: 0.001 },
  },
};
const manifest = describeModel(bytes, 'm@1', createRandom('golden'), told);
const { judge, explain, under } = openScoringModel(bytes, manifest);

const DAY = 20_000;
const table = { serial: 1, sha256: '', table: dayTable({ day: DAY }) };
const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
vector[featureIndex('amount')] = 5;
vector[featureIndex('hour')] = 3;
const rowOf = (day: number, by: typeof table | null = table) =>
  judgedVector(vector, by, day * DAY_MS);
const model = loadModel(bytes);
const plain = loadModel(toBytes(treesOnScorecard().replace('scorecard_margin', 'night')));
const values = [5, 3];

test('the margin is that of the table and that of the trees, and a missing one adds nothing', () => {
  const alone = { rows: 1, values: Float64Array.of(Number.NaN, ...values) };
  const [ofTrees = Number.NaN] = plain.marginOf(alone);
  const batch = { rows: 2, values: Float64Array.of(2.5, ...values, Number.NaN, ...values) };
  expect([...model.marginOf(batch)]).toEqual([ofTrees + 2.5, ofTrees]);
  const z = rowOf(DAY).margin();
  const [opinion] = judge([rowOf(DAY)]);
  expect(opinion?.probability).toBe(logistic(0.5 * (ofTrees + z) - 1));
  expect(under).toBe(POLICY);
  expect(opinion?.bands).toEqual({ reviewFrom: 0.2, declineFrom: 0.5, isOfProbability: true });
});

test('the bands are those of the night, by the shares of the card, once the model has decided enough', () => {
  const risks = Float64Array.from({ length: 1000 }, (_, nth) => nth / 1000);
  const models = new Map([['m@1', topsOf(risks)]]);
  const tops = { scorecard: new Float64Array(), rules: new Map(), models };
  const night = { ...table, table: dayTable({ day: DAY, tops }) };
  const bandsIn = (by: typeof judge) => by([rowOf(DAY, night)])[0]?.bands;
  expect(bandsIn(judge)).toEqual({ reviewFrom: 0.99, declineFrom: 0.999, isOfProbability: true });
  const { shares: _, ...card } = told.card;
  const fixed = openScoringModel(bytes, { ...manifest, card });
  expect(bandsIn(fixed.judge)).toMatchObject(card.bands);
});

test.each(['path', 'shapley'] as const)('by %s the contributions add up', async (method) => {
  const { base, margin, contributions } = await explain(rowOf(DAY), method);
  const sum = contributions.reduce((all, { contribution }) => all + contribution, base);
  expect(sum).toBeCloseTo(margin, 9);
  const own = contributions.find(({ feature }) => feature === 'scorecard_margin');
  expect(own).toMatchObject({
    ...{ contribution: rowOf(DAY).margin(), value: rowOf(DAY).margin() },
    detail: expect.stringContaining('Log-odds of fraud by the scorecard'),
  });
});

test('without a table, or with one that is older than a week, the model says nothing', () => {
  const opinions = judge([rowOf(DAY, null), rowOf(DAY + 7), rowOf(DAY + 8)]);
  expect(opinions.map((opinion) => opinion === null)).toEqual([true, false, true]);
});

test('a model that takes the scorecard needs a policy, also where its card names none', () => {
  expect(openScoringModel(bytes, { ...manifest, card: null }).under).toBe('scorecard-policy');
});

test('a file whose trees ask for the margin is refused', () => {
  const asking = toBytes(treesOnScorecard([0, 0, 2, 0, 0]));
  expect(() => loadModel(asking)).toThrow('no tree may split on scorecard_margin');
});
