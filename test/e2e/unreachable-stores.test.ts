/** Goal: a process whose store is not reached names the setting and what to do, and never the password. */

import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { spawnRisk } from '../support/risk.ts';
import { runRisk } from '../support/run-risk.ts';
import { startTestRedis } from '../support/services.ts';

const PASSWORD = 'open-sesame';

const database = await openForFile(createTestDatabase());
const redis = await openForFile(startTestRedis());
const client = new Redis(redis.url);
await client.config('SET', 'requirepass', PASSWORD);
client.disconnect();

/** The URL with its parts replaced; what it leads to does not exist or refuses. */
function changed(url: string, parts: Partial<Pick<URL, 'host' | 'password' | 'pathname'>>): string {
  return Object.assign(new URL(url), parts).href;
}

const CLOSED = 'start Postgres, or correct host and port of DATABASE_URL';
const LOGIN = 'correct user and password of REDIS_URL';

test('no role starts without its Postgres, and the message says what to correct', async () => {
  const wrong: [Parameters<typeof changed>[1], string][] = [
    [{ host: '127.0.0.1:1', password: PASSWORD }, CLOSED],
    [{ host: 'nowhere.invalid:5432' }, 'correct the host of DATABASE_URL'],
    [{ pathname: '/absent' }, 'create the database, or correct its name in DATABASE_URL'],
    [{ password: PASSWORD }, 'correct user and password of DATABASE_URL'],
  ];
  // All roles connect by one function: each is tried with one fault, and one of them with all.
  const roles = [
    ...wrong.map(([parts, advice]) => ({ role: 'doctor', parts, advice })),
    ...wrong
      .slice(2)
      .map(([parts, advice], n) => ({ role: ['api', 'worker'][n] ?? '', parts, advice })),
  ];
  for (const { role, parts, advice } of roles) {
    const DATABASE_URL = changed(database.url, parts);
    const settings = { DATABASE_URL, REDIS_URL: redis.url, RISK_SCHEMA_WAIT_MS: '0' };
    const { code, stdout, stderr } = await runRisk([role], settings);
    expect([role, code, stdout + stderr]).toEqual([role, 1, expect.stringContaining(advice)]);
    expect(stdout + stderr).not.toContain(PASSWORD);
  }
});

test.each([
  [{ password: 'wrong-word' }, LOGIN, ['api', 'worker']],
  [{}, LOGIN, []],
  [{ host: '127.0.0.1:1' }, 'start Redis, or correct host and port of REDIS_URL', []],
  [{ host: 'nowhere.invalid' }, 'correct the host of REDIS_URL', []],
])('a Redis that is not reached is named: %o', async (parts, advice, roles) => {
  const stores = { DATABASE_URL: database.url, REDIS_URL: changed(redis.url, parts) };
  const doctor = await runRisk(['doctor'], stores);
  expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringContaining(advice)]);
  for (const role of roles) {
    await using started = spawnRisk([role], { ...stores, PORT: '0' });
    await started.waitFor(new RegExp(advice), 30_000);
    started.kill('SIGTERM');
    await started.exited;
    expect(started.stdout() + started.stderr()).not.toContain('wrong-word');
  }
});
