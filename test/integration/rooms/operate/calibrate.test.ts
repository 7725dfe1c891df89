/**
 * Goal: a calibration of an engine that works has a figure of each part, and a plan computes with it. Method: an API and a worker
 * in this process, rows that are stored, traffic while the command measures, then another worker that comes and goes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readWorkers } from '../../../../src/rooms/operate/plan/measure-engine.ts';
import { calibrationSchema } from '../../../../src/rooms/operate/plan/plan.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { openRunningApi, RUNNING_API_KEY } from '../../../support/running-api.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { input } from '../../../support/submit.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';
import { THOROUGH } from '../../../support/thorough.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openRunningApi();
const folder = folderOfFile();

const REQUEST = 1000;
async function post(requests: number): Promise<void> {
  for (let nth = 0; nth < requests; nth++) {
    const transactions = Array.from({ length: REQUEST }, (_, at) =>
      input({ account_id: `acc_${at}`, merchant_id: `m_${at % 50}` }),
    );
    const answer = await api.post('/v1/transactions/batch', { transactions });
    expect(answer.status).toBe(200);
  }
}

test.runIf(THOROUGH)('a calibration measures traffic, and a plan reads it', async () => {
  await using _worker = api.startWorker();
  const file = join(folder, 'calibration.json');
  const stores = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
  const environment = { ...stores, RISK_URL: api.url, RISK_API_KEY: RUNNING_API_KEY };
  const calibrate = () => runRisk(['calibrate', '--seconds', '5', '--file', file], environment);
  const reporting = async (count: number) => {
    const workers = { redis: api.redis, market: api.testDatabase.market };
    const isThere = async () => (await readWorkers(workers)).size === count;
    await waitUntil(isThere, 10_000, `reports of ${count} workers`);
  };
  const nowMs = Date.now();
  const earlier = Array.from({ length: 8000 }, (_, at) => ({
    ...{ createdAtMs: nowMs - 10_000 + at, score: 10 },
    ...{ accountId: `acc_${at % REQUEST}`, merchantId: `m_${at % 50}` },
  }));
  await storeTransactions(api.database, earlier);
  await reporting(1);
  const measure = async () => {
    const [ran] = await Promise.all([calibrate(), post(4)]);
    const isBusy = ran.stderr.includes('at least 2000 are needed');
    return isBusy ? undefined : ran;
  };
  const measured = await waitUntil(measure, 20_000, 'scores of 2,000 while it measures');
  expect(measured.code, measured.stderr).toBe(0);
  const made = calibrationSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  expect(made).toMatchObject({
    transactions_per_request: REQUEST,
    corridors: { 'US-EG': 1 },
    postgres_us: expect.any(Number),
    redis_us: expect.any(Number),
  });
  expect(made.transactions).toBeGreaterThanOrEqual(2000);
  expect(made.redis_bytes_per_account).toBeGreaterThan(100);
  expect(made.postgres_bytes_per_transaction).toBeGreaterThan(200);
  expect(made.postgres_bytes_per_transaction).toBeLessThan(5000);
  const more = async () => {
    await using _other = api.startWorker();
    await reporting(2);
  };
  const [refused] = await Promise.all([calibrate(), more()]);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('workers came or went'),
  ]);
  const one = await api.risk('plan', '--tps', '1000', '--calibration', file);
  expect(one.stdout).toContain('1000 × (1 + 0)^0 × 1 × 1 × 2.5 = 2,500 transactions a second');
  const table = await api.riskJson('plan', '--tps', '50,1000', '--calibration', file);
  expect(table).toMatchObject([
    { peak_tps: 125 },
    { peak_tps: 2500, connections: expect.any(Number) },
  ]);
});
