/** Goal: `risk doctor` passes on what the engine runs on and fails on what would lose data. */
import { expect, inject, test } from 'vitest';
import { buildTable } from '../../src/core/repair/night/build-table.ts';
import { DAY_MS } from '../../src/kit/words/range.ts';
import { createTestDatabase } from '../support/database.ts';
import { makeDay, nightOf, storeKnown, storeScored } from '../support/made-days.ts';
import { runRisk } from '../support/run-risk.ts';
import { startRunningApi } from '../support/running-api.ts';
import { startTestRedis } from '../support/services.ts';
import { askPostgres } from '../support/standby.ts';

type Finding = { check: string; state: string; detail: string };

async function doctor(environment: Record<string, string>) {
  const { code, stdout } = await runRisk(['doctor', '--json'], environment);
  const findings: Finding[] = JSON.parse(stdout);
  return { code, failed: findings.filter(({ state }) => state === 'fail'), findings };
}

test('doctor fails on a Postgres without durability and on a Redis that evicts', async () => {
  await using database = await createTestDatabase();
  await using redis = await startTestRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
  const { code, failed, findings } = await doctor({
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
  });
  expect(failed.map(({ check }) => check)).toEqual(['postgres durability', 'redis eviction']);
  expect(findings.find(({ check }) => check === 'schema')?.state).toBe('ok');
  expect(code).toBe(1);
});

test('doctor fails on a Redis that answers and refuses to write, and says why', async () => {
  await using database = await createTestDatabase();
  await using redis = await startTestRedis({ settings: { 'min-replicas-to-write': '1' } });
  const { failed } = await doctor({ DATABASE_URL: database.url, REDIS_URL: redis.url });
  const [writes] = failed.filter(({ check }) => check === 'redis writes');
  expect(writes?.detail).toMatch(/^NOREPLICAS /);
});

test('doctor and a starting API name the variables that stop what does not exist', async () => {
  const environment = {
    MARKET_0_ENABLED: 'false',
    MARKET_77_ENABLED: 'false',
    M0_CORRIDOR_US_EF_ENABLED: 'false',
    M0_CORRIDOR_US_EG_ENABLED: 'true',
  };
  await using api = await startRunningApi(environment);
  const found = await doctor({
    ...environment,
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
  });
  const said = found.findings.filter(({ check }) => check === 'controls');
  expect(said.map(({ state, detail }) => [state, detail])).toEqual([
    ['warn', 'MARKET_77_ENABLED=false stops nothing: this database has no market_77'],
    [
      'warn',
      'M0_CORRIDOR_US_EF_ENABLED=false stops nothing: this database has no corridor US-EF in market_0',
    ],
  ]);
  for (const { detail } of said) expect(api.log()).toContain(detail);
});

test('doctor names the migrations a database lacks, and services that do not answer', async () => {
  await using database = await createTestDatabase({ migrated: false });
  const { code, failed } = await doctor({
    DATABASE_URL: database.url,
    REDIS_URL: 'redis://127.0.0.1:1',
  });
  const details = failed.map(({ check, detail }) => `${check}: ${detail}`).join('\n');
  expect(details).toMatch(/schema: missing .*risk migrate/);
  expect(details).toMatch(/redis: .*ECONNREFUSED/);
  expect(code).toBe(1);
});

test('doctor says which settings give a connection where Postgres has none left', async () => {
  await using database = await createTestDatabase();
  await askPostgres(inject('postgresUrl'), `alter database ${database.name} connection limit 0`);
  const { failed } = await doctor({ DATABASE_URL: database.url });
  const [postgres] = failed.filter(({ check }) => check === 'postgres');
  expect(postgres?.detail).toMatch(/^too many connections .*RISK_DATABASE_CONNECTIONS_MAX\)$/);
});

test('migrate and doctor refuse a database in SQL_ASCII, and name the encoding', async () => {
  const as = `template template0 encoding 'SQL_ASCII' locale_provider libc locale 'C'`;
  await using database = await createTestDatabase({ as });
  const environment = { DATABASE_URL: database.url, REDIS_URL: 'redis://127.0.0.1:1' };
  const migrated = await runRisk(['migrate'], environment);
  expect([migrated.code, migrated.stderr]).toEqual([
    1,
    expect.stringMatching(/has the encoding SQL_ASCII, .* needs UTF8: create database NAME/),
  ]);
  expect(await database.sql(`select from pg_namespace where nspname = 'market_0'`)).toEqual([]);
  const { code, failed } = await doctor(environment);
  const [encoding] = failed.filter(({ check }) => check === 'postgres encoding');
  expect([code, encoding?.detail]).toEqual([1, expect.stringContaining('SQL_ASCII')]);
});

test('doctor says where labels come later than they are waited for, and where no trainer runs', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const [first, days, delayDays] = [20_660, 60, 10];
  for (let day = first; day < first + days; day++) {
    const made = makeDay(day, 60);
    await storeScored(database, made);
    await storeKnown(database, made, delayDays);
  }
  await buildTable(database, nightOf(first + days));
  const foundBy = async (waited: number, name = 'label maturity') => {
    const environment = { RISK_LABEL_MATURITY_DAYS: String(waited) };
    const { findings } = await doctor({ DATABASE_URL: testDatabase.url, ...environment });
    return findings.find(({ check }) => check === name);
  };
  expect(await foundBy(7)).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('set RISK_LABEL_MATURITY_DAYS to 14'),
  });
  expect(await foundBy(14)).toMatchObject({ state: 'ok' });
  expect(await foundBy(14, 'trainer')).toMatchObject({
    detail: 'no table is of today or yesterday: start risk trainer',
  });
  const yesterday = Math.floor(Date.now() / DAY_MS) - 1;
  await buildTable(database, nightOf(yesterday));
  expect(await foundBy(14, 'trainer')).toBeUndefined();
});

test.each([
  ['15', 30],
  ['16', 31],
])(
  'doctor says where opinions of shadows end before labels of %s days are known',
  async (RISK_LABEL_MATURITY_DAYS, needed) => {
    const environment = { DATABASE_URL: 'postgres://localhost:1/none', RISK_LABEL_MATURITY_DAYS };
    const { findings } = await doctor(environment);
    const found = findings.filter(({ check }) => check === 'shadow retention');
    const detail = expect.stringContaining(`set RISK_SHADOW_RETENTION_DAYS to ${needed}`);
    expect(found).toMatchObject(needed > 30 ? [{ state: 'warn', detail }] : []);
  },
);

test('doctor offers the first limits that a market lacks, and markets create sets them', async () => {
  await using database = await createTestDatabase();
  const environment = { DATABASE_URL: database.url };
  const limits = async () =>
    (await doctor(environment)).findings.filter(({ check }) => check.startsWith('limit of'));
  const line = (unit: string, rate: number) =>
    `the market has none: risk controls set limit-${unit} market --rate-per-second ${rate} --burst ${2 * rate} --reason '…'`;
  expect(await limits()).toEqual([
    { check: 'limit of requests', state: 'warn', detail: line('requests', 1000) },
    { check: 'limit of inference', state: 'warn', detail: line('inference', 200) },
  ]);
  const made = await runRisk(
    ['markets', 'create', 'market_0', '--corridors', 'US-EG'],
    environment,
  );
  expect(made.stdout + made.stderr).toContain('its first limit of inference: 200 a second, 400');
  expect(await limits()).toEqual([
    { check: 'limit of requests', state: 'ok', detail: '1000 a second' },
    { check: 'limit of inference', state: 'ok', detail: '200 a second' },
  ]);
});
