/**
 * Goal: models are read, proposed, approved and rolled back over HTTP as by the command: two owners forward,
 * one back. Method: an API process, keys of two owners, a model registered by the command.
 */
import { expect, test } from 'vitest';
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
const approve = (owner: string, id: string) =>
  as(owner, 'POST', `/v1/models/proposals/${id}/approve`);

test('one proposes, another approves, one rolls back', async () => {
  for (const to of ['shadow', 'canary:5']) {
    const proposed = await propose('Cy', to);
    expect([proposed.status, proposed.body]).toEqual([
      201,
      { proposal_id: expect.any(String), corridor: 'US-EG', to, proposed_by: 'Cy', override: null },
    ]);
    const own = await approve('Cy', proposed.body.proposal_id);
    expect([own.status, own.body.detail]).toEqual([
      409,
      'Cy proposed it: another person must approve it.',
    ]);
    const decided = await approve('Di', proposed.body.proposal_id);
    expect(decided.status).toBe(200);
    expect(decided.body.items).toMatchObject([{ corridor: 'US-EG', to, cause: 'approval' }]);
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
