/**
 * Goal: what a legal hold names is not dropped, purged or erased until every hold of it is lifted. Method: holds are set and lifted
 * over the API, a month is dropped as `risk partitions` does, and the duties that remove rows run beside a hold and without it.
 */
import { expect, test } from 'vitest';
import { tendKeySlices } from '../../../../src/core/repair/reconcile-duty.ts';
import { holdOf, isMarketOnHold } from '../../../../src/core/store/partitions/legal-holds.ts';
import { readConfig } from '../../../../src/kit/config/config.ts';
import { createLeadership } from '../../../../src/kit/duties/leadership.ts';
import { bindPurge } from '../../../../src/kit/duties/purge.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { RETENTIONS } from '../../../../src/main/rooms.ts';
import { agreeOnDrop } from '../../../support/approvals.ts';
import { startMonthsRig } from '../../../support/months-rig.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../../../support/stored-rows.ts';

const rig = await startMonthsRig();
const { api } = rig;
const { signal } = new AbortController();

const holds = (...args: string[]) => api.riskJson('holds', ...args) as Promise<{ hold_id: string }>;
const set = (kind: string, subject: string | null, reason = 'a court') => {
  const of = subject === null ? [] : ['--subject', subject];
  return holds('set', kind, ...of, '--reason', reason);
};
const lift = async (...ids: { hold_id: string }[]) => {
  for (const { hold_id: id } of ids) await holds('lift', id, '--reason', 'closed');
};
const drop = (text: string) =>
  runRisk(['partitions', 'drop', text], { DATABASE_URL: api.testDatabase.url });
const heldBy = async (account: string) =>
  (await holdOf(api.database.query, { kind: 'account', account }))?.kind;

test('a month is dropped once no hold is over it, its market or an account that it has', async () => {
  const createdAtMs = Date.parse('2013-03-07T00:00:00Z');
  await storeTransactions(api.database, [{ createdAtMs, accountId: 'acc_held', score: 1 }]);
  await rig.detach('2013-03');
  expect(
    (await api.risk('holds', 'set', 'month', '--subject', '1999-01', '--reason', 'x')).stderr,
  ).toContain('1999-01 has no partitions');
  const month = await set('month', '2013-03');
  expect((await set('month', '2013-03')).hold_id).toBe(month.hold_id);
  const again = await set('month', '2013-03', 'another court');
  const account = await set('account', 'acc_held');
  const market = await set('market', null);
  for (const hold of [month, again, account, market]) {
    const refused = await drop('2013-03');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('legal hold')]);
    await lift(hold);
  }
  expect((await drop('2013-03')).stderr).toContain('nobody has requested month');
  await agreeOnDrop(api.testDatabase, '2013-03');
  expect((await drop('2013-03')).stdout).toContain('2013-03 is dropped');
  expect(await holds('list', '--state', 'in_force')).toEqual([]);
  const audited = await api.testDatabase.sql<{ action: string }>(
    `select action from audit_log where action like 'hold.%' order by audit_id`,
  );
  expect(audited.map(({ action }) => action)).toEqual([
    ...Array(4).fill('hold.set'),
    ...Array(4).fill('hold.lift'),
  ]);
  await expect(api.testDatabase.sql('delete from legal_holds')).rejects.toThrow('never changed');
});

test('an account is held by itself, by its market and by a month that has its transactions', async () => {
  const createdAtMs = Date.parse('2013-05-07T00:00:00Z');
  await storeTransactions(api.database, [{ createdAtMs, accountId: 'acc_may' }]);
  expect(await heldBy('acc_may')).toBeUndefined();
  const month = await set('month', '2013-05');
  expect([await heldBy('acc_may'), await heldBy('acc_june')]).toEqual(['month', undefined]);
  const account = await set('account', 'acc_june');
  expect([await heldBy('acc_june'), await heldBy('acc_july')]).toEqual(['account', undefined]);
  const market = await set('market', null);
  expect(await heldBy('acc_july')).toBe('market');
  await lift(month, account, market);
  expect(await heldBy('acc_may')).toBeUndefined();
});

test('what ends by its age stays while a hold is over it', async () => {
  const createdAtMs = Date.parse('2013-06-07T00:00:00Z');
  const seeds = ['acc_kept', 'acc_gone'].map((accountId) => ({ createdAtMs, accountId, score: 1 }));
  const ids = await storeTransactions(api.database, seeds);
  const letters = ids.map((transactionId, at) => ({
    ...{ id: idAt(createdAtMs), transactionId, failedAtMs: createdAtMs },
    accountId: seeds[at]?.accountId ?? '',
  }));
  await storeDeadLetters(api.database, letters);
  await api.testDatabase.sql(`update dead_letters set purged_at = now() - interval '900 days'`);
  await api.testDatabase.sql(
    `insert into watch_reports select now() - interval '900 days', 'm@1', '{}'`,
  );
  await using leadership = createLeadership(api.database, 'test');
  const read = readConfig({});
  if ('problems' in read) throw new Error(read.problems.join());
  const purge = bindPurge(read.config, leadership, createMetrics(), RETENTIONS, isMarketOnHold);
  const left = async () => {
    await purge.run(signal);
    const rows = await api.testDatabase.sql<{ left: string }>(
      `select account_id as left from dead_letters union all select 'report' from watch_reports order by 1`,
    );
    return rows.map((row) => row.left);
  };
  const market = await set('market', null);
  expect(await left()).toEqual(['acc_gone', 'acc_kept', 'report']);
  const account = await set('account', 'acc_kept');
  await lift(market);
  expect(await left()).toEqual(['acc_kept']);
  await lift(account);
  expect(await left()).toEqual([]);
});

test('slices of idempotency keys stay while the market is held', async () => {
  await rig.post('2013-07');
  const { testDatabase, database } = api;
  const slices = async () => {
    await tendKeySlices(database, database, 0, () => undefined, signal);
    await tendKeySlices(database, database, 0, () => undefined, signal);
    const [row] = await testDatabase.sql<{ keys: number }>(
      'select count(*)::int4 as keys from idempotency_keys',
    );
    return row?.keys;
  };
  const market = await set('market', null);
  const kept = await slices();
  await lift(market);
  expect([kept, await slices()]).toEqual([1, 0]);
});
