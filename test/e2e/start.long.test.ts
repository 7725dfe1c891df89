/**
 * Goal: `risk start` gives another Postgres none of its sample, and ends when a role keeps ending. Method: the real command as a
 * child, on a data folder of its own.
 */
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { findSample } from '../support/find-sample.ts';
import { spawnRisk } from '../support/risk.ts';
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
