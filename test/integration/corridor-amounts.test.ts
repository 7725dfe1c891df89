/**
 * Goal: a first payment far beyond the amounts of its corridor is declined. Each day has one percentile, made of amounts that
 * were not declined. Method: the duty on a real Postgres with a given clock; then a worker, and `verify scores`.
 */
import { expect, test } from 'vitest';
import { featureIndex } from '../../src/core/domain/feature-schema.ts';
import { packLetters } from '../../src/core/profile/packed-list.ts';
import { createRecomputeVectors } from '../../src/core/profile/recompute-vectors.ts';
import { bindAmounts } from '../../src/core/repair/amount-duty.ts';
import { AMOUNTS_MIN, SETTLED_MS } from '../../src/core/store/amounts/corridor-amounts.ts';
import { openCorridorAmounts } from '../../src/core/work/worker.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { dayOf, HOUR_MS } from '../../src/kit/words/range.ts';
import { openForFile } from '../support/open-for-file.ts';
import { runRisk } from '../support/run-risk.ts';
import { storeTransactions, type TransactionSeed } from '../support/stored-rows.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const NOW_MS = Date.now();
const TODAY_MS = dayOf(NOW_MS);
const EVENING_MS = TODAY_MS - HOUR_MS;
const BEYOND = '999999999999.99';
const AT = featureIndex('amount_to_corridor');
const [CORRIDOR, DOLLAR] = [packLetters('US-EG'), packLetters('USD')];

const rig = await openForFile(createWorkerRig());
const leadership = createLeadership(rig.pool, 'test');

const { signal } = new AbortController();
const runDuty = (nowMs: number) => bindAmounts(leadership, () => nowMs).run(signal);
const readRows = () =>
  rig.database.sql<object>(
    `select day::text, corridor, currency, amount, transactions::int from amount_percentiles order by day, corridor`,
  );
const evening = (rows: number, seed: (index: number) => Omit<TransactionSeed, 'createdAtMs'>) =>
  Array.from({ length: rows }, (_, index) => ({
    ...{ createdAtMs: EVENING_MS + Math.floor((index * HOUR_MS) / rows), score: 10 },
    ...seed(index),
  }));

test('each day and corridor has one percentile, which counts earlier days and never changes', async () => {
  const { database, pool } = rig;
  await database.sql(`insert into exchange_rates (currency, day, usd) values
    ('EGP', (now() at time zone 'UTC')::date - 3, 0.01), ('EGP', (now() at time zone 'UTC')::date, 7)`);
  await database.sql('update amount_checkpoint set counted_to = $1', [new Date(EVENING_MS)]);
  await storeTransactions(pool, [
    // 1 to 10,000 dollars, with every second amount in pounds.
    ...evening(AMOUNTS_MIN, (index) =>
      index % 2 === 0
        ? { amount: `${index + 1}`, currency: 'USD' }
        : { amount: `${(index + 1) * 100}`, currency: 'EGP' },
    ),
    ...evening(50, () => ({ amount: BEYOND, score: 900 })),
    ...evening(50, () => ({ amount: BEYOND, currency: 'PHP' })),
    ...evening(AMOUNTS_MIN - 1, () => ({ corridor: 'US-MX' })),
    { createdAtMs: TODAY_MS, amount: BEYOND, score: 10 },
  ]);
  const amounts = await openCorridorAmounts(pool.query);
  const ratio = () => amounts.current().ratio(NOW_MS, CORRIDOR, DOLLAR, 5000);
  await runDuty(TODAY_MS + SETTLED_MS - 1);
  expect(await readRows()).toEqual([]);
  await runDuty(TODAY_MS + SETTLED_MS);
  const day = new Date(TODAY_MS).toISOString().slice(0, 10);
  const row = { day, corridor: 'US-EG', currency: 'USD', transactions: AMOUNTS_MIN };
  expect(await readRows()).toEqual([{ ...row, amount: 10_000 }]);
  expect(ratio()).toBeNaN();
  await amounts.duty.run(signal);
  expect(ratio()).toBe(0.5);
  // Later counts do not change a percentile that is written.
  await database.sql(`delete from amount_counts where corridor = 'US-MX'`);
  await database.sql('update amount_counts set bucket = bucket + 1000');
  await database.sql('update amount_checkpoint set counted_to = $1', [new Date(EVENING_MS)]);
  await database.sql(`delete from scores where corridor = 'US-MX'`);
  await runDuty(TODAY_MS + SETTLED_MS);
  expect(await readRows()).toEqual([{ ...row, amount: 10_000 }]);
  for (const change of [
    'update amount_percentiles set amount = 1',
    'delete from amount_percentiles',
  ])
    await expect(database.sql(change)).rejects.toThrow('are never changed');
});

test('a first payment beyond ten times the percentile is declined, and the score verifies', async () => {
  const { scored: stored } = await rig.counts();
  await leadership[Symbol.asyncDispose]();
  await using worker = rig.startWorker();
  const first = (id: string) => ({ accountId: `acc_${id}`, merchantId: `m_${id}` });
  const transactions = await rig.send([
    { createdAtMs: NOW_MS, amount: BEYOND, ...first('beyond') },
    { createdAtMs: NOW_MS + 1, amount: '100000.00', ...first('ten') },
    { createdAtMs: NOW_MS + 2, amount: '10000000.00', currency: 'EGP', ...first('rated') },
    { createdAtMs: NOW_MS + 3, amount: '99999.99', ...first('below') },
    { createdAtMs: NOW_MS + 4, amount: BEYOND, currency: 'PHP', ...first('unrated') },
    { createdAtMs: NOW_MS + 5, amount: BEYOND, corridor: 'US-MX', ...first('small') },
    { createdAtMs: TODAY_MS - 1, amount: BEYOND, ...first('yesterday') },
  ]);
  const ids = transactions.map(({ transactionId }) => transactionId);
  const readScores = () =>
    rig.database.sql<{ id: string; ratio: number; verdict: string; codes: string[] }>(
      `select s.transaction_id as id, (feature_values(features))[${AT + 1}] as ratio, verdict, rule_set,
              array(select r ->> 'code' from jsonb_array_elements(reasons) r) as codes
         from unnest($1::uuid[]) with ordinality u (id, at) join scores s on s.transaction_id = u.id order by at`,
      [ids],
    );
  await rig.settled(stored + transactions.length);
  const rows = await readScores();
  expect(rows.map(({ ratio, verdict }) => [ratio, verdict])).toEqual([
    [99_999_999.999999, 'decline'],
    [10, 'decline'],
    [10, 'decline'],
    [9.999999, 'approve'],
    [Number.NaN, 'approve'],
    [Number.NaN, 'approve'],
    [Number.NaN, 'approve'],
  ]);
  expect(rows[0]?.codes[0]).toBe('AMOUNT_BEYOND_CORRIDOR');
  const recomputed = await createRecomputeVectors(rig.pool, 7)(transactions, []);
  expect(recomputed.map((vector) => vector[AT])).toEqual(rows.map(({ ratio }) => ratio));
  await worker.stop();
  // The first test stored scores without vectors, which cannot be verified.
  await rig.database.sql('delete from scores where transaction_id <> all ($1::uuid[])', [ids]);
  const { code, stdout } = await runRisk(['verify', 'scores', '--json'], rig.environment);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ verified: 7, different: 0, available: 7 });
});
