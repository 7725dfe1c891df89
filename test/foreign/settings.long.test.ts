/**
 * Goal: the main way of the engine holds under each setting of Postgres that others use. Method: a database or a role that begins its
 * sessions with the setting, on which a market is migrated, payments are posted, scored, found, stopped, verified, exported, archived
 * and restored; a table says which steps held.
 */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, inject, test } from 'vitest';
import { unsealed } from '../../bench/support/unsealed.ts';
import { runApiHere } from '../support/api-here.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { timeIn } from '../support/months-rig.ts';
import { openForFile } from '../support/open-for-file.ts';
import { runRisk } from '../support/run-risk.ts';
import { startTestRedis } from '../support/services.ts';
import { askPostgres, superuserUrl } from '../support/standby.ts';
import { type Answer, input, send } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startWorkerHere } from '../support/worker-rig.ts';
import { FOREIGN_SETTINGS, type ForeignSetting } from './settings.ts';

const KEY = 'foreign-api-key-of-at-least-32-characters';
const OLD_MONTH = '2013-03';
const PAYMENTS = 3;
const STEP_MS = 20_000;

const redis = await openForFile(startTestRedis());
const commands = new Redis(redis.url);
const folder = mkdtempSync(join(tmpdir(), 'risk-foreign-'));
const [server] = await askPostgres<{ major: number }>(
  inject('postgresUrl'),
  `select current_setting('server_version_num')::int / 10000 as major`,
);
const major = server?.major ?? 0;

type Held = { readonly setting: string; readonly by: Means } & Partial<Record<Step, string>>;
const table: Held[] = [];
afterAll(async () => {
  commands.disconnect();
  await unsealed(folder)[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  const lines = table.map((row) => `${Object.values(row).join(' | ')}\n`);
  process.stdout.write(
    [`setting | by | ${['migrate', ...Object.keys(STEPS)].join(' | ')}\n`, ...lines].join(''),
  );
});

const MEANS = ['database', 'role'] as const;
type Means = (typeof MEANS)[number];

async function giveSetting(database: TestDatabase, setting: ForeignSetting, by: Means) {
  const { name, value, isOfSuperuser = false } = setting;
  const url = inject('postgresUrl');
  const role = new URL(url).username;
  const whose =
    by === 'role' ? `role ${role} in database ${database.name}` : `database ${database.name}`;
  await askPostgres(
    isOfSuperuser ? superuserUrl(url) : url,
    `alter ${whose} set ${name} = '${value}'`,
  );
}

type Market = {
  readonly environment: Readonly<Record<string, string>>;
  readonly api: { readonly request: (path: string, init?: RequestInit) => Promise<Response> };
  readonly ids: string[];
};

const STEPS = {
  post: async ({ api, ids }: Market) => {
    for (let nth = 0; nth < PAYMENTS; nth += 1) {
      const fields = nth === 0 ? { created_at: timeIn(OLD_MONTH) } : {};
      const { status, body } = await send(api, 'POST', '/v1/transactions', input(fields));
      expect(status).toBe(201);
      ids.push(String(body.transaction_id));
    }
  },
  score: async ({ api, ids }: Market) => {
    const isScored = async (id: string) =>
      (await send(api, 'GET', `/v1/scores/${id}`)).status === 200;
    const areScored = async () => (await Promise.all(ids.map(isScored))).every(Boolean);
    await waitUntil(areScored, STEP_MS, 'every payment to be scored');
  },
  search: async ({ api, ids }: Market) => {
    const { body } = await send(
      api,
      'GET',
      '/v1/transactions?account_id=acc_17&from=2013-01-01T00:00:00Z',
    );
    expect(idsOf(body.items)).toEqual(ids.toSorted());
  },
  switch: async ({ api }: Market) => {
    const put = (stopped: boolean) =>
      send(api, 'PUT', '/v1/switches/corridor:US-EG', { stopped, reason: 'a test' });
    const until = (status: number) =>
      waitUntil(
        async () =>
          (await send(api, 'POST', '/v1/transactions', input({ account_id: 'acc_18' }))).status ===
          status,
        STEP_MS,
        `${status}`,
      );
    expect((await put(true)).status).toBe(200);
    await until(503);
    expect((await put(false)).status).toBe(200);
    await until(201);
  },
  verify: async ({ environment }: Market) => {
    expect(await runRisk(['verify', 'scores'], environment)).toMatchObject({ code: 0 });
  },
  export: async ({ api, ids }: Market) => {
    const path =
      '/v1/exports/transactions?format=ndjson&account_id=acc_17&from=2013-01-01T00:00:00Z';
    const lines = await (await api.request(path)).text();
    const rows = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(idsOf(rows.filter((row) => row.transaction_id !== undefined))).toEqual(ids.toSorted());
  },
  archive: async ({ api, environment, ids }: Market) => {
    const path = `/v1/scores/${ids[0]}`;
    const before = await send(api, 'GET', path);
    const place = ['--to', mkdtempSync(join(folder, 'cold-')), '--unencrypted'];
    expect(await runRisk(['archive', 'month', OLD_MONTH, ...place], environment)).toMatchObject({
      code: 0,
    });
    expect((await send(api, 'GET', `/v1/transactions/${ids[0]}`)).status).toBe(410);
    expect(await runRisk(['archive', 'restore', OLD_MONTH], environment)).toMatchObject({
      code: 0,
    });
    let after: Answer | undefined;
    const isBack = async () => {
      after = await send(api, 'GET', path);
      return after.status === 200;
    };
    await waitUntil(isBack, STEP_MS, 'the restored score');
    expect(after?.body).toEqual(before.body);
  },
} as const;
type Step = 'migrate' | keyof typeof STEPS;

const idsOf = (rows: readonly { readonly transaction_id: string }[]) =>
  rows.map(({ transaction_id }) => transaction_id).toSorted();

/** @returns what did not hold, by step */
async function walk(database: TestDatabase, held: Record<string, string>): Promise<string[]> {
  const environment = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RISK_BOOTSTRAP_KEY: KEY,
    PORT: '0',
  };
  const migrated = await runRisk(['migrate'], environment);
  if (migrated.code !== 0) return [`migrate: ${migrated.stderr}`];
  held['migrate'] = 'held';
  await commands.flushall();
  const run = await runApiHere(environment);
  await using _worker = startWorkerHere(environment);
  const request = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${KEY}`);
    return fetch(`${run.url}${path}`, { ...init, headers });
  };
  const market: Market = { environment, api: { request }, ids: [] };
  const problems: string[] = [];
  try {
    for (const [step, work] of Object.entries(STEPS)) {
      try {
        await work(market);
        held[step] = 'held';
      } catch (error) {
        held[step] = 'NOT HELD';
        problems.push(`${step}: ${String(error)}`);
      }
    }
  } finally {
    await run.stop();
  }
  return problems;
}

const KNOWN = FOREIGN_SETTINGS.filter(({ since = 0 }) => since <= major);
const CASES = KNOWN.map((setting, nth) => ({ setting, by: MEANS[nth % MEANS.length] as Means }));

test.each(CASES)(
  'the main way holds under $setting.name = $setting.value of the $by',
  async ({ setting, by }) => {
    await using database = await createTestDatabase({ migrated: false });
    await giveSetting(database, setting, by);
    const held: Record<string, string> = {};
    const problems = await walk(database, held);
    table.push({ setting: `${setting.name} = ${setting.value}`, by, ...held });
    if (setting.forbidsWriting === true)
      expect(problems).toEqual([expect.stringMatching(new RegExp(`^migrate: .*${setting.name}`))]);
    else expect(problems).toEqual([]);
  },
);
