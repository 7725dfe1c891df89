/**
 * Goal: scores of an older schema get vectors of today's, apart from their record, as often as it is asked. Method:
 * the command as a process on real Postgres, over scores that were stored with schema 1.
 */
import { expect, test } from 'vitest';
import { FEATURE_SCHEMA } from '../../../../src/core/domain/feature-schema.ts';
import { createRecomputeVectors } from '../../../../src/core/profile/recompute-vectors.ts';
import { loadTransactions } from '../../../../src/core/store/transactions/read-transactions.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';

const NOON_MS = Date.UTC(2026, 9, 10, 12);
const DAY_MS = 86_400_000;
/** More rows than one page. */
const SCORES = 620;

test('older vectors are computed again, once or often, and the scores stay', async () => {
  await using testDatabase = await createTestDatabase();
  await using pool = testDatabase.open();
  const inside = Array.from({ length: SCORES }, (_, index) => ({
    ...{ createdAtMs: NOON_MS + index * 1000, score: 10 },
    ...{ accountId: `acc_${index % 5}`, merchantId: `m_${index % 3}` },
  }));
  const outside = [NOON_MS - DAY_MS, NOON_MS + 2 * DAY_MS].map((createdAtMs) => ({
    ...{ createdAtMs, score: 10 },
  }));
  const ids = await storeTransactions(pool, [...inside, ...outside]);
  await testDatabase.sql(
    `update scores set feature_schema = ${FEATURE_SCHEMA} where transaction_id = $1`,
    [ids[0]],
  );
  const before = await testDatabase.sql('select * from scores order by transaction_id');
  const rebuild = () =>
    runRisk(['features', 'rebuild', '--from', '2026-10-10', '--to', '2026-10-11', '--json'], {
      DATABASE_URL: testDatabase.url,
    });
  for (let run = 0; run < 2; run++) {
    const { code, stdout } = await rebuild();
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ...{ feature_schema: FEATURE_SCHEMA, recomputed: SCORES - 1, complete: true },
    });
  }
  expect(await testDatabase.sql('select * from scores order by transaction_id')).toEqual(before);
  const rows = await testDatabase.sql<{ id: string; features: number[] }>(
    'select transaction_id as id, feature_values(features) as features from recomputed_features order by transaction_id',
  );
  expect(rows.map(({ id }) => id)).toEqual(ids.slice(1, SCORES).sort());
  const transactions = await loadTransactions(pool, [rows.at(-1)?.id ?? '']);
  const [vector] = await createRecomputeVectors(pool, 7)(transactions);
  expect(rows.at(-1)?.features).toEqual([...(vector ?? [])]);
});

test.each([
  [['rebuild', '--from', '2026-10-11', '--to', '2026-10-10'], '--to is before --from'],
  [['rebuild', '--from', '11.10.2026', '--to', '2026-10-10'], '--from must be a date'],
  [['rebuild', '--from', '2026-02-01', '--to', '2026-02-30'], '--to must be a date'],
  [['rebuild', '--from', '2026-10-11'], '--to is missing'],
  [['forget', '--from', '2026-10-10', '--to', '2026-10-10'], 'cannot forget features'],
])('features %s is refused', async (args, problem) => {
  const { code, stderr } = await runRisk(['features', ...args], {});
  expect([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
});
