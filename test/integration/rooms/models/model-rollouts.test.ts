/**
 * Goal: one person proposes and another approves, however they try, also by SQL and at the same time;
 * one person rolls back. Method: the command by keys of three owners on a real database.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { decideRollouts, MODELS } from '../../../../src/core/store/rollouts/rollouts.ts';
import { engineOf } from '../../../../src/kit/words/principal.ts';
import { type Answer, modelFile, startModelsRig } from '../../../support/models-command.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { waitUntil } from '../../../support/wait-until.ts';

let mark = 0;

const rig = await openForFile(startModelsRig());
const ann = await rig.makeKey('Ann', ['risk_officer']);
const bob = await rig.makeKey('Bob', ['risk_officer']);

/** The tests share the registry, not the rollouts. */
beforeEach(async () => {
  await rig.testDatabase.sql(`
    alter table rollouts disable trigger user;
    alter table rollout_proposals disable trigger user;
    truncate rollouts, rollout_proposals;
    alter table rollouts enable trigger user;
    alter table rollout_proposals enable trigger user`);
});

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

async function put(model: string, to: string, corridor = 'US-EG'): Promise<void> {
  const early = ['--override', 'a test does not wait'];
  await rig.run(bob, 'approve', await propose(ann, model, to, corridor, ...early));
}

async function activate(model: string, corridor = 'US-EG'): Promise<void> {
  for (const to of ['shadow', 'canary:5', 'active']) await put(model, to, corridor);
}

async function does(model: string): Promise<string> {
  const rows: Answer[] = await rig.json(undefined, 'list');
  return rows.find((row) => row.model === model)?.does;
}

/** Key id of a key. */
const idOf = (key: string) => key.split('_')[1] ?? '';
const countRollouts = async () => (await rig.testDatabase.sql('select from rollouts')).length;

test('a model goes by shadow and canary to active, and back', async () => {
  const first = await importNew();
  const second = await importNew();
  expect(await does(first)).toBe('staged all');
  await activate(first);
  await put(second, 'shadow', 'all');
  expect([await does(first), await does(second)]).toEqual(['active US-EG', 'shadow all']);
  await put(second, 'canary:10');
  await put(second, 'active');
  expect(await does(first)).toBe('deprecated US-EG');
  expect(await does(second)).toContain('active US-EG');
  await rig.run(bob, 'rollback', '--corridor', 'US-EG');
  expect(await does(first)).toBe('active US-EG');
  expect(await does(second)).toContain('deprecated US-EG');
  const { rollouts } = await rig.json(undefined, 'show', first);
  expect(rollouts.map(({ state, cause }: Answer) => [state, cause])).toEqual([
    ['shadow', 'approval'],
    ['canary', 'approval'],
    ['active', 'approval'],
    ['deprecated', 'displacement'],
    ['active', 'rollback'],
  ]);
  expect(rollouts[0]).toMatchObject({ proposed_by: 'Ann', approved_by: 'Bob' });
  expect(rollouts[4]).toMatchObject({ proposed_by: 'Bob', approved_by: null });
});

test('a proposal changes nothing until somebody else approves it', async () => {
  const model = await importNew();
  const id = await propose(ann, model, 'shadow', 'all');
  const { proposals } = await rig.json(undefined, 'show', model);
  expect(proposals).toMatchObject([{ proposal_id: id, to: 'shadow', proposed_by: 'Ann' }]);
  const again = await rig.makeKey('Ann', ['risk_officer', 'admin']);
  await expect(rig.run(ann, 'approve', id)).rejects.toThrow(/another person must approve/);
  await expect(rig.run(again, 'approve', id)).rejects.toThrow(/another person must approve/);
  expect(await countRollouts()).toBe(0);
  await rig.run(bob, 'approve', id);
  await expect(rig.run(bob, 'approve', id)).rejects.toThrow(/approved already/);
  expect((await rig.json(undefined, 'show', model)).proposals).toEqual([]);
});

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

test('of many approvals at once one takes effect', async () => {
  const model = await importNew();
  const id = await propose(ann, model, 'shadow', 'US-EG');
  const tries = Array.from({ length: 10 }, () => rig.run(bob, 'approve', id));
  const settled = await Promise.allSettled(tries);
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await countRollouts()).toBe(1);
});

test('of two canaries for a corridor, approved at once, one takes effect until it is rolled back', async () => {
  const models = [await importNew(), await importNew()];
  for (const model of models) await put(model, 'shadow');
  const ids = await Promise.all(models.map((model) => propose(ann, model, 'canary:5', 'US-EG')));
  const settled = await Promise.allSettled(ids.map((id) => rig.run(bob, 'approve', id)));
  const refused = settled.findIndex(({ status }) => status === 'rejected');
  expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(settled[refused]).toMatchObject({
    reason: { message: expect.stringContaining('has a canary already') },
  });
  await rig.run(ann, 'rollback', '--corridor', 'all');
  await rig.run(bob, 'approve', ids[refused] ?? '');
  const rows: Answer[] = await rig.json(undefined, 'list');
  expect(rows.find((row) => row.model === models[refused])?.corridors).toEqual([
    { corridor: 'US-EG', state: 'canary', canary_percent: 5 },
  ]);
  const doing = await Promise.all(models.map(does));
  expect(doing.sort()).toEqual(['canary:5 US-EG', 'deprecated US-EG']);
});

test('a decision waits for the one before it, and sees it', async () => {
  const { model_id: modelId } = await rig.json(undefined, 'show', await importNew());
  await using one = rig.testDatabase.open();
  await using two = rig.testDatabase.open();
  const row = {
    subject: modelId,
    state: 'deprecated',
    canaryPercent: 0,
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

test('a refusal leaves nothing behind, and says the reason', async () => {
  const model = await importNew();
  const promote = (...args: string[]) => rig.run(ann, 'promote', model, ...args);
  await expect(promote('--corridor', 'US-EG', '--to', 'active')).rejects.toThrow(/is staged/);
  await expect(promote('--corridor', 'XX-YY', '--to', 'shadow')).rejects.toThrow(/no corridor/);
  await expect(promote('--corridor', 'US-EG', '--to', 'canary:100')).rejects.toThrow(/1 to 99/);
  await expect(promote('--to', 'shadow')).rejects.toThrow(/corridor is required/);
  await expect(rig.run(ann, 'rollback', '--corridor', 'all')).rejects.toThrow(/neither a canary/);
  await expect(rig.run(bob, 'approve', '999')).rejects.toThrow(/no proposal '999'/);
  expect(await rig.testDatabase.sql('select from rollout_proposals')).toHaveLength(0);
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
    ['an approval by the proposer', { approved_by: ' ann' }, /proposer_is_not_approver/],
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
