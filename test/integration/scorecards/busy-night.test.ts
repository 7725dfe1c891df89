/**
 * Goal: a table knows high amounts of a corridor, and devices and addresses of more than 10,000 accounts. Method: a day of 20,000
 * payments that SQL has made.
 */
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../src/core/domain/feature-schema.ts';
import { makeNight } from '../../../src/core/repair/night/build-table.ts';
import { ensurePartitions } from '../../../src/core/store/partitions/partitions.ts';
import { readScored } from '../../../src/core/store/scorecards/read-payments.ts';
import { packVectors } from '../../../src/core/store/scores/score-values.ts';
import type { Statement } from '../../../src/kit/database/pool.ts';
import { inSnapshot } from '../../../src/kit/database/snapshot.ts';
import { monthOf } from '../../../src/kit/words/month.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { openTestDatabase } from '../../support/database.ts';
import { nightOf } from '../../support/made-days.ts';

const DAY = 20_600;
const PAYMENTS = 20_002;

const { testDatabase, database: pool } = await openTestDatabase();
const { sql } = testDatabase;
await ensurePartitions(pool, [monthOf(DAY * DAY_MS)]);
// The accounts of the device are different, those of the address are not; each tenth payment is in euros, which are worth two dollars.
await sql(
  `insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency,
     device_id, ip, client)
   select (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n), 19, '0'))::uuid, to_timestamp(ms / 1000.0), now(),
          'acc_' || case when n % 2 = 0 then n else n % 20 end, 'm_1', 'US-EG', round(n / case when n % 10 = 1 then 2.0 else 1.0 end, 1),
          case when n % 10 = 1 then 'EUR' else 'USD' end, case when n % 2 = 0 then 'till' end,
          case when n % 2 = 1 then '192.0.2.1' end, 'default'
     from (select n, $1::bigint + n as ms from generate_series(1, $2::int) n) rows`,
  [DAY * DAY_MS, PAYMENTS],
);
const [vector] = packVectors([new Float64Array(FEATURE_COUNT)]);
await sql(
  `insert into scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons, features,
     feature_schema, rule_set, attempts, degradation, features_crc32)
   select transaction_id, created_at, now(), account_id, corridor, 0, 0, case when amount > 20000 then 'decline' else 'approve' end,
          '[]', $1, 3, 'default@3', 1, 0, 0 from transactions`,
  [Buffer.from(vector ?? [])],
);
await sql(
  `insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
   select date '1970-01-01' + $1::int4, 'US-EG', 'USD', 'approve', $2, 1, 0`,
  [DAY, PAYMENTS],
);
await sql(
  `insert into exchange_rates (currency, day, usd) values ('EUR', date '1970-01-01' + $1::int4, 2), ('EUR', date '1970-01-01' + $1::int4 + 1, 9)`,
  [DAY],
);
const { table, days } = await makeNight(pool, nightOf(DAY + 1));

test('an amount that one in 10,000 exceeds is high, in the currency of the market', () => {
  expect(table.currency).toBe('USD');
  const { rates, percentiles } = table.amounts;
  expect([...rates]).toEqual([
    ['USD', 1],
    ['EUR', 2],
  ]);
  expect([...percentiles.keys()]).toEqual(['US-EG']);
  // Steps of an amount are a hundredth of a decade, and the largest amount was declined.
  expect(percentiles.get('US-EG')).toBeCloseTo(
    10 ** (Math.ceil(100 * Math.log10(19_998)) / 100),
    6,
  );
});

test('a device of more than 10,000 accounts is crowded, an address of ten is not', () => {
  expect([...table.crowded.device]).toEqual(['till']);
  expect([...table.crowded.address]).toEqual([]);
});

test('a day of which statistics know nothing yet is not read by comparing each payment with each score', async () => {
  await sql('analyze transactions, scores');
  const range = { fromMs: (DAY + 1) * DAY_MS, toMs: (DAY + 2) * DAY_MS };
  const plan = await inSnapshot(pool, async (query) => {
    const explained: string[] = [];
    const explain = async <Row extends object>({ text }: Statement): Promise<Row[]> => {
      const isRead = text.startsWith('declare');
      const rows = await query<Row>({
        text: isRead ? `explain ${text}` : text.replace(/^(fetch|close).*/, 'select where false'),
      });
      if (isRead) explained.push(JSON.stringify(rows));
      return rows;
    };
    for await (const _ of readScored(explain, range, false, nightOf(DAY).signal));
    return explained.join();
  });
  expect(plan).toContain('Scan');
  expect(plan).not.toContain('Nested Loop');
});

test('of many payments 20,000 are kept for cuts', () => {
  expect(days[0]?.sample).toHaveLength(16 * 20_000);
});
