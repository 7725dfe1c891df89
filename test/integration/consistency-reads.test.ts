/**
 * Goal: each read that a replica may answer finds, with the token of a write, what the replica lacks. Method: an API process on a
 * primary and a real streaming replica, whose replay is paused.
 */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readBoundToken } from '../../src/kit/database/replica/bound-token.ts';
import { decodeToken } from '../../src/kit/words/consistency-token.ts';
import { watchScores } from '../../src/rooms/models/queries/watch-scores.ts';
import { insertWatchReports } from '../../src/rooms/models/store/watch-reports.ts';
import {
  CREATED_AT,
  PATIENCE_MS,
  REPLICATED_TIMEOUTS,
  type ReplicatedApi,
  sql,
  startReplicatedApi,
  TO,
} from '../support/replicated-api.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { type Answer, answerOf, input, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

vi.setConfig(REPLICATED_TIMEOUTS);

let rig: ReplicatedApi;
beforeAll(async () => {
  rig = await startReplicatedApi();
});
afterAll(() => rig[Symbol.asyncDispose]());

test('with a token every list, one transaction and daily summaries have what a paused replica lacks', async () => {
  const createdAtMs = Date.parse(CREATED_AT);
  const day = CREATED_AT.slice(0, 10);
  const [decided = '', usual = ''] = await storeTransactions(rig.primary, [
    { createdAtMs, accountId: 'read', score: 900 },
    { createdAtMs, accountId: 'usual', score: 1 },
  ]);
  const [token] = await rig.postedOne({ account_id: 'before' });
  await rig.untilReplicaAnswers('before', token);
  const system = decodeToken(token)?.system ?? '';
  await using _paused = await rig.pause();
  await storeTransactions(rig.primary, [
    { createdAtMs, accountId: 'read', score: 900 },
    { createdAtMs: createdAtMs - 1000, accountId: 'usual', score: 1 },
  ]);
  const { signal } = new AbortController();
  const reports = await watchScores(rig.primary, createdAtMs, 7, signal);
  await insertWatchReports(rig.primary.query, createdAtMs, reports);
  await rig.primary.query(
    sql(`insert into market.final_decisions (decision_id, transaction_id, created_at, account_id, merchant_id, corridor, source,
           priority, disposition, reason, decided_by, decided_at, label, opened_at, due_at)
         select 1, transaction_id, created_at, account_id, merchant_id, corridor, 'score', 1, 'fraud', 'OTHER', 'a test', now(),
                'none', now(), now() from market.transactions where transaction_id = '${decided}'`),
  );
  const after = await readBoundToken(rig.primary, system);
  const rows = ({ items, recent = items }: Answer['body']) => recent.length;
  const days = `from=${day}&to=${day}&verdict=decline`;
  const reads: [string, (body: Answer['body']) => unknown, unknown, unknown][] = [
    [`/v1/scores?account_id=read&to=${TO}`, rows, 1, 2],
    [`/v1/transactions?account_id=read&to=${TO}`, rows, 1, 2],
    [`/v1/accounts/read/profile?at=${TO}`, rows, 1, 2],
    [`/v1/transactions/${decided}`, (body) => body.final_decision?.disposition, undefined, 'fraud'],
    [`/v1/scores/${usual}/habit`, (body) => body.transactions, 0, 1],
    [`/v1/models/watch?at=${TO}`, (body) => rows(body) > 0, false, true],
    [`/v1/summaries/daily?${days}`, ({ items }) => items[0]?.transactions, 1, 2],
  ];
  const found: unknown[] = [];
  for (const [path, value] of reads) {
    const without = value((await rig.get(path)).body);
    found.push([path, without, value((await rig.get(path, after)).body)]);
  }
  expect(found).toEqual(reads.map(([path, , without, withIt]) => [path, without, withIt]));
});

test('a text that is no token is refused, and the answer says what is allowed', async () => {
  const { status, body } = await rig.get('/v1/transactions', 'nonsense');
  expect(status).toBe(422);
  expect(body.errors).toEqual([
    {
      pointer: '/Consistency-Token',
      detail: "must be the Consistency-Token of an answer, unchanged, not 'nonsense'",
    },
  ]);
});

test('from level 2 of a corridor on the replica answers searches that name it, and others as before', async () => {
  const { api } = rig;
  const post = async (corridor: string) => {
    const { status, headers } = await postOne(api, input({ account_id: 'spared', corridor }));
    expect(status).toBe(201);
    return headers.get('consistency-token') ?? '';
  };
  await using _paused = await rig.pause();
  const token = await post('US-EG');
  await post('US-MX');
  const found = async (corridor: string, headers: Record<string, string> = {}) => {
    const path = `/v1/transactions?account_id=spared&corridor=${corridor}`;
    return (await answerOf(await api.request(path, { headers }))).body.items.length;
  };
  const setLevel = async (level: number) => {
    const body = JSON.stringify({ level, reason: 'a test' });
    const headers = { 'Content-Type': 'application/json' };
    const path = '/v1/degradation/corridor:US-EG';
    expect((await api.request(path, { method: 'PUT', headers, body })).status).toBe(200);
  };
  expect([await found('US-EG'), await found('US-MX')]).toEqual([1, 1]);
  await setLevel(3);
  await waitUntil(async () => (await found('US-EG')) === 0, PATIENCE_MS, 'the replica to answer');
  expect([await found('US-MX'), await found('US-EG', { 'Consistency-Token': token })]).toEqual([
    1, 1,
  ]);
  await setLevel(0);
  await waitUntil(async () => (await found('US-EG')) === 1, PATIENCE_MS, 'the primary to answer');
});
