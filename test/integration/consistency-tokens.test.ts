/**
 * Goal: the answer to each write has a token, and a read with that token finds the write even if the replica lacks it. Method: an
 * API process on a primary and a real streaming replica, whose replay is paused, so that reads without a token miss the write.
 * consistency-reads.test.ts has the other reads.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { REPLAY_WAIT_MS_MAX } from '../../src/kit/database/replica/await-write.ts';
import { readBoundToken } from '../../src/kit/database/replica/bound-token.ts';
import { hasWrite, readSystem } from '../../src/kit/database/replica/replica-position.ts';
import { decodeToken, encodeToken, UNKNOWN_SYSTEM } from '../../src/kit/words/consistency-token.ts';
import { testConfig } from '../support/config.ts';
import {
  CREATED_AT,
  PATIENCE_MS,
  REPLICATED_TIMEOUTS,
  type ReplicatedApi,
  sql,
  startReplicatedApi,
  TO,
  tokenOf,
} from '../support/replicated-api.ts';
import { storeDeadLetters } from '../support/stored-rows.ts';
import { answerOf, type Input, input, labelInput, postJson } from '../support/submit.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

vi.setConfig(REPLICATED_TIMEOUTS);

let rig: ReplicatedApi;
beforeAll(async () => {
  rig = await startReplicatedApi();
});
afterAll(() => rig[Symbol.asyncDispose]());

test('a paused replica hides a post from reads without its token; with it the primary answers, and the replica once it has the post', async () => {
  let token = '';
  {
    await using _paused = await rig.pause();
    [token] = await rig.postedOne({ account_id: 'one' });
    expect(await rig.list('one')).toEqual({ statuses: [], byReplica: true });
    const startMs = performance.now();
    expect(await rig.list('one', token)).toEqual({ statuses: ['accepted'], byReplica: false });
    expect(performance.now() - startMs).toBeGreaterThan(REPLAY_WAIT_MS_MAX / 2);
  }
  await rig.untilReplicaAnswers('one', token);
  expect(await rig.list('one', token)).toEqual({ statuses: ['accepted'], byReplica: true });
});

test('every write has a token: a batch, lines, repetitions of them, labels, a replay', async () => {
  const row = (accountId: string) => input({ account_id: accountId, created_at: CREATED_AT });
  const lines = (rows: readonly Input[]) =>
    rows.map((line) => `${JSON.stringify(line)}\n`).join('');
  const postLines = async (rows: readonly Input[]) => {
    const type = { 'Content-Type': 'application/x-ndjson' };
    const response = await postJson(rig.api, lines(rows), '/v1/transactions/batch', type);
    // Headers are sent before lines are stored.
    expect(response.headers.has('consistency-token')).toBe(false);
    return JSON.parse((await response.text()).trim().split('\n').at(-1) ?? '').consistency_token;
  };
  const postBatch = async (transactions: readonly Input[]) =>
    tokenOf(await answerOf(await rig.api.post('/v1/transactions/batch', { transactions })));
  await using _paused = await rig.pause();
  const [one, lined, batched] = [row('repeated'), row('lined'), row('batched')];
  const found = async (accountId: string, token: string) => {
    expect((await rig.list(accountId)).statuses, accountId).toEqual([]);
    expect((await rig.list(accountId, token)).statuses, accountId).toEqual(['accepted']);
  };
  tokenOf(await answerOf(await rig.api.post('/v1/transactions', one)));
  await found('repeated', tokenOf(await answerOf(await rig.api.post('/v1/transactions', one))));
  await found('batched', await postBatch([batched]));
  await found('batched', await postBatch([batched]));
  await found('repeated', await postBatch([one, row('new')]));
  await found('lined', await postLines([lined]));
  await found('lined', await postLines([lined, { bad: true }]));
  expect(await postLines([{ bad: true }])).toBeUndefined();
});

test('a label and a replay are found by their tokens', async () => {
  const [token, id] = await rig.postedOne({ account_id: 'labelled' });
  const letter = randomUUID();
  await storeDeadLetters(rig.primary, [{ id: letter, transactionId: id, failedAtMs: Date.now() }]);
  await rig.untilReplicaAnswers('labelled', token);
  await waitUntil(
    async () => (await rig.list('labelled')).statuses[0] === 'dead_lettered',
    PATIENCE_MS,
    'the dead letter on the replica',
  );
  await using _paused = await rig.pause();
  const replayed = await answerOf(await rig.api.post(`/v1/dead-letters/${letter}/replay`, {}));
  expect((await rig.list('labelled')).statuses).toEqual(['dead_lettered']);
  expect((await rig.list('labelled', tokenOf(replayed))).statuses).toEqual(['accepted']);
  const label = labelInput({ transaction_id: id, labelled_at: CREATED_AT });
  const labels = async (token?: string) =>
    (await rig.get(`/v1/labels?account_id=labelled&to=${TO}`, token)).body.items.length;
  const listed = (...options: string[]) =>
    rig.api.riskJson('labels', 'list', '--account', 'labelled', '--to', TO, ...options);
  for (const status of ['accepted', 'unchanged']) {
    const answer = await answerOf(await rig.api.post('/v1/labels', { labels: [label] }));
    expect(answer.body.results[0].status).toBe(status);
    expect(await labels()).toBe(0);
    expect(await labels(tokenOf(answer))).toBe(1);
    expect(await listed()).toHaveLength(0);
    expect(await listed('--consistency-token', tokenOf(answer))).toHaveLength(1);
  }
});

test('the token of every other write covers everything that is committed by then', async () => {
  await using _paused = await rig.pause();
  const rates = { rates: [{ day: '2026-11-20', currency: 'EUR', usd: '1.0842' }] };
  const writes = [
    ['/v1/exchange-rates', rates],
    ['/v1/dead-letters/purge', { ids: [randomUUID()] }],
    ['/v1/dead-letters/replay', { ids: [randomUUID()] }],
  ] as const;
  for (const [path, body] of writes) {
    const accountId = path.slice(4);
    await rig.postedOne({ account_id: accountId });
    const token = tokenOf(await answerOf(await rig.api.post(path, body)));
    expect([path, await rig.list(accountId)]).toEqual([path, { statuses: [], byReplica: true }]);
    const found = { statuses: ['accepted'], byReplica: false };
    expect([path, await rig.list(accountId, token)]).toEqual([path, found]);
  }
});

test('with the token of a repetition or of another write the primary answers while an older transaction is open, and the replica afterwards', async () => {
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const open = rig.primary.transaction(async (query) => {
    // A standby learns the number of a transaction from its first write.
    await query(sql('create table market.test_open ()'));
    begun.resolve();
    await ended.promise;
  });
  const tokens: string[] = [];
  {
    await using _ended = {
      [Symbol.asyncDispose]: async () => {
        ended.resolve();
        await open;
      },
    };
    await begun.promise;
    const [before] = await rig.postedOne({ account_id: 'beside' });
    await rig.untilReplicaAnswers('beside', before);
    await using _paused = await rig.pause();
    const [, , body] = await rig.postedOne({ account_id: 'bound' });
    const repeat = () => rig.api.post('/v1/transactions', body);
    const purge = () => rig.api.post('/v1/dead-letters/purge', { ids: [randomUUID()] });
    for (const again of [repeat, purge]) tokens.push(tokenOf(await answerOf(await again())));
    const found = await Promise.all(tokens.map((token) => rig.list('bound', token)));
    const byPrimary = { statuses: ['accepted'], byReplica: false };
    expect(found).toEqual([byPrimary, byPrimary]);
  }
  // The token is an upper bound: no commit has its number until something is written after it.
  for (const token of tokens) {
    expect(decodeToken(token)?.isBound).toBe(true);
    await rig.untilReplicaAnswers('bound', token);
  }
});

test('if the primary fails after the commit of a write, the answer has a token that sends reads to the primary', async () => {
  await using proxy = await startTcpProxy(rig.url);
  await using away = openDatabase(testConfig(), proxy.url, 'test');
  const system = await readSystem(away);
  expect(decodeToken(await readBoundToken(away, system))?.system).toBe(system);
  for (const kind of ['silence', 'reset'] as const) {
    proxy.inflict({ kind });
    expect(decodeToken(await readBoundToken(away, system))?.system).toBe(UNKNOWN_SYSTEM);
  }
});

test('while the replica replays, a read with a token finds its write at once, on the replica too', async () => {
  let byReplica = false;
  let writes = 0;
  await waitUntil(
    async () => {
      writes += 1;
      const [token] = await rig.postedOne({ account_id: `live-${writes}` });
      const read = await rig.list(`live-${writes}`, token);
      expect(read.statuses).toEqual(['accepted']);
      byReplica ||= read.byReplica;
      return byReplica && writes >= 15;
    },
    PATIENCE_MS,
    'a read by token that the replica answers',
  );
});

test('the primary answers reads with a token of another cluster, or of a write that never arrives', async () => {
  const [token] = await rig.postedOne({ account_id: 'other' });
  await rig.untilReplicaAnswers('other', token);
  const mark = decodeToken(token);
  if (mark === undefined) throw new Error(`no token: ${token}`);
  const byPrimary = { statuses: ['accepted'], byReplica: false };
  const strange = encodeToken({ ...mark, system: UNKNOWN_SYSTEM });
  expect(await rig.list('other', strange)).toEqual(byPrimary);
  for (const isBound of [false, true]) {
    const future = encodeToken({ ...mark, xid: String(2n ** 60n), isBound });
    expect(await rig.list('other', future)).toEqual(byPrimary);
  }
});

test('the replica has a write once it is committed: neither while it is open and later ones are committed, nor after a rollback', async () => {
  const xidOf = async (query: Database['query']) => {
    const [row] = await query<{ xid: string }>(
      sql(
        'insert into market.test_notes default values returning pg_current_xact_id()::text as xid',
      ),
    );
    return { xid: row?.xid ?? '', isBound: false };
  };
  await rig.primary.query(sql('create table market.test_notes (at timestamptz default now())'));
  const open = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<{ xid: string; isBound: boolean }>();
  const slow = rig.primary.transaction(async (query) => {
    begun.resolve(await xidOf(query));
    await open.promise;
  });
  // Runs even if an expectation fails, as the open transaction would keep its connection.
  await using _ended = {
    [Symbol.asyncDispose]: async () => {
      open.resolve();
      await slow;
    },
  };
  const [first, later] = [await begun.promise, await xidOf(rig.primary.query)];
  const failed = Promise.withResolvers<{ xid: string; isBound: boolean }>();
  const rolledBack = rig.primary.transaction(async (query) => {
    failed.resolve(await xidOf(query));
    throw new Error('rolled back');
  });
  await expect(rolledBack).rejects.toThrow('rolled back');
  const last = await xidOf(rig.primary.query);
  await waitUntil(() => hasWrite(rig.replica, last), PATIENCE_MS, 'the last write on the replica');
  expect(await hasWrite(rig.replica, later)).toBe(true);
  expect(await hasWrite(rig.replica, first)).toBe(false);
  expect(await hasWrite(rig.replica, await failed.promise)).toBe(false);
  expect(await hasWrite(rig.replica, { ...last, isBound: true })).toBe(false);
  open.resolve();
  await slow;
  await waitUntil(
    () => hasWrite(rig.replica, first),
    PATIENCE_MS,
    'the first write on the replica',
  );
  await waitUntil(
    () => hasWrite(rig.replica, { ...last, isBound: true }),
    PATIENCE_MS,
    'every earlier transaction to end on the replica',
  );
});
