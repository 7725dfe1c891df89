/**
 * Goal: pages that explain a score read what is stored: the habit of the account before it, its lineage, and what happened on its
 * device. Method: an API and a worker, and the same figures from SQL and from explanations.
 */
import { describe, expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const HOUR_MS = 3_600_000;
const END_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
/** More than a habit counts. */
const OF_ACCOUNT = 60;
const ROWS = 3 * OF_ACCOUNT;

const api = await openForFile(startRunningApi());
await openForFile(api.startWorker());

const at = (ms: number) => new Date(ms).toISOString();
const transactions = Array.from({ length: ROWS }, (_, n) =>
  input({
    account_id: `acc_${n % 3}`,
    merchant_id: `m_${n % 5}`,
    amount: `${20 + (n % 37)}.50`,
    created_at: at(END_MS - (ROWS - n) * 2 * HOUR_MS),
    device_id: `device-${n % 7}`,
    ...(n % 4 === 0 ? {} : { country: n % 11 === 0 ? 'EG' : 'US' }),
  }),
);
await api.post('/v1/transactions/batch', { transactions });
await scored(ROWS);

async function scored(count: number): Promise<void> {
  const isDone = async () => (await api.testDatabase.sql('select from scores')).length >= count;
  await waitUntil(isDone, 60_000, 'scores');
}

const read = async (path: string) => (await answerOf(await api.request(path))).body;

test('the habit of an account is the median and range of the vectors logged before', async () => {
  const { items } = await read('/v1/transactions?account_id=acc_1&status=scored&limit=100');
  const [newest, ...earlier] = items.map((one: { transaction_id: string }) => one.transaction_id);
  const habit = await read(`/v1/scores/${newest}/habit`);
  const counted = earlier.slice(0, 50);
  expect(habit.transactions).toBe(counted.length);
  expect(habit.from).toBe(items[counted.length].created_at);
  const vectors: { name: string; value: number | null }[][] = [];
  for (const id of counted) vectors.push((await read(`/v1/scores/${id}/explanation`)).features);
  for (const [index, feature] of habit.features.entries()) {
    const values = vectors.flatMap((vector) => vector[index]?.value ?? []).sort((a, b) => a - b);
    const half = values.length / 2;
    const middle =
      values.length % 2 === 1
        ? values[Math.floor(half)]
        : ((values[half - 1] ?? 0) + (values[half] ?? 0)) / 2;
    expect(feature).toEqual({
      name: vectors[0]?.[index]?.name,
      known: values.length,
      median: values.length === 0 ? null : middle,
      min: values[0] ?? null,
      max: values.at(-1) ?? null,
    });
  }
});

test('lineage has the checksum of the vector, and a spoilt vector is told', async () => {
  const { items } = await read('/v1/transactions?limit=1&max_score=0');
  const id: string = items[0].transaction_id;
  const sound = (await read(`/v1/scores/${id}/explanation`)).lineage;
  expect(sound).toMatchObject({
    differing: [],
    vector_crc32: expect.stringMatching(/^[0-9a-f]{8}$/),
  });
  await api.testDatabase.sql(
    'alter table scores disable trigger user; update scores set features_crc32 = features_crc32 # 1 where transaction_id = $1'.replace(
      '$1',
      `'${id}'`,
    ),
  );
  expect((await read(`/v1/scores/${id}/explanation`)).lineage.differing).toEqual(['vector_crc32']);
});

test('a vector of an unknown schema is refused', async () => {
  const { items } = await read('/v1/transactions?limit=1&min_score=1');
  const id: string = items[0].transaction_id;
  await api.testDatabase.sql(`update scores set feature_schema = 5 where transaction_id = '${id}'`);
  for (const what of ['explanation', 'habit']) {
    const { status, body } = await answerOf(await api.request(`/v1/scores/${id}/${what}`));
    const detail = 'The score was made with feature schema 5, which this version lacks.';
    expect([status, body.detail]).toEqual([409, detail]);
  }
});

describe('a device', () => {
  test('has windows, days, and its newest transactions', async () => {
    const { body, status } = await answerOf(
      await api.request(`/v1/devices/device-3/profile?at=${at(END_MS)}`),
    );
    expect(status).toBe(200);
    const rows = await api.testDatabase.sql<{
      day: string;
      transactions: number;
      counterparties: number;
    }>(
      `select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*)::int as transactions,
              count(distinct account_id)::int as counterparties
         from transactions where device_id = 'device-3' group by 1 order by 1`,
    );
    expect(body.days).toEqual(rows);
    expect(body.windows[3].transactions).toBe(rows.reduce((sum, one) => sum + one.transactions, 0));
    expect(body.device_id).toBe('device-3');
    expect(body.recent).toHaveLength(20);
    expect(body.recent.every((one: { device_id: string }) => one.device_id === 'device-3')).toBe(
      true,
    );
  });
});
