/**
 * Goal: one officer alone may put a model in force for a day, and no longer, whatever happens meanwhile. Method: the command
 * runs with keys of two people on a real database; SQL moves an emergency back by a day.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { subjectsInForce } from '../../../../src/core/score/rollout/in-force.ts';
import { MODELS, readSettledRollouts } from '../../../../src/core/store/rollouts/rollouts.ts';
import { actAlone } from '../../../../src/rooms/models/decide-models.ts';
import { confirmIn } from '../../../support/approvals.ts';
import { type Answer, modelFile, startModelsRig } from '../../../support/models-command.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { changeRollouts, settledBy } from '../../../support/rooms/models/settled.ts';

/** Registers two models once; their names by id. */
const names = new Map<string, string>();

const rig = await openForFile(startModelsRig());
const database = await openForFile(rig.testDatabase.open());
const ann = await rig.makeKey('Ann', ['risk_officer']);
const bob = await rig.makeKey('Bob', ['risk_officer']);
for (const [at, name] of ['a@1', 'b@1'].entries()) {
  const path = rig.write(`${name}.json`, JSON.stringify(modelFile(at)));
  const { model_id: id } = await rig.json(ann, 'import', path, '--name', name);
  names.set(id, name);
}

const change = (text: string) => changeRollouts(rig.testDatabase, text);
const aDayLater = () =>
  change(`update rollouts set created_at = created_at - interval '1 day',
                                    ends_at = ends_at - interval '1 day'`);

const settle = settledBy(ann);

/** Model a is active; b is a canary in another corridor. */
beforeEach(() =>
  change(`truncate rollouts; delete from approvals;
          ${settle('a@1', 'active')};
          ${settle('b@1', 'canary', 1, 'US-MX')}`),
);

const WHY = ['--reason', 'a wave of frauds'];
const alone = (model: string, to: string, corridor = 'US-EG', key = ann): Promise<Answer> =>
  rig.json(key, 'emergency', model, '--corridor', corridor, '--to', to, ...WHY);
const does = async (model: string): Promise<string> =>
  (await rig.json(undefined, 'list')).find((row: Answer) => row.model === model).does;
/** The model in force as workers read it. */
async function active(): Promise<string | undefined> {
  const inForce = subjectsInForce(await readSettledRollouts(MODELS, database, 'test')).get('US-EG');
  return names.get(inForce?.active[0] ?? '');
}

test('an emergency ends by itself after a day, and the audit log records it', async () => {
  const { items } = await alone('b@1', 'active');
  expect(items).toMatchObject([{ cause: 'displacement' }, { cause: 'emergency', to: 'active' }]);
  expect(await active()).toBe('b@1');
  await aDayLater();
  expect(await active()).toBe('a@1');
  expect([await does('a@1'), await does('b@1')]).toEqual([
    'active US-EG',
    expect.stringContaining('deprecated US-EG'),
  ]);
  const { rollouts } = await rig.json(undefined, 'show', 'b@1');
  expect(rollouts.slice(-2)).toMatchObject([
    { cause: 'emergency', proposed_by: 'Ann', approved_by: null, reason: 'a wave of frauds' },
    {
      cause: 'rollback',
      proposed_by: 'engine',
      reason: expect.stringContaining('nobody confirmed'),
    },
  ]);
  const audit = await rig.testDatabase.sql(
    'select who, action from audit_log order by audit_id desc limit 2',
  );
  expect(audit).toEqual([
    { who: 'engine', action: 'rollout.rollback' },
    { who: 'Ann', action: 'rollout.emergency' },
  ]);
});

test('a second person keeps it', async () => {
  const { approval_id: id } = await alone('b@1', 'active');
  await rig.run(bob, 'approve', id);
  await aDayLater();
  expect(await active()).toBe('b@1');
  await rig.run(ann, 'rollback', '--corridor', 'US-EG');
  expect(await active()).toBe('a@1');
});

describe('refused is', () => {
  test('a key that was revoked after its request was authenticated', async () => {
    const eve = await rig.makeKey('Eve', ['risk_officer']);
    const by = { keyId: eve.split('_')[1] ?? '', name: 'Eve', request: 'test' };
    await rig.testDatabase.sql('update api_keys set revoked_at = now() where identity = $1', [
      'Eve',
    ]);
    const to = { state: 'active', canary_percent: 0 } as const;
    const promotion = { reference: 'b@1', corridor: 'US-EG', to, by };
    await expect(actAlone(database, promotion, 'why')).rejects.toThrow(/may no longer approve/);
    const args = ['promote', 'b@1', '--corridor', 'US-EG', '--to', 'shadow'];
    const { approval_id: id } = await rig.json(ann, ...args);
    await expect(confirmIn(database, id, by)).rejects.toThrow(/may no longer approve/);
  });

  test.each([
    ['without an end', 'null', 'why', /emergency_ends/],
    ['of more than a day', `now() + interval '25 hours'`, 'why', /emergency_ends/],
    ['without a reason', `now() + interval '1 hour'`, ' ', /emergency_ends/],
  ])('SQL that adds one %s', async (_name, endsAt, reason, message) => {
    const insert = rig.testDatabase.sql(
      `insert into rollouts (corridor, model_id, state, canary_percent, cause, approval_id, proposed_by,
           decided_by_key, ends_at, reason)
       select 'US-MX', model_id, 'active', 0, 'emergency', approval_id, proposed_by, '${ann.split('_')[1]}',
              ${endsAt}, $1 from approvals, models limit 1`,
      [reason],
    );
    await expect(insert).rejects.toThrow(message);
  });
});
