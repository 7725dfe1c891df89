/**
 * Goal: a month is detached and attached without any change to its rows, even under reads and writes.
 * Method: an API process on a real Postgres beside the functions that `risk partitions` calls; the effects are
 * counted in SQL.
 */
import pg from 'pg';
import { expect, test } from 'vitest';
import { marketUrl } from '../../bench/support/market.ts';
import { dropMonth } from '../../src/core/store/partitions/detach-months.ts';
import { TALLY_BOUNDS } from '../../src/core/store/tallies/fold-tallies.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { agreeOnDrop } from '../support/approvals.ts';
import { monthOfText, startMonthsRig, timeIn } from '../support/months-rig.ts';
import { recountTallies } from '../support/recount-tallies.ts';
import { count, input, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEADLINE_MS = 30_000;

const rig = await startMonthsRig();
const { api } = rig;

test('behind a reader that stays open a detach waits, and nobody waits for it', async () => {
  const { id } = await rig.post('2013-09');
  const reader = new pg.Client({ connectionString: marketUrl(api.testDatabase.url) });
  await reader.connect();
  try {
    await reader.query('begin isolation level repeatable read');
    await reader.query('select count(*) from transactions');
    await expect(rig.detach('2013-09')).rejects.toMatchObject({ kind: 'unavailable' });
    // A half detached month counts as detached.
    const { status } = await postOne(api, input({ created_at: timeIn('2013-09') }));
    expect(status).toBe(422);
    const running = waitUntil(
      () => rig.detach('2013-09').catch(() => false),
      DEADLINE_MS,
      'detach',
    );
    await rig.post('2013-10');
    expect((await api.request('/v1/transactions')).status).toBe(200);
    await reader.query('commit');
    await running;
  } finally {
    await reader.end();
  }
  expect(await rig.detach('2013-09')).toBe(false);
  await rig.attach('2013-09');
  expect((await api.request(`/v1/transactions/${id}`)).status).toBe(200);
  // The partition is like any other again: no check of its own is left.
  const checks = await count(
    api,
    "pg_constraint where conrelid = 'transactions_y2013m09'::regclass and contype = 'c' and coninhcount = 0",
  );
  expect(checks).toBe(0);
});

test('tallies of merchants follow the rows that are attached', async () => {
  const hours = async () => {
    const { different, transactions } = await recountTallies(rig.operator.query, 'm_busy');
    return { different, transactions };
  };
  // So many rows in one hour that it is divided.
  const rows = 2 * TALLY_BOUNDS.partRowsMax;
  await rig.post('2013-11');
  await api.testDatabase.sql(
    `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
     select 'default', gen_random_uuid(), timestamptz '2013-11-07T08:00Z' + i * interval '1 ms', now(), 'acc_1', 'm_busy', 'US-EG', 1.25, 'USD'
       from generate_series(1, $1::int) i`,
    [rows],
  );
  await api.testDatabase.sql("insert into tallied_merchants values ('m_busy', 'infinity')");
  await rig.detach('2013-11');
  expect(await hours()).toEqual({ different: 0, transactions: 0 });
  // Tallied up to here, as no step has seen these rows.
  await api.testDatabase.sql('update tally_checkpoint set folded_to = pg_current_xact_id()');
  await rig.attach('2013-11');
  expect(await hours()).toEqual({ different: 0, transactions: rows });
  expect(await count(api, 'merchant_hour_parts')).toBeGreaterThan(1);
  await rig.detach('2013-11');
  expect(await hours()).toEqual({ different: 0, transactions: 0 });
});

test('a dropped month takes new transactions, and its keys are known still', async () => {
  const { sent, id } = await rig.post('2013-12');
  await expect(
    dropMonth(rig.operator, monthOfText('2013-12'), engineOf('test')),
  ).rejects.toMatchObject({
    code: 'MONTH_ATTACHED',
  });
  await rig.detach('2013-12');
  await agreeOnDrop(api.testDatabase, '2013-12');
  await dropMonth(rig.operator, monthOfText('2013-12'), engineOf('test'));
  expect((await api.request(`/v1/transactions/${id}`)).status).toBe(404);
  expect((await postOne(api, sent)).body).toMatchObject({
    status: 'duplicate',
    transaction_id: id,
  });
  await rig.post('2013-12');
});
