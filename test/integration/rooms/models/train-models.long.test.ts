import { expect, test } from 'vitest';
import { FEATURE_LIST } from '../../../../src/core/domain/feature-schema.ts';
import { loadModel } from '../../../../src/rooms/models/model/model.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { RECOGNISED, startTrainRig, WINDOWS } from '../../../support/rooms/models/train-rig.ts';

const { rig, officer, readOut, train, cardOf } = await openForFile(startTrainRig());
await train(officer, 'first', ...WINDOWS, '--name', 'fraud@1');

test('a model reads only the features it was given, in the directions it was told', async () => {
  const [amount = ''] = FEATURE_LIST.map(({ name }) => name);
  const features = ['--features', `${amount},${RECOGNISED}`, '--monotone', `${RECOGNISED}:1`];
  await train(undefined, 'two', ...WINDOWS, ...features, '--no-register');
  const manifest = JSON.parse(readOut('two', 'model.json.manifest.json').toString());
  expect(manifest.feature_names).toEqual([amount, RECOGNISED]);
  const model = loadModel(readOut('two', 'model.json'));
  const values = Float64Array.from({ length: 200 }, (_, at) => (at % 2 ? (at - 100) / 20 : 50));
  const margins = model.marginOf({ rows: 100, values });
  expect(margins).toEqual(margins.toSorted());
  expect(margins.at(-1)).toBeGreaterThan((margins[0] ?? 0) + 1);
  const others = FEATURE_LIST.flatMap(({ name }) => (name === RECOGNISED ? [] : name)).join();
  await train(undefined, 'blind', ...WINDOWS, '--features', others, '--no-register');
  expect(cardOf('blind').importance.map(({ name }) => name)).not.toContain(RECOGNISED);
  const auc = (name: string) => cardOf(name).figures['auc']?.value ?? Number.NaN;
  expect(auc('blind')).toBeLessThan(auc('first') - 0.05);
});

test('a model has bands for the budget of a day, or for the least cost', async () => {
  const budget = ['--reviews-a-day', '5', '--declines-a-day', '1', '--no-register'];
  await train(undefined, 'budget', ...WINDOWS, ...budget);
  const { segments, validation } = cardOf('budget');
  const flagged = segments['corridor']?.reduce((sum, of) => sum + of.flagged * of.rows, 0) ?? 0;
  expect(Math.round(flagged)).toBeLessThanOrEqual(14 * 6);
  expect(Math.round(flagged)).toBeGreaterThan(14 * 5);
  expect(validation?.unlabelled).toBe(0);
  const fraud = { approve: 100, review: 10, decline: 0 };
  const costs = { fraud, legitimate: { approve: 0, review: 5, decline: 50 } };
  const path = rig.write('costs.json', JSON.stringify(costs));
  await train(undefined, 'costs', ...WINDOWS, '--costs', path, '--no-register');
  expect(cardOf('costs').bands?.reviewFrom).toBeCloseTo(5 / 95, 10);
});

test('a model names as its parent the model that is active', async () => {
  const ben = await rig.makeKey('Ben', ['risk_officer']);
  for (const state of ['shadow', 'canary:5', 'active']) {
    const args = ['promote', 'fraud@1', '--corridor', 'all', '--to', state, '--override', 'x'];
    const { approval_id } = await rig.json(officer, ...args);
    await rig.run(ben, 'approve', String(approval_id));
  }
  await train(undefined, 'child', ...WINDOWS, '--no-register');
  expect(cardOf('child').parent).toBe('fraud@1');
});
