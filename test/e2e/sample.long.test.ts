/**
 * Goal: the sample of `risk start` is complete although a kill ends its steps, is made once, and in no other Postgres; a role that keeps
 * ending ends the start. Method: the real command as a child on a data folder of its own, killed amid its steps and started again.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiClient, createAsk } from '../../src/kit/client/api-client.ts';
import { readEngineFile } from '../../src/tools/start/services/engine-file.ts';
import { createTestDatabase } from '../support/database.ts';
import { findSample } from '../support/find-sample.ts';
import { type RiskProcess, runRiskProcess, spawnRisk } from '../support/risk.ts';
import { rolePid } from '../support/role-pid.ts';
import { makeTestFolder } from '../support/service-folder.ts';

const START_MS = 90_000;
let folder: string;
beforeAll(() => {
  folder = makeTestFolder();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the sample of risk start', () => {
  /** The sample has its default size, because a model needs thirty frauds to learn from and ten to be judged on. */
  const own = () => ({ RISK_DATA_DIR: join(folder, 'sample') });
  const start = () => spawnRisk(['start'], own());
  const urlOf = () => readEngineFile(own().RISK_DATA_DIR)?.databaseUrl ?? '';

  const askWith = (url: string, file: string) => {
    const key = readFileSync(join(own().RISK_DATA_DIR, file), 'utf8').trim();
    return createAsk(createApiClient({ url, key, signal: AbortSignal.timeout(START_MS) }));
  };
  const apiOf = async (risk: RiskProcess) =>
    (await risk.waitFor(/Open (http:\S+)\/docs/, 1))[1] ?? '';

  test('is added in the background, completely after a kill, and only once', {
    timeout: 2 * START_MS,
  }, async () => {
    {
      await using killed = start();
      await killed.waitFor(/scorecard /, START_MS);
      killed.kill('SIGKILL');
      await killed.exited;
    }
    await using risk = start();
    await risk.waitFor(/The sample is complete/, START_MS);
    const found = await findSample(urlOf());
    expect(found).toMatchObject({ proposals: 1, people: 2, tables: 2, transactions: 20_000 });
    expect(found['rates']).toBe(8 * 61);
    expect(found['labels']).toBeGreaterThan(10_000);
    expect(found['decided']).toBeGreaterThan(10);
    expect(found['open']).toBeGreaterThan(0);
    for (const name of ['sample-ann.key', 'sample-ben.key'])
      expect(statSync(join(own().RISK_DATA_DIR, name)).mode & 0o777).toBe(0o600);
    const corrected = { day: new Date().toISOString().slice(0, 10), currency: 'EUR', usd: '1.5' };
    const correct = askWith(await apiOf(risk), 'api-key');
    await correct('POST /v1/exchange-rates', { body: { rates: [corrected] } });
    risk.kill('SIGINT');
    await risk.exited;

    await using again = start();
    await again.waitFor(/The sample is complete/, START_MS);
    expect(await findSample(urlOf())).toEqual({ ...found, euro: 1.5 });
    expect(again.stderr()).not.toMatch(/scorecard |sample (model|decisions)/);
    const { code } = await runRiskProcess(['keys', 'expel', 'Sample Ann'], own());
    expect(code).toBe(0);
    expect((await findSample(urlOf()))['people']).toBe(1);
    again.kill('SIGINT');
    await again.exited;
  });
});

test('gives another Postgres no sample, and ends when a role keeps ending', {
  timeout: START_MS,
}, async () => {
  await using database = await createTestDatabase();
  const keys = join(folder, 'privacy-keys');
  writeFileSync(keys, `test ${randomBytes(32).toString('base64')}\n`);
  const own = {
    RISK_DATA_DIR: join(folder, 'ending'),
    DATABASE_URL: database.url,
    RISK_PRIVACY_KEYS: keys,
    RISK_ERASURE_LEDGER: join(folder, 'erasures'),
  };
  await using risk = spawnRisk(['start', '--transactions', '100'], own);
  await risk.waitFor(/Serving/, START_MS);
  const [, url = ''] = await risk.waitFor(/Open (http:\S+)\/docs/, 1);
  expect(await findSample(database.url)).toMatchObject({ rates: 0, people: 0, labels: 0 });
  // A role that misses the file ends before it loads anything.
  rmSync(keys);
  process.kill(rolePid(risk, 'worker'), 'SIGKILL');
  expect(await risk.exited).toEqual({ code: 1, signal: null });
  expect(risk.stderr()).toMatch(
    /worker keeps ending: it does not start; log in \S+worker\.log\n(.*\n)*?.*RISK_PRIVACY_KEYS/,
  );
  await expect(fetch(`${url}/readyz`)).rejects.toThrow();
});
