/**
 * Goal: a read that prefers the primary finds what the replica lacks, and is refused where the primary is away. Method: an API
 * process on a primary behind a proxy and a real streaming replica, whose replay is paused.
 */
import { expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import type { Database, Statement } from '../../src/kit/database/pool.ts';
import { watchScores } from '../../src/rooms/models/queries/watch-scores.ts';
import { insertWatchReports } from '../../src/rooms/models/store/watch-reports.ts';
import { testConfig } from '../support/config.ts';
import { TEST_MARKET } from '../support/global-setup.ts';
import { openForFile } from '../support/open-for-file.ts';
import { DAY_MS } from '../support/reads.ts';
import { putControl } from '../support/rooms/corridors/requests.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { startTestPostgres, startTestStandby } from '../support/services.ts';
import { PRIMARY_SETTINGS, superuserUrl } from '../support/standby.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import {
  type Answer,
  answerOf,
  input,
  labelInput,
  postLabels,
  postOne,
} from '../support/submit.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

const PATIENCE_MS = 30_000;
/** The engine still reads from a replica that a test has paused for less than this. */
const LAG_MS_MAX = '120000';
const CREATED_AT = new Date(Date.now() - 2 * DAY_MS).toISOString();
/** Lists up to here come from the replica. */
const TO = new Date(Date.now() - DAY_MS).toISOString();

const sql = (text: string): Statement => ({ text });

async function startReplicatedApi() {
  await using opened = new AsyncDisposableStack();
  const service = opened.use(await startTestPostgres({ settings: PRIMARY_SETTINGS }));
  await migrate({ url: service.url, market: TEST_MARKET, corridors: [] });
  const follower = opened.use(await startTestStandby(service.url));
  const config = testConfig();
  const primary = opened.use(openDatabase(config, service.url, 'test'));
  const proxy = opened.use(await startTcpProxy(service.url));
  const standby = opened.use(openDatabase(config, superuserUrl(follower.url), 'test'));
  const api = opened.use(
    await startRunningApi({
      ...{ DATABASE_URL: proxy.url, DATABASE_REPLICA_URL: follower.url },
      RISK_REPLICA_LAG_MS_MAX: LAG_MS_MAX,
    }),
  );
  const asked = askOf(api);
  // A process that has just started may refuse a post on a busy machine.
  const isTaken = async () => (await postOne(api, input())).status === 201;
  await waitUntil(isTaken, PATIENCE_MS, 'the first post');
  await asked.postedOne('first');
  await asked.untilReplicaHas('first');
  const owned = opened.move();
  return {
    ...{ api, primary, proxy, ...asked },
    pause: () => pause(standby),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Pauses the replay until the end of the block. */
async function pause(standby: Database): Promise<AsyncDisposable> {
  await standby.query(sql('select pg_wal_replay_pause()'));
  const isPaused = async () => {
    const [row] = await standby.query<{ state: string }>(
      sql('select pg_get_wal_replay_pause_state() as state'),
    );
    return row?.state === 'paused';
  };
  await waitUntil(isPaused, PATIENCE_MS, 'the replay to pause');
  return {
    [Symbol.asyncDispose]: async () => {
      await standby.query(sql('select pg_wal_replay_resume()'));
    },
  };
}

const askOf = (api: RunningApi) => {
  const get = async (path: string, prefer?: string): Promise<Answer> =>
    await answerOf(await api.request(path, { headers: prefer ? { Prefer: prefer } : {} }));
  /** The answer to the list of an account, how many transactions it has, and whether the replica gave it. */
  const list = async (accountId: string, prefer?: string) => {
    const path = `/v1/transactions?account_id=${accountId}&to=${TO}`;
    const { status, body, headers } = await get(path, prefer);
    return { status, found: body.items?.length, byReplica: headers.has('age') };
  };
  return {
    ...{ get, list },
    untilReplicaHas: async (accountId: string) => {
      const isThere = async () => {
        const { found, byReplica } = await list(accountId);
        return byReplica && found > 0;
      };
      await waitUntil(isThere, PATIENCE_MS, 'the replica to answer');
    },
    postedOne: async (accountId: string): Promise<string> => {
      const { status, body } = await postOne(
        api,
        input({ created_at: CREATED_AT, account_id: accountId }),
      );
      expect(status).toBe(201);
      return body.transaction_id;
    },
  };
};

const PRIMARY = 'read=primary';

const rig = await openForFile(startReplicatedApi());

test('every read that a replica may answer has what a paused replica lacks, where it prefers the primary', async () => {
  const createdAtMs = Date.parse(CREATED_AT);
  const day = CREATED_AT.slice(0, 10);
  const [decided = '', usual = ''] = await storeTransactions(rig.primary, [
    { createdAtMs, accountId: 'read', score: 900 },
    { createdAtMs, accountId: 'usual', score: 1 },
  ]);
  await rig.postedOne('before');
  await rig.untilReplicaHas('before');
  await using _paused = await rig.pause();
  await storeTransactions(rig.primary, [
    { createdAtMs, accountId: 'read', score: 900 },
    { createdAtMs: createdAtMs - 1000, accountId: 'usual', score: 1 },
  ]);
  const label = labelInput({ transaction_id: decided, labelled_at: CREATED_AT });
  expect((await postLabels(rig.api, [label])).status).toBe(200);
  const { signal } = new AbortController();
  const reports = await watchScores(rig.primary, createdAtMs, 7, signal);
  await insertWatchReports(rig.primary.query, createdAtMs, reports);
  await rig.primary.query(
    sql(`insert into market.final_decisions (decision_id, transaction_id, created_at, account_id, merchant_id, corridor, source,
           priority, disposition, reason, decided_by, decided_at, label, opened_at, due_at)
         select 1, transaction_id, created_at, account_id, merchant_id, corridor, 'score', 1, 'fraud', 'OTHER', 'a test', now(),
                'none', now(), now() from market.transactions where transaction_id = '${decided}'`),
  );
  const rows = ({ items, recent = items }: Answer['body']) => recent.length;
  const days = `from=${day}&to=${day}&verdict=decline`;
  const file = `/v1/exports/transactions?account_id=read&to=${TO}`;
  const reads: [string, (body: Answer['body']) => unknown, unknown, unknown][] = [
    [`/v1/transactions?account_id=read&to=${TO}`, rows, 1, 2],
    [`/v1/accounts/read/profile?at=${TO}`, rows, 1, 2],
    [`/v1/transactions/${decided}`, (body) => body.final_decision?.disposition, undefined, 'fraud'],
    [`/v1/scores/${usual}/habit`, (body) => body.transactions, 0, 1],
    [`/v1/models/watch?at=${TO}`, (body) => rows(body) > 0, false, true],
    [`/v1/summaries/daily?${days}`, ({ items }) => items[0]?.transactions, 1, 2],
    [`/v1/labels?account_id=read&to=${TO}`, rows, 0, 1],
    [`${file}&format=csv`, (text) => text.split('\n').filter(Boolean).length - 1, 1, 2],
    [`${file}&format=ndjson`, (text) => JSON.parse(text.trim().split('\n').at(-1)).rows, 1, 2],
  ];
  const found: unknown[] = [];
  for (const [path, value] of reads) {
    const without = value((await rig.get(path)).body);
    const { body, headers } = await rig.get(path, PRIMARY);
    expect([path, headers.get('preference-applied')]).toEqual([path, PRIMARY]);
    found.push([path, without, value(body)]);
  }
  expect(found).toEqual(reads.map(([path, , without, preferred]) => [path, without, preferred]));
});

test('from level 2 of a corridor on the replica answers searches that name it, and others as before', async () => {
  const { api } = rig;
  const post = async (corridor: string) => {
    const isTaken = async () =>
      (await postOne(api, input({ account_id: 'spared', corridor }))).status === 201;
    await waitUntil(isTaken, PATIENCE_MS, 'a post');
  };
  await using _paused = await rig.pause();
  await post('US-EG');
  await post('US-MX');
  const found = async (corridor: string, prefer?: string) => {
    const path = `/v1/transactions?account_id=spared&corridor=${corridor}`;
    return (await rig.get(path, prefer)).body.items.length;
  };
  const setReadOnly = async (in_force: boolean) => {
    const { status } = await putControl(api, 'read-only', 'corridor:US-EG', { in_force });
    expect(status).toBe(200);
  };
  expect([await found('US-EG'), await found('US-MX')]).toEqual([1, 1]);
  await setReadOnly(true);
  await waitUntil(async () => (await found('US-EG')) === 0, PATIENCE_MS, 'the replica to answer');
  expect([await found('US-MX'), await found('US-EG', PRIMARY)]).toEqual([1, 1]);
  await setReadOnly(false);
  await waitUntil(async () => (await found('US-EG')) === 1, PATIENCE_MS, 'the primary to answer');
});
