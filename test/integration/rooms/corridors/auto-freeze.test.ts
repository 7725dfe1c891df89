/**
 * Goal: a threshold freezes a corridor by itself only where two people have allowed it, on labels of the sources that they named and
 * that came one a request, once a day, and the freeze stays until a person ends it. Method: an API takes labels, and the duty of a
 * worker runs each time that a test says so.
 */
import { afterAll, expect, test } from 'vitest';
import { readControls } from '../../../../src/core/store/controls/controls.ts';
import { watchControls } from '../../../../src/core/store/controls/watch-controls.ts';
import { followChanges } from '../../../../src/kit/database/follow-changes.ts';
import { createLeadership } from '../../../../src/kit/duties/leadership.ts';
import { createLog } from '../../../../src/kit/metrics/log.ts';
import { DAY_MS, HOUR_MS } from '../../../../src/kit/words/range.ts';
import { bindAutoFreeze } from '../../../../src/rooms/corridors/auto-freeze.ts';
import { events } from '../../../../src/rooms/corridors/events.ts';
import { confirm, confirmed } from '../../../support/approvals.ts';
import { testConfig } from '../../../support/config.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { endControl, putControl } from '../../../support/rooms/corridors/requests.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf, labelInput } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());
const ann = await insertPersonKey(api.testDatabase, 'Ann', ['operator', 'risk_officer']);
const bob = await insertPersonKey(api.testDatabase, 'Bob', ['risk_officer']);
const log = createLog('test', 'silent');
const changes = followChanges(api.database, log);
afterAll(() => changes[Symbol.dispose]());
const controls = await watchControls(testConfig({}), api.database, changes, log);
const leadership = createLeadership(api.database, 'auto-freeze-test');
const duty = bindAutoFreeze({
  ...({ database: api.database, leadership, controls, log } as Parameters<
    typeof bindAutoFreeze
  >[0]),
});

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const POLICY = { disputes: 5, sources: ['chargeback', 'issuer'] };
const propose = (corridor: string, over: object = {}) =>
  putControl(
    api,
    'auto-freeze',
    `corridor:${corridor}`,
    { ...POLICY, ends_at: inDays(30), ...over },
    ann,
  );
async function allow(corridor: string) {
  const { body } = await propose(corridor);
  await confirmed(api, bob, body.approval);
}
/** Six transactions of the corridor, unless the test says fewer, are labelled fraud, each in a request of its own unless `isImport`. */
async function dispute(
  corridor: string,
  { source = 'chargeback', isImport = false, length = 6 } = {},
) {
  const seeds = Array.from({ length }, () => ({ createdAtMs: Date.now() - 60_000, corridor }));
  const ids = await storeTransactions(api.database, seeds);
  const labels = ids.map((transaction_id) => labelInput({ transaction_id, source }));
  for (const batch of isImport ? [labels] : labels.map((label) => [label]))
    expect((await api.post('/v1/labels', { labels: batch })).status).toBe(200);
  return ids;
}
/** Runs the duty once it has read the controls. @returns the freeze of the corridor */
async function look(corridor: string) {
  const { version } = await readControls(api.database);
  await waitUntil(async () => controls.current().version === version, 5000, 'the controls');
  await duty.run(new AbortController().signal);
  return await freezeOf(corridor);
}
const freezeOf = async (corridor: string) =>
  (await readControls(api.database)).inForce.get('freeze')?.get(`corridor:${corridor}`);
/** Lets a time pass since the engine's lines of the audit log. */
const age = (time: string) =>
  api.testDatabase.sql(`alter table audit_log disable trigger audit_log_never_changes;
    update audit_log set changed_at = changed_at - interval '${time}' where who = 'engine';
    alter table audit_log enable always trigger audit_log_never_changes`);
const tell = async (nowMs = Date.now()) =>
  (await Promise.all(events.map(({ find }) => find(api.database.query, nowMs)))).flat();

test('two people allow it: for a corridor, for 90 days at most, by labels of others than reviewers', async () => {
  const asked = await propose('US-EG');
  expect([asked.status, asked.body.control]).toEqual([200, null]);
  expect(asked.body.approval).toMatchObject({ kind: 'control', state: 'waiting' });
  const own = await confirm(api, ann, asked.body.approval.approval_id);
  expect([own.status, (await readControls(api.database)).inForce.get('auto-freeze')]).toEqual([
    409,
    undefined,
  ]);
  await confirmed(api, bob, asked.body.approval);
  const stored = (await readControls(api.database)).inForce
    .get('auto-freeze')
    ?.get('corridor:US-EG');
  expect(stored).toMatchObject({ value: POLICY, set_by: 'Bob' });
  const listed = await api.risk('controls', 'list', '--kind', 'auto-freeze');
  expect(listed.stdout).toContain('sources chargeback,issuer, disputes 5');
  // Another value takes two people as well.
  expect((await propose('US-EG', { disputes: 4 })).body.control.value).toEqual(POLICY);
  const ofMarket = await putControl(
    api,
    'auto-freeze',
    'market',
    { ...POLICY, ends_at: inDays(1) },
    ann,
  );
  expect([ofMarket.status, ofMarket.body.detail]).toEqual([
    404,
    expect.stringContaining("No scope of auto-freeze is called 'market'"),
  ]);
  for (const wrong of [
    { ends_at: inDays(91) },
    { ends_at: undefined },
    { disputes: 2 },
    { sources: [] },
    { sources: ['chargeback', 'review'] },
  ]) {
    const refused = await propose('US-MX', wrong);
    const [error] = refused.body.errors ?? [];
    expect([refused.status, error?.pointer]).toEqual([422, `/${Object.keys(wrong)[0]}`]);
  }
  expect((await endControl(api, 'auto-freeze', 'corridor:US-EG', ann)).status).toBe(200);
  const over = (await propose('FR-MA', { ends_at: new Date(Date.now() + 500).toISOString() })).body;
  const { detail, approval_id: overId } = over.approval;
  await waitUntil(async () => Date.parse(detail.ends_at) < Date.now(), 5000, 'its end');
  const late = await confirm(api, bob, overId);
  expect([late.status, late.body.detail]).toEqual([
    409,
    expect.stringContaining(`auto-freeze:corridor:FR-MA was to end at ${detail.ends_at}`),
  ]);
  const words = 'controls set auto-freeze corridor:US-MX --disputes 10 --sources chargeback';
  const options = [
    '--sources',
    'issuer',
    '--ends-at',
    inDays(60),
    '--reason',
    'holidays',
    '--json',
  ];
  const key = { RISK_URL: api.url, RISK_API_KEY: ann };
  const ran = await runRisk([...words.split(' '), ...options], key);
  expect(JSON.parse(ran.stdout).approval).toMatchObject({
    ...{ state: 'waiting', detail: { disputes: 10, sources: ['chargeback', 'issuer'] } },
  });
  expect((await confirm(api, bob, JSON.parse(ran.stdout).approval.approval_id)).status).toBe(200);
  expect((await endControl(api, 'auto-freeze', 'corridor:US-MX', ann)).status).toBe(200);
});

test('more labels than it names, of its sources, one a request, freeze the corridor once a day', async () => {
  await dispute('US-IN');
  await allow('US-IN');
  expect(await look('US-IN'), 'labels from before').toBeUndefined();
  await dispute('US-IN', { source: 'merchant' });
  expect(await look('US-IN'), 'a source that the policy does not name').toBeUndefined();
  await dispute('US-IN', { isImport: true });
  expect(await look('US-IN'), 'an import').toBeUndefined();
  const { items } = (await answerOf(await api.request('/v1/suggestions'))).body;
  expect(items.map(({ id }: { id: string }) => id)).toEqual(['disputes:US-IN']);
  await dispute('GB-NG', { source: 'issuer' });
  expect(await look('GB-NG'), 'a corridor without a policy').toBeUndefined();
  await dispute('US-IN', { source: 'issuer', length: 5 });
  expect(await look('US-IN'), 'as many as the policy lets pass').toBeUndefined();
  await dispute('US-IN', { source: 'chargeback', length: 1 });
  const frozen = await look('US-IN');
  expect(frozen).toMatchObject({
    ...{ set_by: 'engine', ends_at: null },
    reason: '6 disputes within 5 minutes, by the policy of Bob: a test',
  });

  const told = (await tell()).find(({ data }) => 'who' in data && data.who === 'engine');
  expect([told?.id, told?.data]).toMatchObject([
    expect.stringMatching(/^authority_/),
    {
      subject: 'freeze:corridor:US-IN',
      next: 'To end freeze:corridor:US-IN takes one person with the role risk_officer or admin.',
      recipients: ['Ann', 'Bob'],
    },
  ]);
  const hourly = async (hours: number) =>
    (await tell(Date.parse(frozen?.set_at ?? '') + hours * HOUR_MS)).filter(({ id }) =>
      id.startsWith('frozen_'),
    );
  expect([(await hourly(0.9)).length, (await hourly(1)).length]).toEqual([0, 1]);
  const [second, third] = [await hourly(2), await hourly(2.9)];
  expect(second).toEqual(third);
  expect(second).toMatchObject([{ corridor: 'US-IN', data: { recipients: ['Ann', 'Bob'] } }]);

  const controlsOf = await api.request('/v1/controls?kind=freeze');
  expect((await answerOf(controlsOf)).body.items[0].ended_by).toBe(
    'one person with the role risk_officer or admin',
  );
  expect((await endControl(api, 'freeze', 'corridor:US-IN', bob)).body.control).toBeNull();
  expect(await hourly(5)).toEqual([]);
  await dispute('US-IN');
  expect(await look('US-IN'), 'again within a day').toBeUndefined();
  await age('23 hours 59 minutes');
  expect(await look('US-IN'), 'nearly a day later').toBeUndefined();
  await age('1 minute');
  expect(await look('US-IN'), 'a day later').toMatchObject({ set_by: 'engine' });
});

test('a freeze outlasts what allowed it; nothing freezes once that has ended, nor where a corridor is stopped', async () => {
  await allow('US-PH');
  expect((await putControl(api, 'stop', 'corridor:US-PH', {}, ann)).status).toBe(200);
  await dispute('US-PH');
  expect(await look('US-PH'), 'a stopped corridor').toBeUndefined();
  expect((await endControl(api, 'stop', 'corridor:US-PH', ann)).status).toBe(200);
  expect(await look('US-PH')).toMatchObject({ set_by: 'engine' });
  await api.testDatabase.sql("update controls set ends_at = now() where kind = 'auto-freeze'");
  expect(await look('US-PH'), 'the policy has ended').toMatchObject({ ends_at: null });

  await allow('GB-PK');
  expect((await endControl(api, 'auto-freeze', 'corridor:GB-PK', ann)).status).toBe(200);
  await dispute('GB-PK');
  expect(await look('GB-PK'), 'a person ended the policy').toBeUndefined();

  await allow('DE-TR');
  const [corrected] = await dispute('DE-TR');
  const legitimate = labelInput({ transaction_id: corrected, label: 'legitimate' });
  await api.post('/v1/labels', {
    labels: [{ ...legitimate, labelled_at: new Date().toISOString() }],
  });
  expect(await look('DE-TR'), 'a corrected label').toBeUndefined();

  await allow('US-MX');
  await dispute('US-MX');
  let looked: Promise<unknown> | undefined;
  await api.database.transaction(async (query) => {
    await query({ text: 'lock table market.controls in share mode' });
    looked = look('US-MX');
    const waits = `select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like 'lock table%controls%'`;
    const isWaiting = async () => (await api.testDatabase.sql(waits)).length > 0;
    await waitUntil(isWaiting, 5000, 'the freeze to wait');
    await query({
      text: "update market.controls set ends_at = clock_timestamp() where scope = 'corridor:US-MX'",
    });
  });
  expect(await looked, 'the policy ended while the freeze waited').toBeUndefined();
});

test('a worker runs it', async () => {
  await using _ = await api.startWorker();
  await allow('GB-NG');
  await dispute('GB-NG');
  const isFrozen = async () => (await freezeOf('GB-NG'))?.set_by === 'engine';
  await waitUntil(isFrozen, 15_000, 'the freeze');
});
