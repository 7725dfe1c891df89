/**
 * Goal: explanations and what-ifs load a model once, from the database that answers reads, and store nothing.
 * Method: a registry as the replica beside an empty primary, then one that only the primary has.
 */
import { expect, test } from 'vitest';
import { openModels } from '../../../../src/rooms/models/open-models.ts';
import { endControlIn, setControl } from '../../../support/controls.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { POLICY_1, putInForce, rollOutPolicy } from '../../../support/policies.ts';
import { inStep } from '../../../support/reads.ts';
import { startRollOut } from '../../../support/rolled-out.ts';

const SCOPE = `model:${POLICY_1}`;

test('a model is loaded once under both of its names, and no check is recorded', async () => {
  await using registry = await createTestDatabase();
  await using empty = await createTestDatabase();
  await using rollOut = await startRollOut(registry);
  const name = await rollOut.register(1);
  const modelId = await rollOut.modelIdOf(name);
  await using full = registry.open();
  await using none = empty.open();
  const fromReplica = await openModels({ primary: none, replica: inStep(full), now: Date.now });
  const known = await fromReplica.find(name);
  expect(known).toMatchObject({ model: { modelId, name } });
  expect(await fromReplica.find(modelId)).toBe(known);
  const fromPrimary = await openModels({ primary: full, replica: inStep(none), now: Date.now });
  expect(await fromPrimary.find(name)).toMatchObject({ model: { modelId } });
  expect(await fromPrimary.find('gone@1')).toEqual({ problem: 'is not registered' });
  expect(await registry.sql('select from model_checks')).toEqual([]);
});

test('a policy is asked while it is in force, and then the rules, not the model before the policy', async () => {
  await using registry = await createTestDatabase();
  await using rollOut = await startRollOut(registry);
  const before = await rollOut.register(1);
  await rollOut.put(before, 'active');
  await using database = registry.open();
  const { findInForce } = await openModels({ primary: database, replica: null, now: Date.now });
  const asked = async () => {
    const { model, degradation } = await findInForce({ corridor: 'US-EG', accountId: 'acc_1' });
    return [model?.name ?? null, degradation];
  };
  expect(await asked()).toEqual([before, 0]);
  await putInForce(database);
  await rollOutPolicy(rollOut);
  expect(await asked()).toEqual([POLICY_1, 0]);
  await setControl(database, 'stop', SCOPE);
  expect(await asked()).toEqual([null, 0]);
  await endControlIn(database, 'stop', SCOPE);
  await endControlIn(database, 'scorecard', SCOPE);
  expect(await asked()).toEqual([null, 0]);
});
