/**
 * Goal: what approves a model is two people’s, in time, checked here, and behind the decision before it, also by SQL. Method: the
 * command by keys of two owners on a real database.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { decideRollouts, MODELS } from '../../../../src/core/store/rollouts/rollouts.ts';
import { engineOf } from '../../../../src/kit/words/principal.ts';
import { type Answer, modelFile, startModelsRig } from '../../../support/models-command.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { changeRollouts } from '../../../support/rooms/models/settled.ts';
import { waitUntil } from '../../../support/wait-until.ts';

let mark = 0;

const rig = await openForFile(startModelsRig());
const ann = await rig.makeKey('Ann', ['risk_officer']);
const bob = await rig.makeKey('Bob', ['risk_officer']);

/** The tests share the registry, not the rollouts. */
beforeEach(() => changeRollouts(rig.testDatabase, 'truncate rollouts, rollout_proposals'));

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
  return (await rig.json(key, ...args)).proposal_id;
}

/** Key id of a key. */
const idOf = (key: string) => key.split('_')[1] ?? '';
const countRollouts = async () => (await rig.testDatabase.sql('select from rollouts')).length;

test('a proposal that is too old to be approved is not shown as open', async () => {
  const model = await importNew();
  const proposeDaysAgo = async (days: number) => {
    const [row] = await rig.testDatabase.sql<{ id: string }>(`
      insert into rollout_proposals (model_id, corridor, state, canary_percent, proposed_by, proposed_by_key, proposed_at)
      select model_id, 'US-EG', 'shadow', 0, 'Ann', '${idOf(ann)}', now() - interval '${days} days'
        from models where model = '${model}'
      returning proposal_id as id`);
    return row?.id ?? '';
  };
  const open = await proposeDaysAgo(6.9);
  const old = await proposeDaysAgo(7.1);
  const { proposals } = await rig.json(undefined, 'show', model);
  expect(proposals.map(({ proposal_id }: Answer) => proposal_id)).toEqual([open]);
  await expect(rig.run(bob, 'approve', old)).rejects.toThrow(/older than 7 days/);
  await rig.run(bob, 'approve', open);
});

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
    ...{ proposalId: null, proposedBy: 'Ann', approvedBy: null, by: engineOf('test') },
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
    const proposal_id = await propose(ann, model_id, 'shadow', 'US-EG');
    return {
      ...{ corridor: 'US-EG', model_id, state: 'shadow', canary_percent: 0, cause: 'approval' },
      ...{ proposal_id, proposed_by: 'Ann', approved_by: 'Bob', decided_by_key: idOf(bob) },
    };
  };

  test.each([
    ['an approval by the proposer', { approved_by: 'Ann' }, /proposer_is_not_approver/],
    ['an approval in another name', { proposed_by: 'Cid' }, /rollout_is_proposal_of_model_fkey/],
    ['more than was proposed', { state: 'active' }, /rollout_is_proposal_of_model_fkey/],
    ['an approval of nothing', { proposal_id: null }, /rollout_cause_fits/],
    ['an approval by nobody', { approved_by: null }, /approved_unless_alone/],
    ['an approval by nobody’s key', { decided_by_key: null }, /may not approve/],
    ['a canary of everybody', { state: 'canary', canary_percent: 100 }, /canary_in_range/],
  ])('cannot add %s', async (_name, change, reason) => {
    await expect(insert({ ...(await rowOf()), ...change })).rejects.toThrow(reason);
  });

  test('cannot approve a proposal twice, nor change what was decided', async () => {
    const row = await rowOf();
    await insert(row);
    await expect(insert(row)).rejects.toThrow(/rollouts_proposal_key/);
    for (const table of ['rollouts', 'rollout_proposals']) {
      await expect(rig.testDatabase.sql(`delete from ${table}`)).rejects.toThrow(/never changed/);
      const update = `update ${table} set proposed_by = 'Eve'`;
      await expect(rig.testDatabase.sql(update)).rejects.toThrow(/never changed/);
    }
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
