/**
 * Goal: two people put a policy of the scorecard in force, in the stages of every model, and one person freezes and ends it; a table
 * that waits judges once two people have taken it. Method: an API process, tables that have learnt, and keys of people.
 */
import { expect, test } from 'vitest';
import { isDrawn, subjectsInForce } from '../../../../src/core/score/rollout/in-force.ts';
import { textOfDay } from '../../../../src/core/score/scorecard/day-table.ts';
import { MODELS, readSettledRollouts } from '../../../../src/core/store/rollouts/rollouts.ts';
import { listTableDays } from '../../../../src/core/store/scorecards/find-tables.ts';
import { DAY_MS } from '../../../../src/kit/words/range.ts';
import { confirm, confirmed } from '../../../support/approvals.ts';
import { holdOpen } from '../../../support/hold-open.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import {
  learntTable,
  POLICY_1,
  policyValue,
  putInForce,
  rollOutTrees,
  storeTable,
  storeUntaken,
} from '../../../support/policies.ts';
import { startRollOut } from '../../../support/rolled-out.ts';
import { endControl, putControl } from '../../../support/rooms/corridors/requests.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { type Answer, answerOf, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());
const { sql } = api.testDatabase;
const person = (name: string, role: 'risk_officer' | 'operator') =>
  insertPersonKey(api.testDatabase, name, [role]);
const [cy, di] = [await person('Cy', 'risk_officer'), await person('Di', 'risk_officer')];
const ed = await person('Ed', 'operator');
const TODAY = Math.floor(Date.now() / DAY_MS);
const SCOPE = `model:${POLICY_1}`;

const { format: _, ...terms } = policyValue();
const propose = (more: object = {}) =>
  send(
    api,
    'POST',
    '/v1/scorecard-policies',
    { ...terms, corridor: 'US-EG', reason: 'why', ...more },
    cy,
  );
const toStage = (to: string, more: object = {}) =>
  send(api, 'POST', `/v1/models/${POLICY_1}/proposals`, { corridor: 'US-EG', to, ...more }, cy);
const said = ({ status, body }: Answer) => [status, body.detail];
const refused = (text: string) => [409, expect.stringContaining(text)];
const daysFromNow = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

test('a policy takes a table that has learnt and has bands', async () => {
  expect(said(await propose())).toEqual(refused('has learnt: 0 of 50 known frauds'));
  const unknown = learntTable('early', { day: TODAY - 3 }).table;
  const learnt = { ...unknown.learnt, knownFrauds: 49 };
  await storeTable(api.testDatabase, { ...unknown, learnt });
  expect(said(await propose())).toEqual(refused('has learnt: 49 of 50 known frauds'));
  const tops = { scorecard: new Float64Array(), rules: new Map(), models: new Map() };
  await storeTable(api.testDatabase, learntTable('few', { day: TODAY - 2, tops }).table);
  expect(said(await propose())).toEqual(refused('has no bands: bands take 1000 scores'));
  await storeTable(api.testDatabase, learntTable('learnt', { day: TODAY - 1 }).table);
  expect(await sql('select from models')).toEqual([]);
});

test.each([
  [{ ends_at: daysFromNow(91) }, '/ends_at', 'must be a time of the next 90 days'],
  [{ ends_at: daysFromNow(-1) }, '/ends_at', 'must be a time of the next 90 days'],
  [{ decline_share: 0.02 }, '/decline_share', 'must be at most review_share, 0.01, not 0.02'],
  [{ review_share: 0.0015 }, '/review_share', '0.001'],
  [{ review_share: 0.101 }, '/review_share', '0.1'],
  [{ decline_share: 0 }, '/decline_share', '0.001'],
  [{ bound: 0.06 }, '/bound', '0.05'],
  [{ measures_left_out: ['amount', 'amout'] }, '/measures_left_out/1', `not 'amout'`],
  [{ format: 'x' }, '/format', 'is not a field'],
  [{ reason: ' ' }, '/reason', 'must not be blank'],
])('a policy with %j is refused by its field', async (more, pointer, detail) => {
  const { status, body } = await propose(more);
  expect([status, body.errors]).toEqual([
    422,
    [{ pointer, detail: expect.stringContaining(detail) }],
  ]);
});

test('an approval puts a policy in force for 5 % of the accounts of a corridor until its end', async () => {
  const proposed = await propose();
  expect([proposed.status, proposed.body]).toMatchObject([
    201,
    { kind: 'scorecard-policy', subject: POLICY_1, detail: { to: 'canary:5', policy: terms } },
  ]);
  expect((await propose()).body).toEqual(proposed.body);
  const again = await propose({ reason: 'another' });
  expect(said(again)).toEqual(refused('by Cy waits for scorecard-policy'));
  expect(said(await toStage('shadow'))).toEqual(refused(`${POLICY_1} is not in force`));
  expect(said(await propose({ corridor: 'XX-XX' }))[0]).toBe(404);
  const path = `/v1/approvals/${proposed.body.approval_id}/confirm`;
  const unknown = await send(api, 'POST', path, { force: true }, di);
  expect([unknown.status, unknown.body.errors]).toMatchObject([422, [{ pointer: '/force' }]]);
  expect(await confirmed(api, di, proposed.body)).toMatchObject({
    items: [{ corridor: 'US-EG', to: 'canary:5', cause: 'approval' }],
  });
  const { body } = await send(api, 'GET', `/v1/controls?scope=${SCOPE}`, undefined, ed);
  const { ends_at } = terms;
  const policy = { ...policyValue(), ends_at };
  expect(body.items).toMatchObject([
    { kind: 'scorecard', ends_at, set_by: 'Di', value: { policy } },
  ]);
  const log = await readSettledRollouts(MODELS, api.database, 'test');
  const inForce = subjectsInForce(log);
  expect([...inForce.keys()]).toEqual(['US-EG']);
  const { canary = null, active } = inForce.get('US-EG') ?? {};
  const drawn = Array.from({ length: 40_000 }, (_, nth) => isDrawn({ canary }, `acc_${nth}`));
  expect(drawn.filter(Boolean).length / drawn.length).toBeCloseTo(0.05, 1.7);
  expect(active).toEqual([]);
  const lines = await sql(
    `select action, who from audit_log where action ~ '^(control|rollout|approval.confirm)' order by audit_id`,
  );
  expect(lines).toEqual(
    ['control.set', 'rollout.approve', 'approval.confirm'].map((action) => ({ action, who: 'Di' })),
  );
});

test('a policy that is rolled out goes on by the stages of a model, and by no emergency', async () => {
  expect(said(await propose())).toEqual(refused('has been rolled out'));
  expect(said(await propose({ bound: 0.02 }))).toEqual(
    refused(`has a canary already, ${POLICY_1}:`),
  );
  expect(said(await toStage('active'))).toEqual(refused('its dwell time of 30 min'));
  const alone = { corridor: 'US-EG', to: 'active', reason: 'why' };
  const emergency = await send(api, 'POST', `/v1/models/${POLICY_1}/emergency`, alone, cy);
  expect(said(emergency)).toEqual(refused('policy takes two people: propose its stage'));
  const early = await toStage('active', { override: 'a test does not wait' });
  await confirmed(api, di, early.body);
  const { body } = await send(api, 'GET', `/v1/models/${POLICY_1}`, undefined, cy);
  expect(body).toMatchObject({ stage: { stage: 'corridor' }, card: { policy: terms } });
});

test('no request sets the control of a policy, and one person freezes, thaws and ends the policy', async () => {
  const { status, body } = await putControl(
    api,
    'scorecard',
    SCOPE,
    { ends_at: daysFromNow(1) },
    cy,
  );
  expect([status, body.errors]).toEqual([
    422,
    [{ pointer: '/in_force', detail: expect.stringContaining('POST /v1/scorecard-policies') }],
  ]);
  expect((await putControl(api, 'stop', SCOPE, {}, ed)).status).toBe(200);
  expect((await endControl(api, 'stop', SCOPE, ed)).status).toBe(200);
  const waiting = await toStage('active', { corridor: 'US-MX', override: 'a test does not wait' });
  const back = await send(api, 'POST', '/v1/models/rollback', { corridor: 'US-EG' }, cy);
  expect(back.body.items).toMatchObject([{ to: 'deprecated' }]);
  // Two people may roll the policy out again until its end.
  expect((await toStage('shadow')).status).toBe(201);
  expect((await endControl(api, 'scorecard', SCOPE, ed)).body.control).toBeNull();
  const missing = await endControl(api, 'scorecard', 'model:scorecard-policy@99', ed);
  expect(said(missing)).toEqual([404, expect.stringContaining('is not registered')]);
  expect((await endControl(api, 'scorecard', SCOPE, ed)).status).toBe(200);
  for (const late of [await confirm(api, di, waiting.body.approval_id), await toStage('shadow')]) {
    expect(said(late)).toEqual(refused(`${POLICY_1} is not in force`));
  }
});

test('policies that are proposed at once with keys have names of their own', async () => {
  const corridors = ['US-MX', 'US-PH', 'GB-NG', 'GB-PK', 'AE-IN', 'DE-TR'];
  // With a key, the commit also asks whether the transaction has changed anything.
  const asked = corridors.map(async (corridor, nth) => {
    const headers = {
      ...{ 'Content-Type': 'application/json', Authorization: `Bearer ${cy}` },
      'Idempotency-Key': `at-once-${nth}`,
    };
    const body = JSON.stringify({ ...terms, corridor, reason: 'why', bound: 0.03 + nth / 1000 });
    const sent = { method: 'POST', headers, body };
    return (await answerOf(await api.request('/v1/scorecard-policies', sent))).body.subject;
  });
  const names = await Promise.all(asked);
  expect(names.sort()).toEqual(corridors.map((_corridor, nth) => `scorecard-policy@${nth + 2}`));
});

test.each(['models', 'approvals'])(
  'a policy that %s do not take for another reason than its name is tried once, and nothing is stored',
  async (table) => {
    const count = () => sql('select count(*)::int4 from models');
    const before = await count();
    // A sequence goes on where its statement fails.
    await sql(`create sequence tries;
      create function refuse() returns trigger language plpgsql set search_path from current as $$
        begin perform nextval('tries'); raise check_violation; end $$;
      create trigger refuse before insert on ${table} for each row execute function refuse()`);
    const { status } = await propose({ corridor: 'US-MX', bound: 0.021 });
    await sql('drop function refuse cascade');
    const tries = await sql(`select last_value::int4 as tries from tries where is_called`);
    await sql('drop sequence tries');
    expect([status, tries, await count()]).toEqual([500, [{ tries: 1 }], before]);
  },
);

test('the command proposes a policy of whose bound nobody speaks', async () => {
  const shares = ['--review-share', '0.03', '--decline-share', '0.002'];
  const end = ['--ends-at', daysFromNow(30), '--reason', 'why', '--json'];
  const args = ['scorecard', 'policy', '--corridor', 'US-PH', ...shares, ...end];
  const { stdout, stderr } = await runRisk(args, { RISK_URL: api.url, RISK_API_KEY: cy });
  const { policy } = JSON.parse(stdout || stderr).detail;
  expect(policy).toMatchObject({ review_share: 0.03, bound: 0.01, measures_left_out: [] });
});

test('a confirmation locks controls before rollouts', async () => {
  const { body } = await propose({ corridor: 'US-IN', bound: 0.05 });
  const held = await holdOpen(
    api.database,
    'lock table market.rollouts in share row exclusive mode',
  );
  const confirming = confirm(api, di, body.approval_id);
  const locks = () =>
    sql<{ table: string; granted: boolean }>(
      `select relation::regclass::text as table, granted from pg_locks
        where mode = 'ShareRowExclusiveLock' and pid = any (select pid from pg_locks where not granted)
          and relation in ('controls'::regclass, 'rollouts'::regclass) order by 1`,
    );
  await waitUntil(async () => (await locks()).some(({ granted }) => !granted), 5000, 'a lock');
  expect((await locks()).map(({ granted }) => granted)).toEqual([true, false]);
  await held.letGo();
  expect((await confirming).status).toBe(200);
});

test('a policy that has ended gives its canary up to the next policy, and to no other model', async () => {
  const next = () => propose({ corridor: 'US-IN', bound: 0.045 });
  expect(said(await next())).toEqual(refused('US-IN has a canary already'));
  const waiting = `select scope from controls where kind = 'scorecard' and scope <> $1`;
  const [{ scope } = {}] = await sql<{ scope: string }>(waiting, [SCOPE]);
  await endControl(api, 'scorecard', scope ?? '', ed);
  expect(await confirmed(api, di, (await next()).body)).toMatchObject({
    items: [
      { corridor: 'US-IN', to: 'deprecated', cause: 'rollback' },
      { corridor: 'US-IN', to: 'canary:5', cause: 'approval' },
    ],
  });
});

test('trees whose policy has ended give their canary up, too', async () => {
  await putInForce(api.database);
  await using rollOut = await startRollOut(api.testDatabase);
  await rollOutTrees(rollOut, 'scorecard-trees@2026-11-30', 'canary:5');
  await endControl(api, 'scorecard', SCOPE, ed);
  const { body } = await propose({ bound: 0.044 });
  expect((await confirmed(api, di, body))['items']).toMatchObject([
    { corridor: 'US-EG', to: 'deprecated', cause: 'rollback' },
    { corridor: 'US-EG', to: 'canary:5', cause: 'approval' },
  ]);
});

test('a policy whose end has come is not confirmed', async () => {
  const soon = new Date(Date.now() + 1500).toISOString();
  const { body } = await propose({ corridor: 'US-MX', ends_at: soon });
  await waitUntil(async () => Date.now() > Date.parse(soon), 5000, 'the end');
  expect(said(await confirm(api, di, body.approval_id))).toEqual(refused('is over'));
});

test('a table that waits judges once two people have taken it, unless a later table does', async () => {
  const [day, next] = [textOfDay(TODAY), textOfDay(TODAY + 1)];
  const take = (of: string) =>
    send(api, 'POST', `/v1/scorecards/${of}/proposals`, { reason: 'why' }, cy);
  const inUse = async () => (await listTableDays(api.database.query)).at(-1)?.day;
  expect(said(await take(day))).toEqual([404, expect.stringContaining(day)]);
  await storeUntaken(api.testDatabase, TODAY);
  expect(await inUse()).toBe(TODAY - 1);
  const shown = async () => (await send(api, 'GET', `/v1/scorecards/${day}`, undefined, cy)).body;
  expect(await shown()).toMatchObject({
    differs: null,
    is_taken: false,
    in_use: false,
    labels_left_out: [],
  });
  const early = await take(day);
  expect([early.status, early.body]).toMatchObject([
    201,
    { kind: 'scorecard-table', subject: day },
  ]);
  await storeUntaken(api.testDatabase, TODAY + 1);
  await putControl(api, 'stop', `model:scorecard@${next}`, {}, ed);
  expect(await confirmed(api, di, (await take(next)).body)).toEqual({ in_use: false });
  expect(await inUse()).toBe(TODAY - 1);
  expect(said(await take(next))).toEqual(refused('in use once its stop has ended'));
  await endControl(api, 'stop', `model:scorecard@${next}`, ed);
  expect(await inUse()).toBe(TODAY + 1);
  expect(said(await take(next))).toEqual(refused(`table of ${next} is in use`));
  const late = await confirm(api, di, early.body.approval_id);
  for (const answer of [late, await take(day)]) {
    expect(said(answer)).toEqual(refused(`table of ${next} is in use: an earlier table`));
  }
});
