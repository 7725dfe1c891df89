/**
 * Goal: each item of a market's checklist fails on a market that lacks it, and passes once the market has it. Method: a bare market,
 * whose API has the role that owns all; and a market that is made ready item by item, whose API has a role of its own. Lines of the
 * audit log are made older where time is to pass.
 */
import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { putControl } from '../../../support/rooms/corridors/requests.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { askPostgres } from '../../../support/standby.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { send } from '../../../support/submit.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { waitUntil } from '../../../support/wait-until.ts';

type Item = { readonly name: string; readonly passed: boolean; readonly found: string };
const ITEMS = [
  'roles',
  'limit of requests',
  'limit of inference',
  'quotas',
  'switches',
  'officers',
  'runbooks',
  'dashboards',
  'evidence',
  'backup',
];

test('a bare market fails each item, and says what is missing', async () => {
  await using api = await startRunningApi();
  const { code, stdout } = await api.risk('markets', 'check', 'market_0');
  expect(code).toBe(0);
  for (const name of ITEMS) expect(stdout).toContain(name);
  const { body } = await send(api, 'GET', '/v1/markets/market_0/checklist');
  expect(body.is_ready).toBe(false);
  expect(body.items.map(({ name, passed, found }: Item) => [name, passed, found])).toEqual([
    ['roles', false, expect.stringMatching(/may make roles .*: risk markets grant market_0$/)],
    ['limit of requests', false, 'none: risk controls set limit-requests market'],
    ['limit of inference', false, 'none: risk controls set limit-inference market'],
    ['quotas', false, expect.stringMatching(/US-EG.*: risk controls set limit-transactions/)],
    ['switches', false, expect.stringMatching(/^not tried in 90 days: on one corridor stop and/)],
    ['officers', false, expect.stringMatching(/^0 analysts .*; no volume is known/)],
    ['runbooks', false, expect.stringMatching(/: risk markets drill market_0 runbooks '…'$/)],
    ['dashboards', false, 'a key of the market has read /metrics of this process never'],
    ['evidence', false, 'no worker seals: RISK_EVIDENCE_KEYS'],
    ['backup', false, expect.stringMatching(/: risk markets drill market_0 backup '…'$/)],
  ]);
  expect((await api.request('/v1/markets/market_7/checklist')).status).toBe(404);
  const detailOf = async (path: string) => (await send(api, 'GET', path)).body.detail;
  expect(await detailOf('/v1/markets/market_0/checklist?transactions_per_day=many')).toBe(
    "/transactions_per_day must be a number from 1 to 10000000000, not 'many'.",
  );
  expect(await detailOf('/v1/markets/market_0/checklist?review_share=')).toBe(
    "/review_share must be a number from 0 to 1, not ''.",
  );
  expect(await detailOf('/v1/incidents?days=many')).toBe(
    "/days must be a whole number from 1 to 366, not 'many'.",
  );
  const blank = { drill: 'backup', note: ' \u200b' };
  expect((await send(api, 'POST', '/v1/markets/market_0/drills', blank)).body.errors).toEqual([
    { pointer: '/note', detail: 'must not be blank' },
  ]);
  await api.testDatabase.sql('delete from shared.corridors');
  const none = (await send(api, 'GET', '/v1/markets/market_0/checklist')).body.items[3];
  expect([none.passed, none.found]).toEqual([false, expect.stringMatching(/^there are no/)]);
});

/** A market whose API has a role of its own, made by the commands of docs/markets.md. */
async function openMarket() {
  await using stack = new AsyncDisposableStack();
  const role = `risk_ready_${randomUUID().replaceAll('-', '')}`;
  stack.defer(async () => {
    await askPostgres(inject('postgresUrl'), `drop role if exists ${role}`);
  });
  const database = stack.use(await createTestDatabase());
  const owner = { DATABASE_URL: database.url };
  const made = ['markets', 'create', 'market_0', '--corridors', 'US-EG,US-MX', '--json'];
  expect((await runRisk(made, owner)).code).toBe(0);
  const grant = ['markets', 'grant', 'market_0', '--role', role, '--json'];
  const granted = await runRisk(grant, owner);
  const url = new URL(database.url);
  [url.username, url.password] = [role, JSON.parse(granted.stdout).password];
  const ofRole = { DATABASE_URL: url.href };
  const api = stack.use(await startRunningApi(ofRole));
  const pool = stack.use(database.open());
  const owned = stack.move();
  return {
    ...{ ...api, database, pool, ofRole },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const market = await openForFile(openMarket());
const item = async (name: string, query = ''): Promise<Item> => {
  const { body } = await send(market, 'GET', `/v1/markets/market_0/checklist${query}`);
  const found = body.items.find((one: Item) => one.name === name);
  if (found === undefined) throw new Error(`no item ${name}: ${JSON.stringify(body)}`);
  return found;
};
/** Makes lines of the audit log older. */
const age = (time: string, where: string) =>
  market.database.sql(`alter table audit_log disable trigger audit_log_never_changes;
    update audit_log set changed_at = changed_at - interval '${time}' where ${where};
    alter table audit_log enable always trigger audit_log_never_changes`);

test('roles, limits and quotas: a role of its own, first limits of create, a limit of each corridor', async () => {
  expect(await item('roles')).toMatchObject({ passed: true });
  expect(await item('limit of requests')).toMatchObject({
    ...{ passed: true, found: 'burst 2000, rate_per_second 1000' },
  });
  expect(await item('limit of inference')).toMatchObject({
    ...{ passed: true, found: 'burst 400, rate_per_second 200' },
  });
  const limit = { rate_per_second: 100, burst: 200 };
  await putControl(market, 'limit-transactions', 'corridor:US-EG', limit);
  expect(await item('quotas')).toMatchObject({
    ...{ passed: false, found: expect.stringMatching(/^US-MX: /) },
  });
  await putControl(market, 'limit-transactions', 'corridor:US-MX', limit);
  expect(await item('quotas')).toMatchObject({ passed: true });
  await market.database.sql(`grant update on shared.corridors to public`);
  expect(await item('roles')).toMatchObject({
    ...{ passed: true, found: expect.stringContaining('owns market_0') },
  });
  await market.database.sql(`grant insert on shared.corridors to public`);
  expect(await item('roles')).toMatchObject({
    ...{ passed: false, found: expect.stringContaining('writes shared') },
  });
  await market.database.sql(`revoke insert, update on shared.corridors from public`);
});

test('switches: stop and freeze of one corridor, each between payments and with none meanwhile', async () => {
  const ann = await insertPersonKey(market.database, 'Ann', ['operator']);
  const zoe = await insertPersonKey(market.database, 'Zoe', ['risk_officer']);
  const now = Date.now();
  const pay = (receivedAtMs: number, corridor = 'US-EG') =>
    storeTransactions(market.pool, [{ createdAtMs: now - 120_000, receivedAtMs, corridor }]);
  const trial = async (kind: 'stop' | 'freeze', corridor = 'US-EG') => {
    const scope = `corridor:${corridor}`;
    expect((await putControl(market, kind, scope, {}, ann)).status).toBe(200);
    expect((await putControl(market, kind, scope, { in_force: false }, zoe)).status).toBe(200);
  };
  await pay(now - 90_000);
  await pay(now + 30_000);
  await trial('stop');
  expect((await item('switches')).found, 'too short').toMatch(/^stop of US-EG for 0 s, payments/);
  await age('1 minute', "action = 'control.set' and subject = 'stop:corridor:US-EG'");
  expect(await item('switches'), 'no freeze').toMatchObject({
    ...{ passed: false, found: expect.stringMatching(/^stop of US-EG for 60 s, .*: 1, 0, 1: /) },
  });
  // Trials of another corridor say nothing of this one, nor do trials without payments.
  for (const kind of ['stop', 'freeze'] as const) await trial(kind, 'US-MX');
  await age('1 minute', "action = 'control.set' and subject ~ ':corridor:US-MX$'");
  expect((await item('switches')).found).toMatch(/^freeze of US-MX for 60 s, .*: 0, 0, 0: /);
  await trial('freeze');
  expect(await item('switches'), 'a short freeze').toMatchObject({ passed: false });
  await age('1 minute', "action = 'control.set' and subject = 'freeze:corridor:US-EG'");
  expect(await item('switches')).toMatchObject({
    ...{ passed: true, found: expect.stringMatching(/^stop and freeze held US-EG, until /) },
  });
  const [leak = ''] = await pay(now - 20_000);
  expect(await item('switches'), 'a payment meanwhile').toMatchObject({ passed: false });
  await market.database.sql('delete from transactions where transaction_id = $1', [leak]);
  expect(await item('switches')).toMatchObject({ passed: true });
  const of = "subject ~ '^(stop|freeze):corridor:US-EG'";
  await age('90 days', of);
  expect(await item('switches'), 'long ago').toMatchObject({ passed: false });
  await age('-90 days', of);
});

test('officers: as many as the reviews of the volume take, and two at least', async () => {
  const load = (perDay: number, share: number) =>
    item('officers', `?transactions_per_day=${perDay}&review_share=${share}`);
  const before = await load(20_000, 0.001);
  for (const name of ['Cleo', 'Dan']) await insertPersonKey(market.database, name, ['analyst']);
  // Zoe is one as well. An officer decides 136 a day by the policy.
  expect(before).toMatchObject({
    ...{ passed: false, found: expect.stringMatching(/^1 analysts .*; 20 reviews a day take 2$/) },
  });
  expect(await load(20_000, 0.02)).toMatchObject({
    ...{ passed: true, found: expect.stringMatching(/^3 analysts .*; 400 reviews a day take 3$/) },
  });
  expect(await load(20_000, 0.03)).toMatchObject({ passed: false });
  expect(await item('officers')).toMatchObject({ passed: false });
  await market.database.sql(
    `insert into daily_tallies (day, corridor, currency, outcome, count, amount, score_sum)
     values ((now() at time zone 'UTC')::date - 1, 'US-EG', 'USD', 'accepted', 7000, 7000, 0)`,
  );
  expect(await item('officers')).toMatchObject({
    ...{ passed: true, found: expect.stringMatching(/; 0 reviews a day take 2$/) },
  });
});

test.each(['runbooks', 'backup'])('%s: a drill of 90 days is recorded', async (drill) => {
  expect(await item(drill)).toMatchObject({ passed: false });
  const ran = await market.risk('markets', 'drill', 'market_0', drill, 'Done in 14 minutes.');
  expect([ran.code, ran.stderr], market.log()).toEqual([0, '']);
  expect(await item(drill)).toMatchObject({
    ...{ passed: true, found: expect.stringMatching(/, 20\S+Z: Done in 14 minutes\.$/) },
  });
  await age('90 days', `action = 'market.drill' and subject = '${drill}'`);
  expect(await item(drill)).toMatchObject({ passed: false });
  await market.risk('markets', 'drill', 'market_0', drill, 'Again.');
});

test('dashboards: a key of the market reads the metrics of the process', async () => {
  const stranger = { headers: { Authorization: 'Bearer of-another-market-0123456789abcdef' } };
  expect((await market.request('/metrics', stranger)).status).toBe(401);
  expect(await item('dashboards')).toMatchObject({ passed: false });
  expect((await market.request('/metrics')).status).toBe(200);
  expect(await item('dashboards')).toMatchObject({ passed: true });
  const later = Date.now() + 301_000;
  const clock = vi.spyOn(Date, 'now').mockReturnValue(later);
  onTestFinished(() => clock.mockRestore());
  expect(await item('dashboards')).toMatchObject({
    ...{ passed: false, found: expect.stringMatching(/ 30\d s ago$/) },
  });
});

test('evidence: a worker seals, and a signed checkpoint is no hour old', async () => {
  const folder = temporaryFolder();
  const made = await runRisk(['evidence', 'keys', folder]);
  const settings = {
    RISK_EVIDENCE_KEYS: /KEYS=(.*)/.exec(made.stdout)?.[1] ?? '',
    RISK_EVIDENCE_FOLDER: folder,
    RISK_EVIDENCE_CHECKPOINT_SECONDS: '1',
  };
  {
    await using _ = market.startWorker({ ...market.ofRole, ...settings });
    const isPassed = async () => (await item('evidence')).passed;
    await waitUntil(isPassed, 20_000, 'a checkpoint');
  }
  const fails = async (change: string, undo: string) => {
    await market.database.sql(`update evidence_logs set ${change}`);
    expect(await item('evidence'), change).toMatchObject({ passed: false });
    await market.database.sql(`update evidence_logs set ${undo}`);
  };
  await fails("sealed_at = now() - interval '61 minutes'", 'sealed_at = now()');
  await fails("refused = 'it contradicts a checkpoint'", 'refused = null');
  const [log] = await market.database.sql<{ checkpoint: string }>(
    'select checkpoint from evidence_logs',
  );
  await fails('checkpoint = null', `checkpoint = '${log?.checkpoint}'`);
});

test('a market with all of these is ready', async () => {
  const { body } = await send(market, 'GET', '/v1/markets/market_0/checklist');
  expect([body.is_ready, body.items.filter(({ passed }: Item) => !passed)]).toEqual([true, []]);
  const volume = ['--transactions-per-day', '20000', '--review-share', '0.01'];
  const { stdout } = await market.risk('markets', 'check', 'market_0', ...volume);
  expect(stdout).toMatch(/200 reviews a day take 2/);
});
