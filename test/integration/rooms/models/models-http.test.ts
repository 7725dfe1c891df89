/**
 * Goal: models are read, proposed, confirmed and rolled back over HTTP as by the command: two owners forward,
 * one back. Method: an API process, keys of two owners, a model registered by the command.
 */
import { expect, test } from 'vitest';
import { confirmed } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRollOut } from '../../../support/rolled-out.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { send } from '../../../support/submit.ts';

const keys: Record<string, string> = {};
const api = await openForFile(startRunningApi());
const rollOut = await openForFile(startRollOut(api.testDatabase));
const model = await rollOut.register(1);
keys['Cy'] = await rollOut.rig.makeKey('Cy', ['risk_officer']);
keys['Di'] = await rollOut.rig.makeKey('Di', ['risk_officer']);
keys['Ed'] = await rollOut.rig.makeKey('Ed', ['analyst']);

const as = (owner: string, method: string, path: string, body?: object) =>
  send(api, method, path, body, keys[owner]);
const propose = (owner: string, to: string, corridor = 'US-EG', more: object = {}) =>
  as(owner, 'POST', `/v1/models/${model}/proposals`, { corridor, to, ...more });

test('one proposes, another confirms, one rolls back', async () => {
  for (const to of ['shadow', 'canary:5']) {
    const proposed = await propose('Cy', to);
    expect([proposed.status, proposed.body]).toMatchObject([
      201,
      { kind: 'model-rollout', subject: `${model} US-EG`, state: 'waiting', detail: { to } },
    ]);
    const decided = await confirmed(api, keys['Di'] ?? '', proposed.body);
    expect(decided['items']).toMatchObject([{ corridor: 'US-EG', to, cause: 'approval' }]);
  }
  const { body: listed } = await as('Ed', 'GET', '/v1/models');
  expect(listed).toMatchObject({
    items: [{ model, corridors: [{ corridor: 'US-EG', state: 'canary', canary_percent: 5 }] }],
    next_cursor: null,
  });
  const { body: back } = await as('Di', 'POST', '/v1/models/rollback', { corridor: 'US-EG' });
  expect(back.items).toMatchObject([{ to: 'deprecated', cause: 'rollback' }]);
  const { body: shown } = await as('Ed', 'GET', `/v1/models/${model}`);
  expect(shown.rollouts.map(({ state }: { state: string }) => state)).toEqual([
    'shadow',
    'canary',
    'deprecated',
  ]);
  expect(shown.rollouts.at(-1)).toMatchObject({ proposed_by: 'Di', approved_by: null });
});
