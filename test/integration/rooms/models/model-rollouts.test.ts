/**
 * Goal: what approves a model is two people’s, in time, checked here, and behind the decision before it, also by SQL. Method: the
 * command by keys of two owners on a real database.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { decideRollouts, MODELS } from '../../../../src/core/store/rollouts/rollouts.ts';
import { engineOf } from '../../../../src/kit/words/principal.ts';
import { insertApproval } from '../../../support/approvals.ts';
import { modelFile, startModelsRig } from '../../../support/models-command.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { changeRollouts } from '../../../support/rooms/models/settled.ts';
import { waitUntil } from '../../../support/wait-until.ts';

let mark = 0;

const rig = await openForFile(startModelsRig());
const ann = await rig.makeKey('Ann', ['risk_officer']);
const bob = await rig.makeKey('Bob', ['risk_officer']);

/** The tests share the registry, not the rollouts. */
beforeEach(() => changeRollouts(rig.testDatabase, 'truncate rollouts; delete from approvals'));

async function importNew(): Promise<string> {
  mark += 1;
  const path = rig.write(`m${mark}.json`, JSON.stringify(modelFile(mark)));
  return (await rig.json(ann, 'import', path, '--name', `m@${mark}`)).model;
}

async function propose(
  key: string,
  model: string,
  to: string,
  corridor: string,
  ...more: string[]
): Promise<string> {
  const args = ['promote', model, '--corridor', corridor, '--to', to, ...more];
  return (await rig.json(key, ...args)).approval_id;
}

/** Key id of a key. */
const idOf = (key: string) => key.split('_')[1] ?? '';
const countRollouts = async () => (await rig.testDatabase.sql('select from rollouts')).length;

test('a decision waits for the one before it, and sees it', async () => {
  const { model_id: modelId } = await rig.json(undefined, 'show', await importNew());
  await using one = rig.testDatabase.open();
  await using two = rig.testDatabase.open();
  const row = {
    subject: modelId,
    state: 'deprecated',
    canary_percent: 0,
    cause: 'rollback',
  } as const;
  const decision = (corridor: string) => ({
    rows: [{ ...row, corridor }],
    ...{ approvalId: null, proposedBy: 'Ann', by: engineOf('test') },
  });
  const entered = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const first = decideRollouts(MODELS, one, async () => {
    entered.resolve();
    await gate.promise;
    return decision('US-EG');
  });
  await entered.promise;
  let seen: number | undefined;
  const second = decideRollouts(MODELS, two, async (log) => {
    seen = log.length;
    return decision('US-MX');
  });
  const isWaiting = async () => {
    const text = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return seen !== undefined || (await rig.testDatabase.sql(text)).length > 0;
  };
  await waitUntil(isWaiting, 5000, 'the second decision to wait or to read');
  gate.resolve();
  await Promise.all([first, second]);
  expect(seen).toBe(1);
});

describe('SQL of the application', () => {
  const insert = (columns: object) => {
    const names = Object.keys(columns);
    const places = names.map((_, index) => `$${index + 1}`).join();
    const text = `insert into rollouts (${names.join()}) values (${places})`;
    return rig.testDatabase.sql(text, Object.values(columns));
  };
  const rowOf = async () => {
    const { model_id } = await rig.json(undefined, 'show', await importNew());
    const keyOf = (name: string, key: string) => ({ name, keyId: idOf(key) });
    const detail = { model_id, corridor: 'US-EG', state: 'shadow', canary_percent: 0 };
    const approval_id = await insertApproval(
      ...([rig.testDatabase, 'model-rollout', [keyOf('Ann', ann), keyOf('Bob', bob)]] as const),
      detail,
    );
    return {
      ...{ corridor: 'US-EG', model_id, state: 'shadow', canary_percent: 0, cause: 'approval' },
      ...{ approval_id, proposed_by: 'Ann', decided_by_key: idOf(bob) },
    };
  };

  test.each([
    ['more than was proposed', { state: 'active' }, /that two people have approved/],
    ['an approval of nothing', { approval_id: null }, /rollout_cause_fits/],
    ['a canary of everybody', { state: 'canary', canary_percent: 100 }, /canary_in_range/],
  ])('cannot add %s', async (_name, change, reason) => {
    await expect(insert({ ...(await rowOf()), ...change })).rejects.toThrow(reason);
  });

  test('cannot carry an approval out twice, nor change what was decided', async () => {
    const row = await rowOf();
    await insert(row);
    await expect(insert(row)).rejects.toThrow(/rollouts_approval_key/);
    await expect(rig.testDatabase.sql('delete from rollouts')).rejects.toThrow(/never changed/);
    const update = `update rollouts set proposed_by = 'Eve'`;
    await expect(rig.testDatabase.sql(update)).rejects.toThrow(/never changed/);
  });
});

test('a model whose golden vectors fail here is not approved', async () => {
  const model = await importNew();
  const id = await propose(ann, model, 'shadow', 'US-EG');
  await rig.testDatabase.sql(`
    alter table models disable trigger user;
    update models set golden_margins[3] = golden_margins[3] + 0.0001 where model = '${model}';
    alter table models enable trigger user`);
  await expect(rig.run(bob, 'approve', id)).rejects.toThrow(/golden_vectors\[2\]\.margin/);
  expect(await countRollouts()).toBe(0);
});
