/**
 * Goal: a first payment far beyond the amounts of its corridor is declined, by the table of its day. Method: a table by hand, a
 * worker, and `verify scores`; test/integration/scorecards/busy-night.test.ts counts the amounts.
 */
import { expect, test } from 'vitest';
import { featureIndex } from '../../src/core/domain/feature-schema.ts';
import { createRecomputeVectors } from '../../src/core/profile/recompute-vectors.ts';
import { insertTable } from '../../src/core/store/scorecards/scorecards.ts';
import { DAY_MS, dayOf } from '../../src/kit/words/range.ts';
import { dayTable, newTable } from '../support/day-tables.ts';
import { openForFile } from '../support/open-for-file.ts';
import { runRisk } from '../support/run-risk.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const NOW_MS = Date.now();
const TODAY_MS = dayOf(NOW_MS);
const BEYOND = '999999999999.99';
const AT = featureIndex('amount_to_corridor');

const rig = await openForFile(createWorkerRig());

test('a first payment beyond ten times the percentile is declined, and the score verifies', async () => {
  const rates = new Map([
    ['USD', 1],
    ['EGP', 0.01],
  ]);
  const amounts = { percentiles: new Map([['US-EG', 10_000]]), rates };
  const table = dayTable({ day: TODAY_MS / DAY_MS, amounts });
  await insertTable(rig.pool.query, newTable(table));
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
  await rig.settled(transactions.length);
  const rows = await rig.database.sql<{ ratio: number; verdict: string; codes: string[] }>(
    `select (feature_values(features))[${AT + 1}] as ratio, verdict,
            array(select r ->> 'code' from jsonb_array_elements(reasons) r) as codes
       from unnest($1::uuid[]) with ordinality u (id, at) join scores s on s.transaction_id = u.id order by at`,
    [transactions.map(({ transactionId }) => transactionId)],
  );
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
  const tables = transactions.map(({ createdAtMs }) => (createdAtMs < TODAY_MS ? null : table));
  const recomputed = await createRecomputeVectors(rig.pool, 7)(transactions, tables);
  expect(recomputed.map((vector) => vector[AT])).toEqual(rows.map(({ ratio }) => ratio));
  await worker.stop();
  const { code, stdout } = await runRisk(['verify', 'scores', '--json'], rig.environment);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ verified: 7, different: 0, available: 7 });
});
