/**
 * Goal: a read that carries the token of a write finds what was written, also where a replica lacks it. Method: an API process
 * on a primary and a real streaming replica, whose replay is paused so that reads without a token miss the write.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { decodeToken, encodeToken, UNKNOWN_SYSTEM } from '../../src/domain/consistency-token.ts';
import { REPLAY_WAIT_MS_MAX } from '../../src/query/await-write.ts';
import { openDatabase } from '../../src/store/database/open-database.ts';
import type { Database, Statement } from '../../src/store/database/pool.ts';
import { hasWrite } from '../../src/store/database/replica-position.ts';
import { migrate } from '../../src/store/migrations/migrate.ts';
import { testConfig } from '../support/config.ts';
import { TEST_MARKET } from '../support/global-setup.ts';
import { DAY_MS } from '../support/reads.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { startTestPostgres, startTestStandby } from '../support/services.ts';
import { PRIMARY_SETTINGS, superuserUrl } from '../support/standby.ts';
import { storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';
import {
  type Answer,
  answerOf,
  type Input,
  input,
  labelInput,
  postJson,
  postOne,
} from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const PATIENCE_MS = 30_000;
/** More than the waits of each test, and than the start of two servers and an API on a busy machine. */
vi.setConfig({ testTimeout: 4 * PATIENCE_MS, hookTimeout: 20 * PATIENCE_MS });
/** The replica counts as in step for as long as a test pauses it. */
const LAG_MS_MAX = '120000';
const CREATED_AT = new Date(Date.now() - 2 * DAY_MS).toISOString();
/** Lists up to here come from the replica. */
const TO = new Date(Date.now() - DAY_MS).toISOString();

const opened = new AsyncDisposableStack();
let api: RunningApi;
let primary: Database;
let replica: Database;
let standby: Database;

beforeAll(async () => {
  const service = opened.use(await startTestPostgres({ settings: PRIMARY_SETTINGS }));
  await migrate({ url: service.url, market: TEST_MARKET, corridors: [] });
  const follower = opened.use(await startTestStandby(service.url));
  const config = testConfig();
  primary = opened.use(openDatabase(config, service.url, 'test'));
  replica = opened.use(openDatabase(config, follower.url, 'test'));
  standby = opened.use(openDatabase(config, superuserUrl(follower.url), 'test'));
  api = opened.use(
    await startRunningApi({
      ...{ DATABASE_URL: service.url, DATABASE_REPLICA_URL: follower.url },
      RISK_REPLICA_LAG_MS_MAX: LAG_MS_MAX,
    }),
  );
  // A process that has just started may refuse a post on a busy machine.
  const isTaken = async () => (await postOne(api, input())).status === 201;
  await waitUntil(isTaken, PATIENCE_MS, 'the first post');
  const [token = ''] = await postedOne({ account_id: 'first' });
  await untilReplicaAnswers('first', token);
});
afterAll(() => opened[Symbol.asyncDispose]());

const sql = (text: string): Statement => ({ name: '', text });

/** Pauses the replay until the end of the block. */
async function pause(): Promise<AsyncDisposable> {
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

async function get(path: string, token?: string): Promise<Answer> {
  const headers = token === undefined ? {} : { 'Consistency-Token': token };
  return await answerOf(await api.request(path, { headers }));
}

/** Statuses of the transactions of an account, and whether the replica answered. */
async function list(accountId: string, token?: string) {
  const { body, headers } = await get(`/v1/transactions?account_id=${accountId}&to=${TO}`, token);
  const statuses = body.items.map(({ status }: { status: string }) => status);
  return { statuses, byReplica: headers.has('age') };
}

const untilReplicaAnswers = (accountId: string, token: string) =>
  waitUntil(
    async () => (await list(accountId, token)).byReplica,
    PATIENCE_MS,
    'the replica to answer',
  );

const tokenOf = ({ headers, status }: Answer): string => {
  expect(status).toBeLessThan(300);
  return headers.get('consistency-token') ?? '';
};

async function postedOne(fields: Input) {
  const body = input({ created_at: CREATED_AT, ...fields });
  const answer = await postOne(api, body);
  return [tokenOf(answer), answer.body.transaction_id, body] as const;
}

test('without the token of a post a paused replica hides it; with the token it is found, and by the replica once it is there', async () => {
  let token = '';
  {
    await using _paused = await pause();
    [token] = await postedOne({ account_id: 'one' });
    expect(await list('one')).toEqual({ statuses: [], byReplica: true });
    const startMs = performance.now();
    expect(await list('one', token)).toEqual({ statuses: ['accepted'], byReplica: false });
    expect(performance.now() - startMs).toBeGreaterThan(REPLAY_WAIT_MS_MAX / 2);
  }
  await untilReplicaAnswers('one', token);
  expect(await list('one', token)).toEqual({ statuses: ['accepted'], byReplica: true });
});

test('every write has a token: a batch, lines, repetitions of them, labels, a replay', async () => {
  const row = (accountId: string) => input({ account_id: accountId, created_at: CREATED_AT });
  const lines = (rows: readonly Input[]) =>
    rows.map((line) => `${JSON.stringify(line)}\n`).join('');
  const postLines = async (rows: readonly Input[]) => {
    const type = { 'Content-Type': 'application/x-ndjson' };
    const response = await postJson(api, lines(rows), '/v1/transactions/batch', type);
    return JSON.parse((await response.text()).trim().split('\n').at(-1) ?? '').consistency_token;
  };
  const postBatch = async (transactions: readonly Input[]) =>
    tokenOf(await answerOf(await api.post('/v1/transactions/batch', { transactions })));
  await using _paused = await pause();
  const [one, lined, batched] = [row('repeated'), row('lined'), row('batched')];
  const found = async (accountId: string, token: string) => {
    expect((await list(accountId)).statuses, accountId).toEqual([]);
    expect((await list(accountId, token)).statuses, accountId).toEqual(['accepted']);
  };
  tokenOf(await answerOf(await api.post('/v1/transactions', one)));
  await found('repeated', tokenOf(await answerOf(await api.post('/v1/transactions', one))));
  await found('batched', await postBatch([batched]));
  await found('batched', await postBatch([batched]));
  await found('repeated', await postBatch([one, row('new')]));
  await found('lined', await postLines([lined]));
  await found('lined', await postLines([lined, { bad: true }]));
  expect(await postLines([{ bad: true }])).toBeUndefined();
});

test('a label and a replay are found by their tokens', async () => {
  const [token, id] = await postedOne({ account_id: 'labelled' });
  const letter = randomUUID();
  await storeDeadLetters(primary, [{ id: letter, transactionId: id, failedAtMs: Date.now() }]);
  await untilReplicaAnswers('labelled', token);
  await waitUntil(
    async () => (await list('labelled')).statuses[0] === 'dead_lettered',
    PATIENCE_MS,
    'the dead letter on the replica',
  );
  await using _paused = await pause();
  const replayed = await answerOf(await api.post(`/v1/dead-letters/${letter}/replay`, {}));
  expect((await list('labelled')).statuses).toEqual(['dead_lettered']);
  expect((await list('labelled', tokenOf(replayed))).statuses).toEqual(['accepted']);
  const label = labelInput({ transaction_id: id, labelled_at: CREATED_AT });
  const labels = async (token?: string) =>
    (await get(`/v1/labels?account_id=labelled&to=${TO}`, token)).body.items.length;
  for (const status of ['accepted', 'unchanged']) {
    const answer = await answerOf(await api.post('/v1/labels', { labels: [label] }));
    expect(answer.body.results[0].status).toBe(status);
    expect(await labels()).toBe(0);
    expect(await labels(tokenOf(answer))).toBe(1);
  }
});

test('while the replica replays, each write is found at once by its token, on the replica too', async () => {
  let byReplica = false;
  let writes = 0;
  await waitUntil(
    async () => {
      writes += 1;
      const [token] = await postedOne({ account_id: `live-${writes}` });
      const read = await list(`live-${writes}`, token);
      expect(read.statuses).toEqual(['accepted']);
      byReplica ||= read.byReplica;
      return byReplica && writes >= 15;
    },
    PATIENCE_MS,
    'a read by token that the replica answers',
  );
});

test('a token of another cluster, and one that never comes, leave the read to the primary', async () => {
  const [token] = await postedOne({ account_id: 'other' });
  await untilReplicaAnswers('other', token);
  const mark = decodeToken(token);
  if (mark === undefined) throw new Error(`no token: ${token}`);
  const byPrimary = { statuses: ['accepted'], byReplica: false };
  const strange = encodeToken({ ...mark, system: UNKNOWN_SYSTEM });
  expect(await list('other', strange)).toEqual(byPrimary);
  for (const isBound of [false, true]) {
    const future = encodeToken({ ...mark, xid: String(2n ** 60n), isBound });
    expect(await list('other', future)).toEqual(byPrimary);
  }
});

test('every list, one transaction and the figures of days find by the token what a paused replica lacks', async () => {
  const createdAtMs = Date.parse(CREATED_AT);
  const day = CREATED_AT.slice(0, 10);
  const [decided = ''] = await storeTransactions(primary, [
    { createdAtMs, accountId: 'read', score: 900 },
  ]);
  const [token] = await postedOne({ account_id: 'before' });
  await untilReplicaAnswers('before', token);
  const system = decodeToken(token)?.system ?? '';
  await using _paused = await pause();
  await storeTransactions(primary, [{ createdAtMs, accountId: 'read', score: 900 }]);
  await primary.query(
    sql(`insert into market.final_decisions (decision_id, transaction_id, created_at, account_id, merchant_id, corridor, source,
           priority, disposition, reason, decided_by, decided_at, label, opened_at, due_at)
         select 1, transaction_id, created_at, account_id, merchant_id, corridor, 'score', 1, 'fraud', 'OTHER', 'a test', now(),
                'none', now(), now() from market.transactions where transaction_id = '${decided}'`),
  );
  const [bound] = await primary.query<{ xid: string }>(
    sql('select pg_snapshot_xmax(pg_current_snapshot())::text as xid'),
  );
  const after = encodeToken({ system, xid: bound?.xid ?? '', isBound: true });
  const rows = ({ items, recent = items }: Answer['body']) => recent.length;
  const days = `from=${day}&to=${day}&verdict=decline`;
  const reads: [string, (body: Answer['body']) => unknown, unknown, unknown][] = [
    [`/v1/scores?account_id=read&to=${TO}`, rows, 1, 2],
    [`/v1/transactions?account_id=read&to=${TO}`, rows, 1, 2],
    [`/v1/accounts/read/profile?at=${TO}`, rows, 1, 2],
    [`/v1/transactions/${decided}`, (body) => body.final_decision?.disposition, undefined, 'fraud'],
    [`/v1/summaries/daily?${days}`, ({ items }) => items[0]?.transactions, 1, 2],
  ];
  for (const [path, value, without, withIt] of reads) {
    expect([path, value((await get(path)).body)]).toEqual([path, without]);
    expect([path, value((await get(path, after)).body)]).toEqual([path, withIt]);
  }
});

test('a text that is no token is refused, and says what is allowed', async () => {
  const { status, body } = await get('/v1/transactions', 'nonsense');
  expect(status).toBe(422);
  expect(body.errors).toEqual([
    {
      pointer: '/Consistency-Token',
      detail: "must be the Consistency-Token of an answer, unchanged, not 'nonsense'",
    },
  ]);
});

test('a write is there once it is committed: not while it is open, though later ones are, nor when it was rolled back', async () => {
  const xidOf = async (query: Database['query']) => {
    const [row] = await query<{ xid: string }>(
      sql(
        'insert into market.test_notes default values returning pg_current_xact_id()::text as xid',
      ),
    );
    return { xid: row?.xid ?? '', isBound: false };
  };
  await primary.query(sql('create table market.test_notes (at timestamptz default now())'));
  const open = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<{ xid: string; isBound: boolean }>();
  const slow = primary.transaction(async (query) => {
    begun.resolve(await xidOf(query));
    await open.promise;
  });
  // Also where an expectation fails, as the open transaction would keep its connection.
  await using _ended = {
    [Symbol.asyncDispose]: async () => {
      open.resolve();
      await slow;
    },
  };
  const [first, later] = [await begun.promise, await xidOf(primary.query)];
  const failed = Promise.withResolvers<{ xid: string; isBound: boolean }>();
  const rolledBack = primary.transaction(async (query) => {
    failed.resolve(await xidOf(query));
    throw new Error('rolled back');
  });
  await expect(rolledBack).rejects.toThrow('rolled back');
  const last = await xidOf(primary.query);
  await waitUntil(() => hasWrite(replica, last), PATIENCE_MS, 'the last write on the replica');
  expect(await hasWrite(replica, later)).toBe(true);
  expect(await hasWrite(replica, first)).toBe(false);
  expect(await hasWrite(replica, await failed.promise)).toBe(false);
  expect(await hasWrite(replica, { ...last, isBound: true })).toBe(false);
  open.resolve();
  await slow;
  await waitUntil(() => hasWrite(replica, first), PATIENCE_MS, 'the first write on the replica');
  await waitUntil(
    () => hasWrite(replica, { ...last, isBound: true }),
    PATIENCE_MS,
    'every earlier transaction to end on the replica',
  );
});
