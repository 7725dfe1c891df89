/**
 * Goal: a rule set becomes what scores only by two people, and never changes once it is submitted. Method: an API process,
 * people who try every step in and out of turn, and SQL beside it.
 */
import { describe, expect, test } from 'vitest';
import { hashRuleSet } from '../../../../src/core/score/rules/rule-set-data.ts';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import type { Officer } from '../../../../src/kit/words/principal.ts';
import { createDraft, submit } from '../../../../src/rooms/rules/rule-set-change.ts';
import { confirmIn, confirmWaiting, insertApproval } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { always, makeApproved, makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { readEntries } from '../../../support/stream-entries.ts';
import { answerOf, input } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const people = new Map<string, Officer & { readonly key: string }>();
const api = await openForFile(startRunningApi());
for (const name of ['Ann', 'Bob', 'Cy']) {
  people.set(name, await makeOfficer(api.testDatabase, name));
}
people.set('Ed', await makeOfficer(api.testDatabase, 'Ed', ['analyst']));

async function call(name: string, method: string, path: string, body?: object, more = {}) {
  const headers = {
    Authorization: `Bearer ${people.get(name)?.key}`,
    'Content-Type': 'application/json',
    ...more,
  };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return await answerOf(await api.request(path, { method, headers, ...sent }));
}
const as = (name: string, method: string, path: string, body?: object, more = {}) =>
  call(name, method, `/v1/rule-sets${path}`, body, more);
const auditOf = async (subject: string) =>
  (
    await api.testDatabase.sql<{ action: string }>(
      'select action from audit_log where subject = $1 order by audit_id',
      [subject],
    )
  ).map(({ action }) => action);

test('from a draft to an approved rule set, in its order, and on record', async () => {
  const made = await as('Ed', 'POST', '', always('own@1'));
  expect([made.status, made.body.state, made.body.author]).toEqual([201, 'draft', 'Ed']);
  const tag = made.headers.get('etag') ?? '';
  expect((await as('Ed', 'POST', '', always('own@1'))).status).toBe(409);
  const change = (name: string, more: object) =>
    as(name, 'PUT', '/own@1', always('own@1', 0.7), more);
  expect((await change('Ed', {})).status).toBe(412);
  expect((await change('Ed', { 'If-Match': '"0-x"' })).body.type).toMatch(/precondition-failed$/);
  expect((await change('Bob', { 'If-Match': tag })).status).toBe(409);
  const ofGzip = tag.replace(/"$/, '-gzip"');
  const changed = await change('Ed', { 'If-Match': ofGzip });
  expect([changed.status, changed.body.rules[0].code]).toEqual([200, 'ALWAYS']);
  expect((await change('Ed', { 'If-Match': tag })).status).toBe(412);
  expect((await as('Ed', 'POST', '/own@1/submit')).body).toMatchObject({ kind: 'rule-set' });
  const late = { 'If-Match': (await as('Ed', 'GET', '/own@1')).headers.get('etag') };
  expect((await change('Ed', late)).status).toBe(409);
  const bob = people.get('Bob') as Officer;
  await confirmWaiting(api.database, 'own@1', bob);
  const approved = await as('Ed', 'GET', '/own@1');
  expect([approved.body.state, approved.body.approved_by]).toEqual(['approved', 'Bob']);
  expect((await as('Ann', 'POST', '/own@1/submit')).status).toBe(409);
  expect(approved.body.source).toEqual(always('own@1', 0.7));
  expect(await auditOf('own@1')).toEqual([
    'rule-set.create',
    'rule-set.change',
    'rule-set.submit',
    'approval.propose',
    'approval.confirm',
  ]);
});

test('metadata fields are declared for rules, refuse no payment, and stay while a rule set reads them', async () => {
  const field = (method: string, name = '', body?: object) =>
    call('Ed', method, `/v1/metadata-fields${name}`, body);
  const tier = { type: 'text', description: 'basic or gold' };
  const stream = streamKeys(api.testDatabase.market, 'US-EG', 0);
  const post = async (value: unknown) =>
    (await answerOf(await api.post('/v1/transactions', input({ metadata: { tier: value } })))).body;
  expect((await field('PUT', '/order-id', tier)).status).toBe(422);
  expect((await field('PUT', '/in', tier)).status).toBe(422);
  expect((await field('PUT', '/tier', tier)).body).toMatchObject({ name: 'tier', ...tier });
  expect((await field('PUT', '/tier', { ...tier, type: 'number' })).body.detail).toBe(
    'The field tier is declared as text: withdraw it first.',
  );
  const [named] = (await as('Ed', 'GET', '/catalogue')).body.items;
  expect(named).toMatchObject({ name: 'metadata.tier', type: 'text', unit: 'text' });
  const isRead = async () => {
    const { transaction_id: id } = await post('gold');
    const entries = await readEntries(api.redis, stream.transactions);
    return entries.find(({ transaction }) => transaction.transactionId === id)?.transaction
      .declared;
  };
  expect(await waitUntil(isRead, 5000, 'the field to be known')).toBe('{"tier":"gold"}');
  expect((await post(7)).status).toBe('accepted');
  const source = { ...always('tiered@1'), metadata: { tier: 'text' } };
  expect((await as('Ed', 'POST', '', { ...source, metadata: { tier: 'number' } })).status).toBe(
    422,
  );
  expect((await as('Ed', 'POST', '', source)).status).toBe(201);
  expect((await field('DELETE', '/tier')).body.detail).toBe(
    'tiered@1 reads metadata.tier: retire it first.',
  );
  expect((await as('Bob', 'POST', '/tiered@1/retire')).status).toBe(200);
  expect((await field('DELETE', '/tier')).body).toMatchObject({ name: 'tier' });
  expect((await field('DELETE', '/tier')).status).toBe(404);
  for (let nth = 0; nth < 16; nth++) await field('PUT', `/f${nth}`, tier);
  expect((await field('PUT', '/more', tier)).body.detail).toBe(
    'A market has at most 16 metadata fields.',
  );
  expect(await auditOf('tier')).toEqual(['metadata.declare', 'metadata.withdraw']);
});

test('a rollout by two people, a rollback by one, and the end', async () => {
  const roll = (name: string, to: string, corridor = 'US-EG') =>
    as(name, 'POST', '/own@1/rollout', { corridor, to });
  const both = async (to: string) =>
    await confirmIn(
      ...([api.database, (await roll('Bob', to)).body.approval_id] as const),
      people.get('Cy') as Officer,
    );
  expect((await roll('Bob', 'active')).status).toBe(409);
  expect((await roll('Bob', 'canary:5')).body.detail).toMatch(/goes by shadow and canary/);
  expect((await roll('Bob', 'canary:0')).status).toBe(422);
  await both('shadow');
  const [shadow] = (await as('Ed', 'GET', '/own@1')).body.corridors;
  expect(shadow).toEqual({ corridor: 'US-EG', to: 'shadow' });
  expect((await roll('Ed', 'canary:5')).status).toBe(403);
  expect(await both('canary:5')).toMatchObject({
    result: {
      items: [{ corridor: 'US-EG', to: 'canary:5', cause: 'approval', rule_set: 'own@1' }],
    },
  });
  expect((await as('Bob', 'POST', '/own@1/retire')).status).toBe(409);
  const stop = { in_force: true, reason: 'too many reviews' };
  const stopped = await as('Bob', 'PUT', '/../controls/stop/rule:ALWAYS', stop);
  expect([stopped.status, stopped.body.control.scope]).toEqual([200, 'rule:ALWAYS']);
  const [listed] = (await as('Ed', 'GET', '')).body.items;
  expect(listed).toMatchObject({
    ...{ rule_set: 'own@1', in_force: true },
    corridors: [{ corridor: 'US-EG', to: 'canary:5' }],
  });
  const back = await as('Bob', 'POST', '/own@1/rollback', { corridor: 'all' });
  expect(back.body.items).toMatchObject([{ corridor: 'US-EG', to: 'deprecated' }]);
  expect((await as('Bob', 'POST', '/own@1/rollback', { corridor: 'all' })).status).toBe(409);
  expect((await as('Bob', 'POST', '/own@1/retire')).body.state).toBe('retired');
  expect((await roll('Bob', 'canary:5')).status).toBe(409);
  expect(await auditOf('own@1')).toEqual(
    expect.arrayContaining(['rollout.approve', 'rollout.rollback']),
  );
});

test('a step before the dwell time and the gates of its stage is refused, and two people override with a reason', async () => {
  const ann = people.get('Ann') as Officer;
  await makeApproved(api.database, [ann, people.get('Bob') as Officer], always('staged@1'));
  const roll = (name: string, to: string, more = {}) =>
    as(name, 'POST', '/staged@1/rollout', { corridor: 'US-EG', to, ...more });
  const cy = people.get('Cy') as Officer;
  const confirmBy = ({ body }: { body: { approval_id: string } }) =>
    confirmIn(api.database, body.approval_id, cy);
  for (const to of ['shadow', 'canary:5']) await confirmBy(await roll('Bob', to));
  const refusal = async (to = 'active') => (await roll('Bob', to)).body.detail;
  expect(await refusal()).toMatch(/stage canary .* dwell time of 30 min ends in 30 min; it has/);
  expect(await refusal('canary:6')).toMatch(/ends in 30 min/);
  const less = (await roll('Bob', 'canary:4')).body;
  expect(less.reason).toBe(null);
  expect((await roll('Bob', 'active', { override: 'why' })).body.detail).toContain('withdraw it');
  await as('Bob', 'POST', `/../approvals/${less.approval_id}/withdraw`);

  const move = `alter table rollouts disable trigger user;
    update rollouts set created_at = created_at - interval '30 min' where rule_set = 'staged@1';
    alter table rollouts enable trigger user`;
  await api.testDatabase.sql(move);
  expect(await refusal()).toMatch(
    /comes before: it has decided 0 transactions, and must decide 100/,
  );
  // All counts have one minute, as a second minute would add to the first.
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000);
  const add = (subject: string, decided: number, failed: number, slow: number) =>
    api.testDatabase.sql(
      `insert into rollout_counts (subject, corridor, minute, decided, failed, over_500, over_750, severe)
       values ($1, 'US-EG', $5, $2, $3, $4, 0, 0)
       on conflict (subject, corridor, minute) do update set decided = excluded.decided, failed = excluded.failed,
           over_500 = excluded.over_500`,
      [subject, decided, failed, slow, minute],
    );
  await add('staged@1', 200, 2, 0);
  await add('all', 4000, 0, 41);
  expect(await refusal()).toMatch(
    /1.00 % of its decisions in US-EG failed, and less than 1.00 % may; 1.03 % of the scores in US-EG took 500 ms/,
  );
  const { stage } = (await as('Ed', 'GET', '/staged@1')).body;
  expect(stage).toMatchObject({
    ...{ stage: 'canary', refusal: expect.stringMatching(/^the stage canary/) },
    gates: [{ gate: 'decided' }, { gate: 'failed', value: 0.01, bound: 0.01 }, { holds: false }],
  });
  await add('staged@1', 200, 1, 0);
  await add('all', 4000, 0, 40);
  const late = await roll('Bob', 'active');
  expect(late.status).toBe(200);
  await add('staged@1', 200, 200, 0);
  await expect(confirmBy(late)).rejects.toThrow(/100.00 % of its/);
  await as('Bob', 'POST', `/../approvals/${late.body.approval_id}/withdraw`);

  expect((await roll('Bob', 'active', { override: ' ' })).status).toBe(422);
  const override = 'a ring empties accounts now';
  const asked = await roll('Bob', 'active', { override });
  expect(asked.body).toMatchObject({ detail: { to: 'active' }, reason: override });
  expect((await roll('Bob', 'active', { override })).body).toEqual(asked.body);
  expect((await confirmBy(asked)).result).toMatchObject({ items: [{ to: 'active' }] });
  expect((await as('Ed', 'GET', '/staged@1')).body.rollouts[0]).toMatchObject({
    ...{ to: 'active', proposed_by: 'Bob', approved_by: 'Cy', reason: override },
  });
  const audit = await api.testDatabase.sql(
    `select action, after ->> 'reason' as reason from audit_log where subject = 'staged@1' order by audit_id desc limit 1`,
  );
  expect(audit).toEqual([{ action: 'rollout.approve', reason: override }]);
  await as('Bob', 'POST', '/staged@1/rollback', { corridor: 'all' });
});

test('what this build cannot compile is listed with its problem, beside all others', async () => {
  const ann = people.get('Ann') as Officer;
  await createDraft(api.database, always('later@1'), ann);
  const later = { ...always('later@1'), feature_schema: 99 };
  await api.testDatabase.sql('update rule_sets set source = $2, sha256 = $3 where rule_set = $1', [
    'later@1',
    JSON.stringify(later),
    hashRuleSet(later),
  ]);
  const { status, body } = await as('Ed', 'GET', '');
  expect(status).toBe(200);
  const named = (name: string) =>
    body.items.find(({ rule_set }: { rule_set: string }) => rule_set === name);
  expect(named('later@1')).toMatchObject({ state: 'draft', feature_schema: 99, rules: [] });
  expect(named('later@1').problem).toMatch(/cannot compile later@1: \/feature_schema/);
  expect(named('default@4')).toMatchObject({ state: 'built-in', problem: null });
  expect(named('default@3')).toMatchObject({ state: 'built-in', in_force: false, problem: null });
  const older = await as('Ed', 'GET', '/default@3');
  expect([older.status, older.body.source.id]).toEqual([200, 'default@3']);
  const alone = await as('Ed', 'GET', '/later@1');
  expect([alone.status, alone.body.source]).toEqual([200, later]);
});

describe('what was submitted', () => {
  const sql = (text: string, values: readonly unknown[] = []) =>
    api.testDatabase.sql(text, [...values]);

  test('neither changes nor is approved without another person, also by SQL', async () => {
    const [ann, bob] = [people.get('Ann') as Officer, people.get('Bob') as Officer];
    await createDraft(api.database, always('sql@1'), ann);
    const { approval_id: waiting } = await submit(api.database, 'sql@1', ann);
    const change = (set: string) => sql(`update rule_sets set ${set} where rule_set = 'sql@1'`);
    await expect(change(`source = '{}'`)).rejects.toThrow(/never changed/);
    await expect(change(`author = 'Bob'`)).rejects.toThrow(/never changed/);
    await expect(change(`state = 'draft'`)).rejects.toThrow();
    await expect(sql(`delete from rule_sets`)).rejects.toThrow(/never changed/);
    const approve = (approvalId: string) =>
      sql(
        `update rule_sets set state = 'approved', approved_at = now(), approved_by = 'Bob', approval_id = $1
          where rule_set = 'sql@1'`,
        [approvalId],
      );
    await expect(approve(waiting)).rejects.toThrow(/that two people have approved/);
    const detail = { rule_set: 'x@1' };
    const other = await insertApproval(api.testDatabase, 'rule-set', [ann, bob], detail);
    await expect(approve(other)).rejects.toThrow(/that two people have approved/);
    await confirmWaiting(api.database, 'sql@1', bob);
    const rollout = `insert into rollouts (corridor, rule_set, state, canary_percent, cause, approval_id, proposed_by)
                     values ('US-EG', 'sql@1', 'active', 0, 'approval', $1, 'Ann')`;
    await expect(sql(rollout, [other])).rejects.toThrow(/that two people have approved/);
  });
});
