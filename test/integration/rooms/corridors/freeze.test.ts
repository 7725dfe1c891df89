/**
 * Goal: a frozen corridor takes no transaction, what it has accepted is scored and drained, and another person lets it go on.
 * Method: an API and a worker on one pair of stores.
 */
import { expect, test } from 'vitest';
import { watchControls } from '../../../../src/core/store/controls/watch-controls.ts';
import { shareOfSettings } from '../../../../src/core/work/lanes.ts';
import { followChanges } from '../../../../src/kit/database/follow-changes.ts';
import { createLog } from '../../../../src/kit/metrics/log.ts';
import { confirm, confirmed } from '../../../support/approvals.ts';
import { testConfig } from '../../../support/config.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { putControl } from '../../../support/rooms/corridors/requests.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, count, type Input, input, postOne, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { startWorkerHere } from '../../../support/worker-rig.ts';

const api = await openForFile(startRunningApi());

const change = (path: string, body: object, key?: string, method = 'POST') =>
  send(api, method, path, body, key);
const read = async (path: string) => (await answerOf(await api.request(path))).body;
const until = (corridor: string, status: number) =>
  waitUntil(
    async () => (await postOne(api, input({ corridor }))).status === status,
    2000,
    `${corridor}: ${status}`,
  );
/** The release of value, as each answer about a score tells it, and the event that published the score. */
async function toldOf(first: Input, id: string) {
  const published = async () => {
    const [stream = ''] = await api.redis.keys('*:US-EG:*:transactions-scored');
    return (await api.redis.xrange(stream, '-', '+'))[0];
  };
  await waitUntil(async () => (await published()) !== undefined, 5000, 'the event');
  const fields = (await published())?.[1] ?? [];
  return [
    (await read(`/v1/scores/${id}`)).releases_held,
    (await read(`/v1/scores/${id}/explanation`)).score.releases_held,
    (await read(`/v1/transactions/${id}?expand=score`)).score.releases_held,
    (await read('/v1/transactions?corridor=US-EG')).items.at(-1).score.releases_held,
    (await postOne(api, first)).body.score.releases_held,
    fields[fields.indexOf('releases_held') + 1],
  ];
}
const REASON = { reason: 'a test' };
const HISTORY = '/v1/controls/freeze/corridor:US-PH/history';
const freeze = (corridor: string, more: object = {}, key?: string) =>
  putControl(api, 'freeze', `corridor:${corridor}`, more, key);
const resume = (corridor: string, reason: string, key: string) =>
  freeze(corridor, { in_force: false, reason }, key);

/** A worker still reads the streams of the frozen corridor. */
async function expectChecklist() {
  const { is_independent, is_ready, items } = await read('/v1/corridors/US-EG/checklist');
  const passed = items.flatMap((one: { name: string; passed: boolean }) =>
    one.passed ? one.name : [],
  );
  expect([is_independent, is_ready, passed]).toEqual([
    false,
    false,
    ['stream', 'workers', 'cache', 'controls', 'breaker', 'market'],
  ]);
  const checked = await api.risk('corridors', 'check', 'US-EG');
  expect(checked.stdout).toContain('freeze:corridor:US-EG');
  expect(checked.stdout).toContain('none: risk controls set limit-requests corridor:US-EG');
}

test('a frozen corridor is drained while it is closed, and another person lets it go on', async () => {
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['operator', 'admin']);
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['admin']);
  const first = input();
  const accepted = await postOne(api, first);
  expect(accepted.status).toBe(201);
  const { transaction_id: id } = accepted.body;
  const frozen = await freeze('US-EG', { message: 'Wait.' }, ann);
  expect([frozen.status, await read('/v1/corridors/US-EG')]).toEqual([
    200,
    expect.objectContaining({
      state: 'frozen',
      pending: 1,
      is_drained: false,
      releases_held: true,
    }),
  ]);
  await until('US-EG', 503);
  const refused = await postOne(api, input());
  expect([refused.body.type, refused.body.detail]).toEqual([
    'urn:risk:problem:frozen',
    'This request stored nothing: the corridor is frozen (corridor:US-EG): Wait.',
  ]);
  expect((await postOne(api, input({ corridor: 'US-MX' }))).status).toBe(201);
  const environment = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
  await using _ = startWorkerHere(environment, {});
  await waitUntil(
    async () => (await read('/v1/corridors/US-EG')).is_drained === true,
    10_000,
    'the corridor to be drained',
  );
  expect(await count(api, 'dead_letters')).toBe(0);
  expect(await toldOf(first, id)).toEqual([true, true, true, true, true, 'true']);
  await expectChecklist();
  const shop = (await answerOf(await api.post('/v1/keys', { roles: ['ingest'], owner: 'shop' })))
    .body;
  const ask = { headers: { Authorization: `Bearer ${shop.key}` } };
  expect((await answerOf(await api.request('/v1/corridors/US-EG', ask))).body).toEqual({
    scope: 'corridor:US-EG',
    state: 'frozen',
    message: 'Wait.',
  });
  expect((await resume('US-EG', 'over', ann)).status).toBe(409);
  const resumed = await resume('US-EG', 'over', bob);
  expect([resumed.status, resumed.body.control]).toEqual([200, null]);
  await until('US-EG', 201);
  expect(await toldOf(first, id)).toEqual([...Array(5).fill(undefined), 'true']);
});

test('the notes of a freeze stay with it after the resume, and a freeze of its own is needed for one', async () => {
  const cat = await insertPersonKey(api.testDatabase, 'Cat', ['operator']);
  const dan = await insertPersonKey(api.testDatabase, 'Dan', ['admin']);
  const note = (text: string, key: string) =>
    change('/v1/controls/freeze/corridor:US-PH/notes', { note: text }, key);
  expect((await note('too early', cat)).body.detail).toBe(
    'A note belongs to a control in force, and corridor:US-PH itself has no freeze.',
  );
  for (const reason of ['first', 'second']) {
    expect((await freeze('US-PH', { reason }, cat)).status).toBe(200);
    expect((await note(`${reason} note`, cat)).status).toBe(200);
    expect((await note(`${reason} answer`, dan)).body.notes).toHaveLength(2);
    const resumed = await resume('US-PH', `${reason} end`, dan);
    expect(resumed.status).toBe(200);
  }
  expect((await note('too late', cat)).status).toBe(409);
  const told = (name: string) => ({
    set_by: 'Cat',
    reason: name,
    ended_by: 'Dan',
    end_reason: `${name} end`,
    notes: [
      { at: expect.any(String), by: 'Cat', note: `${name} note`, began_at: null },
      { at: expect.any(String), by: 'Dan', note: `${name} answer`, began_at: null },
    ],
  });
  const page = await read(`${HISTORY}?limit=1`);
  expect(page.items).toMatchObject([told('second')]);
  const rest = await read(`${HISTORY}?cursor=${page.next_cursor}`);
  expect(rest).toMatchObject({ items: [told('first')], next_cursor: null });
  const listed = await api.riskJson('controls', 'history', 'freeze', 'corridor:US-PH');
  expect(listed).toHaveLength(2);
});

test('two people add a corridor, and what is set for it is live within a second', async () => {
  const carl = await insertPersonKey(api.testDatabase, 'Carl', ['operator', 'admin']);
  const dora = await insertPersonKey(api.testDatabase, 'Dora', ['admin', 'risk_officer']);
  const log = createLog('test', 'silent');
  using changes = followChanges(api.database, log);
  const controls = await watchControls(testConfig({}), api.database, changes, log);
  const shareOf = shareOfSettings(controls.settings);
  const wanted = { id: 'US-BR', shards: 2, ...REASON };
  const add = (key: string) => change('/v1/corridors', wanted, key);
  const asked = (await add(carl)).body;
  expect(asked).toMatchObject({ kind: 'corridor', state: 'waiting', detail: { shards: 2 } });
  expect(controls.corridors().has('US-BR')).toBe(false);
  await confirmed(api, dora, asked);
  expect((await add(carl)).body.detail).toBe('The market has US-BR already.');
  await waitUntil(async () => controls.corridors().has('US-BR'), 2000, 'the corridor');
  await until('US-BR', 201);
  const set = await api.risk(
    'corridors',
    'set',
    'US-BR',
    '--weight',
    '4',
    '--residency',
    'BR',
    '--region',
    'Americas',
    '--reason',
    'pay day',
  );
  expect(set.code).toBe(0);
  await waitUntil(async () => shareOf('US-BR').weight === 4, 2000, 'the weight');
  expect(shareOf('US-EG')).toEqual({ weight: 1, floor: 0.1 });
  expect((await read('/v1/corridors/US-BR')).settings).toEqual({
    ...{ version: 2, weight: 4, residency: 'BR', region: 'Americas', shards: 2 },
    ...{ log: 'streams', log_changed_at: null },
  });
  const withoutKafka = await change('/v1/corridors/US-BR', { log: 'both', ...REASON }, dora, 'PUT');
  expect([withoutKafka.status, withoutKafka.body.detail]).toEqual([
    409,
    'log: both needs Kafka, and KAFKA_URL is not set at this API; allowed is streams.',
  ]);
  expect(await read('/v1/corridors/US-BR/logs')).toEqual({
    ...{ corridor: 'US-BR', log: 'streams', changed_at: null, compared: null },
  });
  await api.testDatabase.sql("insert into shared.corridors values ('US-CL', now(), 'shared')");
  const taken = { id: 'US-CL', ...REASON };
  const { body } = await change('/v1/corridors', taken, carl);
  expect((await confirm(api, dora, body.approval_id)).body.detail).toBe(
    'US-CL is a corridor of shared.',
  );
  const audit = await api.database.query<{ action: string }>({
    text: "select action from market.audit_log where action like 'corridor.%' order by audit_id",
  });
  expect(audit.map(({ action }) => action)).toEqual(['corridor.add', 'corridor.configure']);
});

test.each(['controls', 'audit_log'])(
  'a freeze that dies as it waits for %s leaves nothing, and the same command goes on',
  async (table) => {
    const corridor = table === 'controls' ? 'US-IN' : 'GB-NG';
    const rowsOf = () => count(api, `audit_log where subject = 'freeze:corridor:${corridor}'`);
    await api.database.transaction(async (query) => {
      await query({ text: `lock table market.${table} in share row exclusive mode` });
      const frozen = freeze(corridor);
      const kill = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and application_name like 'risk-api%'`;
      const isKilled = async () => (await api.testDatabase.sql(kill)).length > 0;
      await waitUntil(isKilled, 5000, 'the freeze to wait');
      expect((await frozen).status).toBe(503);
    });
    expect((await read(`/v1/corridors/${corridor}`)).state).toBe('open');
    expect(await rowsOf()).toBe(0);
    expect((await freeze(corridor)).status).toBe(200);
    expect((await read(`/v1/corridors/${corridor}`)).state).toBe('frozen');
    // An answer that was lost: the freeze stands, and is the first one.
    const again = await freeze(corridor, { reason: 'another' });
    expect([again.status, again.body.control.reason]).toEqual([200, REASON.reason]);
    expect(await rowsOf()).toBe(1);
  },
);
