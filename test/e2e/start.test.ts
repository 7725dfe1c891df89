/**
 * Goal: `risk start` does the main job on a machine with nothing prepared: services, schema, roles,
 * sample, ledger; a second start repeats nothing; a role or a service that dies is started again; Ctrl-C leaves nothing
 * running. Method: the real command as a child, on a data folder of its own.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiClient } from '../../src/kit/client/api-client.ts';
import { createAsk } from '../../src/kit/client/ask.ts';
import { readConfig } from '../../src/kit/config/config.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import { readEngineFile } from '../../src/tools/start/services/engine-file.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { API_NICENESS } from '../../src/tools/start/services/raise-priority.ts';
import { createTestDatabase } from '../support/database.ts';
import { mayRaisePriority, rank, rankOf } from '../support/rank.ts';
import { type RiskProcess, runRiskProcess, spawnRisk } from '../support/risk.ts';
import { makeTestFolder } from '../support/service-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const TRANSACTIONS = 1_500;
const START_MS = 90_000;
let folder: string;
let environment: Record<string, string>;

beforeAll(() => {
  folder = makeTestFolder();
  environment = { RISK_DATA_DIR: join(folder, 'data') };
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Fields of the ledger line, which must be the last of the output. */
function ledgerOf(stdout: string): Record<string, number> {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  expect(line).toMatch(
    /^ledger accepted=\d+ duplicates=\d+ scored=\d+ dead_lettered=\d+ pending=\d+ lost=-?\d+ doubled=\d+ seconds=\d+(\.\d+)? tx_per_second=\d+ p50_ms=\d+ p99_ms=\d+$/,
  );
  const fields = line.split(' ').slice(1);
  return Object.fromEntries(
    fields.map((field) => [field.split('=')[0], Number(field.split('=')[1])]),
  );
}

const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** The request and the addresses that the screen shows; and that every line but the request has no key. */
function whereToLook(risk: { stdout: string; stderr: string }) {
  const [request = '', key = ''] =
    /^curl -sH 'Authorization: Bearer (\S+)' \\\n {2}'http:\S+'$/m.exec(risk.stdout) ?? [];
  const addresses = [...risk.stdout.matchAll(/^ {2}(http:\S+\/console\/transactions\/\S+)$/gm)];
  const [, docs = ''] = /^Open (http:\S+\/docs) /m.exec(risk.stdout) ?? [];
  expect(risk.stderr + risk.stdout.replace(request, '')).not.toContain(key);
  return { request, key, docs, addresses: addresses.map(([, address = '']) => address) };
}

/** The role as a child of `risk start`. */
function rolePid(risk: RiskProcess, role: 'api' | 'worker'): number {
  const children = readFileSync(`/proc/${risk.pid}/task/${risk.pid}/children`, 'utf8').trim();
  const isRole = (pid: string) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`cli.ts\0${role}\0`);
  return Number(children.split(' ').find(isRole));
}

function startOnce() {
  return runRiskProcess(['start', '--once', '--transactions', String(TRANSACTIONS)], environment);
}

const startServing = (own = environment) =>
  spawnRisk(['start', '--transactions', String(TRANSACTIONS)], own);

describe('risk start', () => {
  test('--once scores the sample and exits 0 after the ledger', { timeout: START_MS }, async () => {
    const { code, stdout, stderr } = await startOnce();
    expect(stderr).toContain('nothing lost, nothing scored twice');
    expect(stderr).toMatch(/Accepted to scored: .* in a backlog/);
    expect(whereToLook({ stdout, stderr }).addresses).toHaveLength(5);
    expect(ledgerOf(stdout)).toMatchObject({
      ...{ accepted: TRANSACTIONS, duplicates: 0, scored: TRANSACTIONS },
      ...{ dead_lettered: 0, pending: 0, lost: 0, doubled: 0 },
    });
    expect(code).toBe(0);
    expect(statSync(join(folder, 'data', 'api-key')).mode & 0o777).toBe(0o600);
  });

  test('a second start finds only duplicates and exits 0', { timeout: START_MS }, async () => {
    const { code, stdout } = await startOnce();
    expect(ledgerOf(stdout)).toMatchObject({
      ...{ accepted: 0, duplicates: TRANSACTIONS, scored: 0, lost: 0, doubled: 0 },
    });
    expect(code).toBe(0);
  });

  test('serves until Ctrl-C, then leaves nothing behind', { timeout: START_MS }, async () => {
    const PORT = String(await freePort());
    await using risk = startServing({ ...environment, PORT });
    await risk.waitFor(/Serving/, START_MS);
    const shown = whereToLook({ stdout: risk.stdout(), stderr: risk.stderr() });
    const headers = { authorization: `Bearer ${shown.key}` };
    const ask = (address: string) => fetch(address, { headers });
    expect((await ask(shown.docs)).status).toBe(200);
    expect(shown.addresses).toHaveLength(5);
    for (const address of shown.addresses) expect((await ask(address)).status).toBe(200);
    if (hasCurl) {
      const answer = JSON.parse(execFileSync('sh', ['-c', shown.request], { encoding: 'utf8' }));
      const ids = answer.items.map((item: { transaction_id: string }) => item.transaction_id);
      expect(shown.addresses.map((address) => address.split('/').at(-1))).toEqual(ids);
    }
    const api = { ...environment, RISK_API_KEY: shown.key };
    expect(await runRiskProcess(['status', '--json'], api)).toMatchObject({ code: 0 });
    const second = await startOnce();
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`pid ${risk.pid}`);

    risk.kill('SIGINT');
    expect(await risk.exited).toEqual({ code: 0, signal: null });
    await expect(ask(shown.docs)).rejects.toThrow();
    const again = await startOnce();
    expect(again.code).toBe(0);
  });

  test('starts a role again that was killed', { timeout: START_MS }, async () => {
    await using risk = startServing();
    await risk.waitFor(/Serving/, START_MS);
    const [, url = ''] = await risk.waitFor(/Open (http:\S+)\/docs/, 1);
    const killed = [rolePid(risk, 'api'), rolePid(risk, 'worker')];
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await risk.waitFor(
      /T[\d:.]+Z worker ended by itself \(SIGKILL\): starting it again in \S+ s; log in \S+worker\.log/,
      START_MS,
    );
    await risk.waitFor(/worker is back/, START_MS);
    await risk.waitFor(/api is back/, START_MS);
    expect(killed).not.toContain(rolePid(risk, 'worker'));
    expect(rankOf(rolePid(risk, 'api'))).toEqual(mayRaisePriority() ? rank(API_NICENESS) : rank(0));
    // A child has the niceness of these tests, in a session of its own.
    expect(rankOf(rolePid(risk, 'worker'))).toEqual({ own: getPriority(), session: 0 });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    // The steps in the background also go on after the loss of the API.
    await risk.waitFor(/The sample is complete/, START_MS);
    risk.kill('SIGINT');
    expect(await risk.exited).toEqual({ code: 0, signal: null });
    await expect(fetch(`${url}/readyz`)).rejects.toThrow();
  });

  test('scores all of a sample while its Redis and its Postgres are killed', {
    timeout: START_MS,
  }, async () => {
    const data = join(folder, 'killed');
    const own = { ...environment, RISK_DATA_DIR: data };
    await using risk = spawnRisk(['start', '--once', '--transactions', '20000'], own);
    await risk.waitFor(/✓ sample/, START_MS);
    for (const [name, file] of [
      ['Redis', 'redis/redis.pid'],
      ['Postgres', 'postgres/postmaster.pid'],
    ] as const) {
      const pid = Number(readFileSync(join(data, 'services', file), 'utf8').split('\n')[0]);
      process.kill(pid, 'SIGKILL');
      await risk.waitFor(new RegExp(`${name} is back`), START_MS);
    }
    expect(await risk.exited).toEqual({ code: 0, signal: null });
    expect(ledgerOf(risk.stdout())).toMatchObject({
      ...{ accepted: 20_000, duplicates: 0, scored: 20_000 },
      ...{ dead_lettered: 0, pending: 0, lost: 0, doubled: 0 },
    });
  });

  test('gives up a role that keeps ending', { timeout: START_MS }, async () => {
    await using risk = startServing();
    await risk.waitFor(/Serving/, START_MS);
    for (let times = 1; times <= 5; times++) {
      process.kill(rolePid(risk, 'worker'), 'SIGKILL');
      const isBack = () => risk.stderr().split('worker is back').length > times;
      await waitUntil(() => isBack() || risk.hasExited(), START_MS, 'the worker to be back');
      if (risk.hasExited()) break;
    }
    expect(await risk.exited).toEqual({ code: 1, signal: null });
    expect(risk.stderr()).toMatch(
      /worker keeps ending: SIGKILL; log in \S+worker\.log\n.*worker starts/,
    );
  });

  test('says which port is taken when it was asked for', { timeout: START_MS }, async () => {
    const PORT = String(await freePort());
    const server = createServer().listen(Number(PORT), '127.0.0.1');
    try {
      const { code, stderr } = await runRiskProcess(['start', '--once'], { ...environment, PORT });
      expect(stderr).toMatch(/^risk start: port \d+ is taken; set PORT to a free one/);
      expect(code).toBe(1);
    } finally {
      server.close();
    }
  });
});

const FOUND = `select (select count(*)::int from market.labels where source = 'simulation') as labels,
    (select count(*)::int from market.exchange_rates) as rates,
    (select max(usd)::float8 from market.exchange_rates where currency = 'EUR') as euro,
    (select count(*)::int from market.model_proposals) as proposals,
    (select count(*)::int from market.identities where revoked_at is null) as people,
    (select count(*)::int from market.audit_log where action = 'case.decide') as decided,
    (select count(*)::int from market.review_cases where state = 'open' and market_amount is not null) as open,
    (select count(*)::int from market.review_cases) as cases,
    (select count(*)::int from market.transactions) as transactions`;

async function findSample(databaseUrl: string): Promise<Record<string, number>> {
  const settings = readConfig({});
  if (!('config' in settings)) throw new Error('the defaults are a configuration');
  await using database = openDatabase(settings.config, databaseUrl, 'test');
  const [found] = await database.query<Record<string, number>>({ text: FOUND }, []);
  return found ?? {};
}

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

  /** Shows that Ben may confirm and approve what Ann has decided and proposed, and that a deciding model keeps the sample. */
  async function tryFourEyes(risk: RiskProcess) {
    const url = await apiOf(risk);
    const [ann, ben] = [askWith(url, 'sample-ann.key'), askWith(url, 'sample-ben.key')];
    const query = { state: 'confirming' } as const;
    const [waiting] = (await ben('GET /v1/reviews', { query })).items;
    const path = { id: waiting?.transaction_id ?? '' };
    expect(waiting?.decision?.decided_by).toBe('Sample Ann');
    await expect(ann('POST /v1/reviews/{id}/confirm', { path })).rejects.toThrow(/another person/);
    await ben('POST /v1/reviews/{id}/confirm', { path });
    const model = { id: 'sample@1' };
    const { proposals } = await ben('GET /v1/models/{id}', { path: model });
    const approve = (id: string) => ben('POST /v1/models/proposals/{id}/approve', { path: { id } });
    await approve(proposals[0]?.proposal_id ?? '');
    const canary = { corridor: 'US-EG', to: 'canary:5' };
    const proposed = await ann('POST /v1/models/{id}/proposals', { path: model, body: canary });
    await approve(proposed.proposal_id);
    const refused = await runRiskProcess(['sample', 'remove'], own());
    expect([refused.code, refused.stderr]).toEqual([
      ...[1, expect.stringContaining('sample@1 decides in US-EG: roll it back first')],
    ]);
    await ann('POST /v1/models/rollback', { body: { corridor: 'US-EG' } });
  }

  test('is added in the background, completely after a kill, and only once', {
    timeout: 2 * START_MS,
  }, async () => {
    {
      await using killed = start();
      await killed.waitFor(/sample labels/, START_MS);
      killed.kill('SIGKILL');
      await killed.exited;
    }
    await using risk = start();
    await risk.waitFor(/The sample is complete/, START_MS);
    const found = await findSample(urlOf());
    expect(found).toMatchObject({ proposals: 1, people: 2, transactions: 20_000 });
    expect(found['rates']).toBe(8 * 31);
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
    expect(again.stderr()).not.toMatch(/sample (labels|model|decisions)/);
    await tryFourEyes(again);
    const { stdout, code } = await runRiskProcess(['sample', 'remove'], own());
    expect(stdout).toMatch(
      /^Removed: Sample Ann, Sample Ben with all keys; \d+ review cases; 247 exchange rates\.\nWhat stays: /,
    );
    expect(code).toBe(0);
    const left = await findSample(urlOf());
    const { labels, transactions, decided } = found;
    const stays = { labels, transactions, decided, proposals: 2 };
    expect(left).toEqual({ ...stays, people: 0, rates: 1, euro: 1.5, cases: 0, open: 0 });
    again.kill('SIGINT');
    await again.exited;
  });

  test('is not given to another Postgres unless asked for', { timeout: START_MS }, async () => {
    await using database = await createTestDatabase();
    const environment = { RISK_DATA_DIR: join(folder, 'foreign'), DATABASE_URL: database.url };
    const once = (...more: string[]) =>
      runRiskProcess(['start', '--once', '--transactions', '100', ...more], environment);
    expect((await once()).code).toBe(0);
    expect(await findSample(database.url)).toMatchObject({ rates: 0, people: 0, labels: 0 });
    expect((await once('--sample')).code).toBe(0);
    expect(await findSample(database.url)).toMatchObject({ rates: 8 * 31, people: 0 });
    expect((await runRiskProcess(['sample', 'remove'], environment)).code).toBe(0);
    expect((await once('--sample')).code).toBe(0);
    expect(await findSample(database.url)).toMatchObject({ rates: 0, people: 0 });
  });
});
