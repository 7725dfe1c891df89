/**
 * Goal: a read that prefers the primary finds what the replica lacks, and is refused where the primary is away. Method: an API
 * process on a primary behind a proxy and a real streaming replica, whose replay is paused.
 */
import { expect, test, vi } from 'vitest';
import { watchScores } from '../../src/rooms/models/queries/watch-scores.ts';
import { insertWatchReports } from '../../src/rooms/models/store/watch-reports.ts';
import { openForFile } from '../support/open-for-file.ts';
import {
  CREATED_AT,
  PATIENCE_MS,
  REPLICATED_TIMEOUTS,
  sql,
  startReplicatedApi,
  TO,
} from '../support/replicated-api.ts';
import { putControl } from '../support/rooms/corridors/requests.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { type Answer, input, labelInput, postLabels, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

vi.setConfig(REPLICATED_TIMEOUTS);

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
